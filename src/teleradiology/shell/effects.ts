/** Carries out the effects a decision names; each returns the Task as it is after it. The Task itself is stored once, by the caller. */
import type { Consent } from '@medplum/fhirtypes';
import { type Effect, imagesComplete } from '../case/index.ts';
import {
  type ClockRule,
  cancelDueTimes,
  deadline,
  ruleFor,
  setDueTime,
  thresholdAt,
  thresholds,
} from '../clock/index.ts';
import { codeSystem, concept, identifierSystem, passerelle } from '../codes.ts';
import { queueDelivery } from '../outgoing/queue.ts';
import {
  type CaseTask,
  clockOf,
  idOf,
  inputsOf,
  milestonesOf,
  withBasis,
  withClock,
  withInput,
  withOutput,
  withOutputReference,
  withoutOutputs,
} from './case-task.ts';
import { communication, responsible } from './communication.ts';
import { assign, keepOwner } from './effect/assignment.ts';
import { askQuestion, keepAnswer, keepPhoneExchange } from './effect/talk.ts';
import type { CaseView } from './gather-facts.ts';
import type { EffectScene } from './scene.ts';

export type { EffectScene } from './scene.ts';

const dayMs = 86_400_000;

export async function carryOut(effect: Effect, task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, now, input, view } = scene;
  const { tenant } = tx.context;
  switch (effect) {
    case 'record-consent':
      return recordConsent(task, scene);
    case 'answer-accepted':
    case 'answer-refused':
      await queueDelivery(scene, task, 'request-answer', 'Réponse à la demande');
      return task;
    case 'note-skipped-protocol':
      return {
        ...task,
        note: [
          ...(task.note ?? []),
          {
            time: now.toISOString(),
            text: "Étape de protocole omise : le contrat de l'établissement ne la demande pas.",
          },
        ],
      };
    case 'start-clock':
      return startClock(task, scene, clockStart(view));
    case 'restart-clock': {
      const clock = clockOf(task);
      return clock === undefined ? task : startClock(task, scene, clock.started);
    }
    case 'stop-clock':
      await cancelDueTimes(tx.sql, tenant, task.id, ['deadline-50', 'deadline-75', 'deadline-100']);
      return lowerFlag(task, scene);
    case 'watch-expiry': {
      const dueAt = new Date(now.getTime() + view.settings.expiryDays * dayMs);
      await setDueTime(tx.sql, tenant, { caseId: task.id, kind: 'expiry', key: '', dueAt }, true);
      return task;
    }
    case 'forget-due-times':
      await cancelDueTimes(tx.sql, tenant, task.id);
      return task;
    case 'set-owner':
      return keepOwner(task, scene);
    case 'clear-owner': {
      const { owner: _owner, ...rest } = task;
      return rest;
    }
    case 'forget-displayed':
      return withoutOutputs(task, 'displayed-series');
    case 'keep-displayed':
      return (input.displayed ?? []).reduce(
        (kept, uid) =>
          withOutput(
            withoutOutputs(kept, 'displayed-series', (each) => each.valueString !== uid),
            'displayed-series',
            { valueString: uid },
          ),
        task,
      );
    case 'keep-protocol':
      return (input.protocols ?? []).reduce((kept, text) => withOutput(kept, 'protocol', { valueString: text }), task);
    case 'keep-phone-exchange':
      return keepPhoneExchange(task, scene);
    case 'keep-reason':
      return input.reason?.trim() ? { ...task, statusReason: { text: input.reason } } : task;
    case 'clear-reason': {
      const { statusReason: _reason, ...rest } = task;
      return rest;
    }
    case 'declare-images-complete':
      return inputsOf(task, 'images-declared-complete').length > 0
        ? task
        : withInput(task, 'images-declared-complete', { valueDateTime: now.toISOString() });
    case 'confirm-attachment':
      await tx.sql.query(
        `UPDATE study_link SET basis = 'confirmed' WHERE tenant = $1 AND case_id = $2 AND basis = 'provisional'`,
        [tenant, task.id],
      );
      return withBasis(task, 'confirmed');
    case 'revoke-request': {
      const id = idOf(task.focus, 'ServiceRequest');
      const request = id === undefined ? undefined : await tx.find('ServiceRequest', id);
      if (request !== undefined && request.status !== 'revoked') await tx.update({ ...request, status: 'revoked' });
      return task;
    }
    case 'tell-site':
      return tellSite(task, scene);
    case 'tell-late-images':
      return tellLateImages(task, scene);
    // Signing makes the documents before it takes the case, and stores them around this transition.
    case 'publish-report':
      return task;
    case 'queue-report':
      await queueDelivery(scene, task, view.settings.reportFormat, 'Compte rendu signé');
      return withoutOutputs(task, 'acknowledgement');
    case 'keep-acknowledgement':
      return withOutput(withoutOutputs(task, 'acknowledgement'), 'acknowledgement', {
        valueDateTime: now.toISOString(),
      });
    case 'ask-question':
      return askQuestion(task, scene, input.question ?? input.reason ?? '');
    case 'keep-answer':
      return keepAnswer(task, scene);
    case 'set-assigned':
      return assign(task, scene);
    case 'ask-imaging':
      return askQuestion(task, scene, `Imagerie complémentaire demandée : ${input.question ?? ''}`);
    case 'ask-missing':
    case 'keep-cancellation-request':
    case 'decline-cancellation':
    case 'publish-preliminary':
    case 'charge-act':
    case 'reverse-charge':
    case 'open-second-reading':
    case 'take-second-reading':
    case 'release-second-reading':
    case 'close-second-reading':
    case 'drop-second-reading':
    case 'keep-second-displayed':
    case 'open-addendum':
    case 'open-rereading':
    case 'take-addendum':
    case 'release-addendum':
    case 'close-addendum':
    case 'drop-addendum':
    case 'start-alert':
    case 'acknowledge-alert':
      return task;
  }
}

/** Transmission of the images: their last instance, and flow 4 when the establishment sends one and it came later. */
function clockStart(view: CaseView): Date {
  const series = view.studies.flatMap((link) => Object.values(link.series).map(({ at }) => Date.parse(at)));
  // An urgent case starts with its first complete series.
  return new Date(imagesComplete(view.facts) ? Math.max(...series) : Math.min(...series));
}

async function startClock(task: CaseTask, scene: EffectScene, imagesAt: Date): Promise<CaseTask> {
  const { tx, view } = scene;
  const started = clockOf(task)?.started ?? laterOf(imagesAt, examToldAt(task, view));
  const rule = ruleOf(task);
  const due = deadline(rule, started, view.settings.delays);
  for (const threshold of thresholds) {
    const dueAt = thresholdAt(started, due, threshold);
    // What was raised under another urgency is raised again when it falls due anew: a longer delay must not end in silence.
    const again = dueAt > scene.now;
    await setDueTime(
      tx.sql,
      tx.context.tenant,
      { caseId: task.id, kind: `deadline-${threshold}`, key: '', dueAt },
      again,
    );
  }
  const wasLate = clockOf(task)?.late ?? false;
  const late = wasLate && due <= scene.now;
  if (wasLate && !late) await lowerFlag(task, scene);
  return withClock(task, { started, rule, late }, due);
}

/** The priority of the case decides, also after a triage; the class of the stay tells in-patients from emergencies. */
function ruleOf(task: CaseTask): ClockRule {
  if (task.priority === 'routine') return ruleFor('routine', encounterClass(task));
  return encounterClass(task) === 'I' ? 'inpatient-1h' : 'urgent-1h';
}

const laterOf = (a: Date, b: Date | undefined): Date => (b !== undefined && b > a ? b : a);

/** When flow 4 came, for an establishment that sends one and a case that waited for it. */
function examToldAt(task: CaseTask, view: CaseView): Date | undefined {
  if (!view.facts.flow4Expected || !imagesComplete(view.facts)) return undefined;
  const told = inputsOf(task, 'act').map(
    (each) => each.extension?.find(({ url }) => url === flow4Received)?.valueDateTime,
  );
  return told[0] === undefined ? undefined : new Date(told[0]);
}

/** When flow 4 came: sub-extension of the input `act`. */
export const flow4Received = `${passerelle}/StructureDefinition/received-at`;

function encounterClass(task: CaseTask): string | undefined {
  return inputsOf(task, 'encounter-class')[0]?.valueCode;
}

async function recordConsent(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, view, now } = scene;
  const emergency = encounterClass(task) === 'E';
  if (!view.settings.consentByOrder && !emergency) return task;
  const category = view.settings.consentByOrder ? 'remote-reading' : 'emergency-exception';
  const consent = await tx.create<Consent>({
    resourceType: 'Consent',
    identifier: task.identifier?.filter((each) => each.system === identifierSystem.caseNumber),
    status: 'active',
    scope: concept('http://terminology.hl7.org/CodeSystem/consentscope', 'treatment'),
    category: [concept(codeSystem.consentCategory, category)],
    patient: task.for as Consent['patient'],
    dateTime: now.toISOString(),
    ...(task.requester ? { organization: [task.requester as NonNullable<Consent['organization']>[number]] } : {}),
    policyRule: {
      text: view.settings.consentByOrder
        ? "Information et accord du patient attestés par la demande d'examen."
        : "Exception d'urgence : le consentement n'a pas pu être recueilli.",
    },
  });
  return withOutputReference(task, 'consent', `Consent/${consent.id}`);
}

/** A case that is signed is no longer late; that it was stays on its clock. */
async function lowerFlag(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const number = task.identifier?.find((each) => each.system === identifierSystem.caseNumber)?.value;
  if (clockOf(task)?.late !== true || number === undefined) return task;
  const token = encodeURIComponent(`${identifierSystem.caseNumber}|${number}`);
  for (const flag of await scene.tx.search('Flag', `identifier=${token}`))
    if (flag.status === 'active') await scene.tx.update({ ...flag, status: 'inactive' });
  return task;
}

async function tellSite(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const reason = scene.input.reason ? ` Motif : ${scene.input.reason}` : '';
  await scene.tx.create(
    communication(task, {
      category: 'case-ended',
      text: `La demande ne sera pas interprétée.${reason}`,
      recipients: task.requester ? [task.requester] : [],
      sent: scene.now,
    }),
  );
  return task;
}

async function tellLateImages(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const system = `${passerelle}/sid/late-images`;
  const signed = milestonesOf(task).get('signed');
  const message = communication(task, {
    category: 'late-images',
    text: 'Des images sont arrivées après la signature du compte rendu.',
    recipients: await responsible(scene.tx, task, scene.view.settings),
    sent: scene.now,
    urgent: true,
    identifier: { system, value: `${task.id}.${signed?.getTime() ?? 0}` },
  });
  await scene.tx.createIfNone(
    message,
    `identifier=${encodeURIComponent(`${system}|${message.identifier?.[0]?.value}`)}`,
  );
  return task;
}
