/** Who moved a case, on whose behalf and why: one Provenance per transition, in its transaction (workflow §1). */
import type { Provenance } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { CaseActor, CaseEvent } from '../case/index.ts';
import { codeSystem } from '../codes.ts';
import type { CaseTask } from './case-task.ts';
import type { Given } from './scene.ts';

/** They change nothing of the course of a case, and come by hundreds: the trail (AuditEvent) tells them. */
const silent: readonly CaseEvent[] = ['displayed', 'save-draft', 'images', 'images-quiet'];

/** People and software of the site act for it. */
const ofSite: readonly string[] = ['requester', 'technologist', 'secretary', 'ris', 'pacs'];

export interface Move {
  /** What happened, in order: the event asked for, then those by which the case settled. */
  events: readonly CaseEvent[];
  actor: CaseActor & { display: string };
  given: Given;
  /** Organization the platform's people work for. */
  platform: string | undefined;
}

/** @param task as stored. */
export async function leaveProvenance(
  tx: Pick<FhirTransaction, 'create' | 'context'>,
  task: CaseTask,
  { events, actor, given, platform }: Move,
): Promise<void> {
  const told = events.filter((event) => !silent.includes(event));
  if (told.length === 0 || actor.reference === '') return;
  const forSite = actor.roles.some((role) => ofSite.includes(role));
  const onBehalfOf = forSite ? task.requester?.reference : actor.kind === 'system' ? undefined : platform;
  const why = [given.reason, given.notDisplayedReason].map((each) => each?.trim()).filter((each) => each);
  await tx.create<Provenance>({
    resourceType: 'Provenance',
    target: [{ reference: `Task/${task.id}/_history/${task.meta?.versionId}` }],
    recorded: tx.context.now().toISOString(),
    activity: { coding: told.map((code) => ({ system: codeSystem.caseEvent, code })) },
    ...(why.length > 0 ? { reason: why.map((text) => ({ text })) } : {}),
    agent: [
      {
        who: { reference: actor.reference, display: actor.display } as Provenance['agent'][number]['who'],
        ...(onBehalfOf ? { onBehalfOf: { reference: onBehalfOf } as Provenance['agent'][number]['onBehalfOf'] } : {}),
      },
    ],
  });
}
