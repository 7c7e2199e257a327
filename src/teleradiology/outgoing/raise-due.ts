/** What happens when a due time falls: reminders, images that fell quiet, images without a case, cases without images (WF-4). */
import type { Communication, Flag } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { decide, imagesReadable, openStates } from '../case/index.ts';
import type { DueTime } from '../clock/index.ts';
import { codeSystem, concept, identifierSystem } from '../codes.ts';
import { watchQuiet, withStudies } from '../images/attach.ts';
import { findLink } from '../images/study-link.ts';
import { raiseExpiry } from '../people/index.ts';
import { raiseGap, raiseLateRota } from '../rota/index.ts';
import { establishmentSettings } from '../settings.ts';
import { type CaseTask, clockOf, withClock } from '../shell/case-task.ts';
import { communication, coordinators, responsible } from '../shell/communication.ts';
import { establishmentOf, gatherFacts } from '../shell/gather-facts.ts';
import { readCase, type Shell, systemActor, transition } from '../shell/perform.ts';
import { anyPlatformId } from '../shell/platform.ts';
import { waitingText } from '../shell/waiting.ts';

export async function raiseDue(shell: Shell, due: DueTime, tx: FhirTransaction): Promise<void> {
  switch (due.kind) {
    case 'deadline-50':
    case 'deadline-75':
    case 'deadline-100':
      return remind(shell, due, tx);
    case 'images-quiet':
      return imagesFellQuiet(shell, due, tx);
    case 'unattached':
      return tellUnattached(due, tx);
    case 'expiry':
      return expire(shell, due, tx);
    case 'waiting':
      return tellWaiting(due, tx);
    case 'undelivered':
      return tellUndelivered(due, tx);
    case 'qualification':
      return raiseExpiry(shell, due, tx);
    case 'duty-gap':
      return raiseGap(shell, due, tx);
    case 'rota-late':
      return raiseLateRota(shell, due, tx);
  }
}

const minuteMs = 60_000;

/** One message per threshold; at the last one the case is marked late, and the patient flagged. Nothing once signed. */
async function remind(shell: Shell, due: DueTime, tx: FhirTransaction): Promise<void> {
  const { task, state } = await readCase(tx, due.caseId);
  const end = task.restriction?.period?.end;
  if (!openStates.includes(state) || end === undefined) return;
  const percent = Number(due.kind.slice('deadline-'.length));
  const now = tx.context.now();
  const late = percent === 100;
  const minutes = Math.round(Math.abs(Date.parse(end) - now.getTime()) / minuteMs);
  const overdue = now.getTime() >= Date.parse(end);
  await tx.create<Communication>(
    communication(task, {
      category: 'deadline',
      text: overdue
        ? `Délai dépassé de ${duration(minutes)} (rappel des ${percent} %).`
        : `${percent} % du délai écoulés : il reste ${duration(minutes)}.`,
      recipients: await responsible(tx, task),
      sent: now,
      urgent: late,
    }),
  );
  if (!late) return;
  if (task.for !== undefined)
    await tx.create<Flag>({
      resourceType: 'Flag',
      identifier: task.identifier?.filter((each) => each.system === identifierSystem.caseNumber),
      status: 'active',
      code: concept(codeSystem.flag, 'late', 'Interprétation en retard'),
      subject: task.for as Flag['subject'],
      period: { start: end },
    });
  const clock = clockOf(task);
  if (clock) await shell.writes.update(tx, withClock(task, { ...clock, late: true }, new Date(end)));
}

function duration(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  const rest = `${minutes % 60} min`;
  return hours === 0 ? rest : `${hours} h ${rest}`;
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

/** Nobody has done what the case waits for: the coordinators see to it. */
async function tellWaiting(due: DueTime, tx: FhirTransaction): Promise<void> {
  const { task, state } = await readCase(tx, due.caseId);
  const text = waitingText(state, task, establishmentSettings(await establishmentOf(tx, task)));
  if (text !== undefined) await tellCoordinators(tx, task, 'waiting', text);
}

/** The establishment does not answer: its software is down, or the line is. Once delivered or refused, that was told already. */
async function tellUndelivered(due: DueTime, tx: FhirTransaction): Promise<void> {
  const { task } = await readCase(tx, due.caseId);
  const child = await tx.find('Task', due.key);
  if (child?.status !== 'requested' && child?.status !== 'in-progress') return;
  const what = child.description ?? 'Envoi';
  const text = `${what} : l'établissement n'en a pas accusé réception ; appelez-le, l'envoi continue d'être tenté.`;
  await tellCoordinators(tx, task, 'delivery-late', text);
}

async function tellCoordinators(tx: FhirTransaction, task: CaseTask, category: string, text: string): Promise<void> {
  const recipients = await coordinators(tx, task);
  const urgent = task.priority !== 'routine' || category === 'delivery-late';
  await tx.create<Communication>(communication(task, { category, text, recipients, sent: tx.context.now(), urgent }));
}

/** Images never came: the case ends and the site is told. One whose images came meanwhile goes on. */
async function expire(shell: Shell, due: DueTime, tx: FhirTransaction): Promise<void> {
  const { task, state } = await readCase(tx, due.caseId);
  const { facts } = await gatherFacts(tx, task, tx.context.now());
  if ('refusal' in decide(state, 'expire', systemActor, facts)) return;
  await transition(shell, tx, task as CaseTask, state, {
    event: 'expire',
    bySystem: true,
    input: { reason: "Les images n'ont pas été reçues dans le délai prévu." },
  });
}
