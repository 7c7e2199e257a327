/** What happens when a due time falls: steps of a clock, images that fell quiet, images without a case, what nobody acknowledged (WF-4). */
import type { Communication } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { imagesReadable, openStates } from '../case/index.ts';
import type { DueTime } from '../clock/index.ts';
import { codeSystem, concept } from '../codes.ts';
import { escalateAlert } from '../critical/index.ts';
import { remindProblem } from '../identity/remind.ts';
import { watchQuiet, withStudies } from '../images/attach.ts';
import { findLink } from '../images/study-link.ts';
import { raiseExclusion, raiseExpiry } from '../people/index.ts';
import { raiseGap, raiseLateRota } from '../rota/index.ts';
import { communication, coordinators } from '../shell/communication.ts';
import { gatherFacts } from '../shell/gather-facts.ts';
import { readCase, type Shell, transition } from '../shell/perform.ts';
import { anyPlatformId } from '../shell/platform.ts';
import { sendNotice } from '../talk/send-notice.ts';
import { raiseClock } from './raise-clock.ts';

export async function raiseDue(shell: Shell, due: DueTime, tx: FhirTransaction): Promise<void> {
  switch (due.kind) {
    case 'clock':
      return raiseClock(shell, due, tx);
    case 'images-quiet':
      return imagesFellQuiet(shell, due, tx);
    case 'unattached':
      return tellUnattached(due, tx);
    case 'undelivered':
      return tellUndelivered(shell, due, tx);
    case 'alert':
      return escalateAlert(shell, due.caseId, due.key, tx);
    case 'identity-issue':
      return remindProblem(tx, due.key);
    case 'qualification':
      return raiseExpiry(shell, due, tx);
    case 'exclusion':
      return raiseExclusion(shell, due, tx);
    case 'duty-gap':
      return raiseGap(shell, due, tx);
    case 'rota-late':
      return raiseLateRota(shell, due, tx);
  }
}

/** The machine is told when something follows from it: readable, or complete. */
async function imagesFellQuiet(shell: Shell, due: DueTime, tx: FhirTransaction): Promise<void> {
  const { task, state } = await readCase(tx, due.caseId);
  const view = await gatherFacts(tx, task, tx.context.now());
  const link = await findLink(tx.sql, tx.context.tenant, due.key);
  if (link?.caseId === due.caseId) await watchQuiet(tx, link, view.settings);
  const follows = view.facts.images.quiet || (imagesReadable(view.facts) && !view.facts.clockStarted);
  if (follows && openStates.includes(state))
    await transition(shell, tx, task, state, {
      event: 'images-quiet',
      bySystem: true,
      // The last arrivals may not have been told to the case one by one.
      change: (current) => withStudies(current, view.studies),
    });
}

/** Images nobody asked for, or whose request was lost: the coordinator looks (design §5 rule 5). */
async function tellUnattached(due: DueTime, tx: FhirTransaction): Promise<void> {
  const link = await findLink(tx.sql, tx.context.tenant, due.key);
  const held = link?.state === 'quarantined' && link.caseId === undefined;
  if (link === undefined || (link.state !== 'waiting' && !held)) return;
  const platform = await anyPlatformId(tx);
  await tx.create<Communication>({
    resourceType: 'Communication',
    status: 'completed',
    category: [concept(codeSystem.communicationCategory, 'unattached-images')],
    priority: 'urgent',
    about: [{ reference: `ImagingStudy/${link.imagingStudyId}` }],
    ...(platform ? { recipient: [{ reference: `Organization/${platform}` }] } : {}),
    sent: tx.context.now().toISOString(),
    payload: [
      {
        contentString: held
          ? "Des images sans demande sont en quarantaine : l'identitovigilance doit décider."
          : "Des images reçues n'ont trouvé aucune demande : rattachez-les ou voyez avec l'établissement.",
      },
    ],
  });
}

/** The establishment does not answer: its software is down, or the line is. Once delivered or refused, that was told already. */
async function tellUndelivered(shell: Shell, due: DueTime, tx: FhirTransaction): Promise<void> {
  const { task } = await readCase(tx, due.caseId);
  const child = await tx.find('Task', due.key);
  if (child?.status !== 'requested' && child?.status !== 'in-progress') return;
  const what = child.description ?? 'Envoi';
  const text = `${what} : l'établissement n'en a pas accusé réception ; appelez-le, l'envoi continue d'être tenté.`;
  const to = await coordinators(tx, task);
  await tx.create<Communication>(
    communication(task, { category: 'delivery-late', text, recipients: to, sent: tx.context.now(), urgent: true }),
  );
  await sendNotice(shell, tx, { template: 'delivery-late', to, about: `Task/${task.id}`, values: {} });
}
