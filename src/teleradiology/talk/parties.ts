/** Who takes part in the talk about a case (CM-1): technologists and requesters of its establishment, its radiologists, the coordinators. */
import type { Communication, Reference } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { excludedAmong, standingOfActor } from '../people/reader-standing.ts';
import { establishmentSettings } from '../settings.ts';
import { type CaseTask, idOf } from '../shell/case-task.ts';
import { establishmentOf } from '../shell/case-view.ts';
import { refuseOutsider } from '../shell/outsider.ts';
import { platformId } from '../shell/platform.ts';
import { refused } from './message.ts';

/** Roles that talk; a machine writes no message, whatever its role. */
const talkingRoles: readonly string[] = ['technologist', 'requester', 'radiologist', 'expert', 'coordinator'];

/** Those an exclusion is about. */
const readerRoles: readonly string[] = ['radiologist', 'expert'];

/** @throws FhirError 403 for whoever has no part in this case, or none any more. */
export async function refuseStranger(tx: FhirTransaction, task: CaseTask): Promise<void> {
  const { actor } = tx.context;
  const talks = actor.kind === 'person' && actor.roles.some((role) => talkingRoles.includes(role));
  if (!talks)
    throw refused(
      'Seuls le manipulateur, le demandeur, le radiologue et le coordonnateur du dossier s’y écrivent.',
      'Communication.sender',
      403,
    );
  // Coordinators see to every establishment of the platform.
  if (actor.roles.includes('coordinator')) return;
  refuseOutsider(tx, task);
  if (await isExcluded(tx, task))
    throw refused(
      'L’établissement ne vous confie plus de lecture : vous n’écrivez plus dans ce dossier.',
      'Communication.sender',
      403,
    );
}

/** Whether the establishment excluded this reader (CM-5), who neither answers for the report nor talks for another role as well. */
async function isExcluded(tx: FhirTransaction, task: CaseTask): Promise<boolean> {
  const { actor, now } = tx.context;
  const talksOtherwise = actor.roles.some((role) => talkingRoles.includes(role) && !readerRoles.includes(role));
  if (talksOtherwise || task.owner?.reference === actor.reference) return false;
  return (await standingOfActor(tx, task.requester?.reference, now())).excluded;
}

/** Everybody a message about the case is meant for unless it says whom: the establishment, the coordinators, who reads. */
export async function everybody(tx: FhirTransaction, task: CaseTask): Promise<Reference[]> {
  const platform = await platformId(tx, establishmentSettings(await establishmentOf(tx, task)));
  const all = [
    task.requester?.reference,
    platform && `Organization/${platform}`,
    task.owner?.reference,
    task.restriction?.recipient?.[0]?.reference,
  ];
  return references(tx, task, all);
}

/**
 * Whom a message may name: naming somebody lets them see it (docs/access/policy.md), so nobody outside the case is named.
 * @param answered the message it answers.
 */
export async function addressable(
  tx: FhirTransaction,
  task: CaseTask,
  answered: Communication | undefined,
): Promise<Reference[]> {
  const requestId = idOf(task.focus, 'ServiceRequest');
  const request = requestId === undefined ? undefined : await tx.find('ServiceRequest', requestId);
  return references(tx, task, [
    ...(await everybody(tx, task)).map(({ reference }) => reference),
    request?.requester?.reference,
    ...(request?.performer ?? []).map(({ reference }) => reference),
    answered?.sender?.reference,
    ...(answered?.recipient ?? []).map(({ reference }) => reference),
  ]);
}

/** Each once; not whom the establishment excluded, who would see what names them, unless they answer for the report. */
async function references(
  tx: FhirTransaction,
  task: CaseTask,
  all: readonly (string | undefined)[],
): Promise<Reference[]> {
  const named = [...new Set(all.flatMap((reference) => reference ?? []))];
  const excluded = await excludedAmong(tx, named, task.requester?.reference);
  return named
    .filter((reference) => !excluded.has(reference) || reference === task.owner?.reference)
    .map((reference) => ({ reference }));
}
