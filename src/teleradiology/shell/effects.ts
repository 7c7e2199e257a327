/** Carries out the effects a decision names; each returns the Task as it is after it. The Task itself is stored once, by the caller. */
import type { Consent } from '@medplum/fhirtypes';
import type { Effect } from '../case/index.ts';
import { cancelDueTimes } from '../clock/index.ts';
import { codeSystem, concept, identifierSystem, passerelle } from '../codes.ts';
import { acknowledgeAlert } from '../critical/acknowledge-alert.ts';
import { startAlert } from '../critical/start-alert.ts';
import { queueDelivery, queueReport } from '../outgoing/queue.ts';
import { queueWithdrawals } from '../outgoing/withdraw.ts';
import { askMissing } from '../request/ask-missing.ts';
import { keepPhoneExchange } from '../talk/phone-exchange.ts';
import { askQuestion, keepAnswer } from '../talk/question.ts';
import {
  type CaseTask,
  idOf,
  inputsOf,
  milestonesOf,
  stateOf,
  withBasis,
  withInput,
  withOutput,
  withOutputReference,
  withoutOutputs,
} from './case-task.ts';
import { communication, responsible } from './communication.ts';
import {
  closeAddendum,
  dropAddendum,
  openAddendum,
  openRereading,
  releaseAddendum,
  takeAddendum,
} from './effect/addendum.ts';
import { assign, keepOwner, tellDoubt } from './effect/assignment.ts';
import { declineCancellation, keepCancellationRequest } from './effect/cancellation.ts';
import { chargeAct, reverseCharge } from './effect/charge.ts';
import { dropErrorDeclaration, keepErrorDeclaration, withdrawReport } from './effect/errors.ts';
import {
  closeSecondReading,
  dropSecondReading,
  keepDisplayed,
  openSecondReading,
  releaseSecondReading,
  takeSecondReading,
} from './effect/second-reading.ts';
import type { EffectScene } from './scene.ts';

export type { EffectScene } from './scene.ts';

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
    case 'forget-due-times':
      await cancelDueTimes(tx.sql, tenant, task.id);
      return task;
    case 'set-owner':
      if (view.facts.identityDoubt) await tellDoubt(task, scene);
      return keepOwner(task, scene);
    case 'clear-owner': {
      const { owner: _owner, ...rest } = task;
      return rest;
    }
    case 'forget-displayed':
      return withoutOutputs(task, 'displayed-series');
    case 'keep-displayed':
    case 'keep-second-displayed':
      return keepDisplayed(task, scene);
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
    case 'publish-preliminary':
      return task;
    // What was acknowledged was the version before.
    case 'publish-report':
      return withoutOutputs(task, 'acknowledgement');
    case 'queue-report':
      await queueReport(scene, task, view.settings.reportFormat);
      return task;
    case 'keep-acknowledgement':
      return withOutput(withoutOutputs(task, 'acknowledgement'), 'acknowledgement', {
        valueDateTime: now.toISOString(),
      });
    case 'ask-question':
      return askQuestion(task, scene, input.question ?? input.reason ?? '');
    case 'keep-answer':
      return keepAnswer(task, scene, input.answer ?? '');
    case 'drop-question':
      return withoutOutputs(task, 'question');
    case 'start-alert':
      return startAlert(task, scene);
    case 'acknowledge-alert':
      return acknowledgeAlert(task, scene);
    case 'set-assigned':
      return assign(task, scene);
    case 'ask-imaging':
      return askQuestion(task, scene, `Imagerie complémentaire demandée : ${input.question ?? ''}`);
    case 'open-second-reading':
      return openSecondReading(task, scene);
    case 'take-second-reading':
      return takeSecondReading(task, scene);
    case 'release-second-reading':
      return releaseSecondReading(task, scene);
    case 'close-second-reading':
      return closeSecondReading(task, scene);
    case 'drop-second-reading':
      return dropSecondReading(task, scene);
    case 'open-addendum':
      return openAddendum(task, scene);
    case 'open-rereading':
      return openRereading(task, scene);
    case 'take-addendum':
      return takeAddendum(task, scene);
    case 'release-addendum':
      return releaseAddendum(task, scene);
    case 'close-addendum':
      return closeAddendum(task, scene);
    case 'drop-addendum':
      return dropAddendum(task, scene);
    case 'keep-cancellation-request':
      return keepCancellationRequest(task, scene);
    case 'decline-cancellation':
      return declineCancellation(task, scene);
    case 'charge-act':
      return chargeAct(task, scene);
    case 'reverse-charge':
      return reverseCharge(task, scene);
    case 'keep-error-declaration':
      return keepErrorDeclaration(task, scene);
    case 'drop-error-declaration':
      return dropErrorDeclaration(task, scene);
    case 'withdraw-report':
      return withdrawReport(task, scene);
    case 'queue-withdrawal':
      return withdrawFromSite(task, scene);
    case 'ask-missing':
      return askMissing(task, scene);
  }
}

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

/** A report kept back for its identity problem meets the error at its turn: it does not leave, and what may have left before is known then. */
async function withdrawFromSite(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  await scene.room.delivery.release(scene.tx, `Task/${task.id}`);
  await queueWithdrawals(scene, task);
  return task;
}

async function tellSite(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const isError = stateOf(task) === 'entered-in-error' && scene.view.facts.report === 'final';
  const reason = scene.input.reason ? ` Motif : ${scene.input.reason}` : '';
  await scene.tx.create(
    communication(task, {
      category: 'case-ended',
      text: `${isError ? 'Dossier erroné : le compte rendu transmis est annulé, retirez-le.' : 'La demande ne sera pas interprétée.'}${reason}`,
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
