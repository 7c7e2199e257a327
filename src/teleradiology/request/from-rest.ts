/** A request over FHIR REST (IN-1): a Task `teleradiology-case` with its ServiceRequest becomes a case through the same machine. */
import type { Patient, ServiceRequest, Task } from '@medplum/fhirtypes';
import { type Context, FhirError, type FhirTransaction, labelsOf } from '../../fhir/index.ts';
import { codeSystem, hasCode } from '../codes.ts';
import { doubtsAbout, identityFacts, raiseDoubts } from '../identity/at-opening.ts';
import { attachWaiting } from '../images/attach.ts';
import { requireMember } from '../people/entitled.ts';
import { establishmentSettings } from '../settings.ts';
import { idOf, stateOf } from '../shell/case-task.ts';
import { actorOf, type Shell } from '../shell/perform.ts';
import { leaveProvenance } from '../shell/provenance.ts';
import { missingOf } from './completeness.ts';
import { caseOfPlacer, newCaseTask, placerOf, readEstablishment } from './open-case.ts';

/** Inputs that a sender may set. */
const sendersInputs = ['encounter-class', 'callback', 'appointment', 'wanted-performer'];

/** Tasks posted before their ServiceRequest, or its Patient, in one transaction: opened when they come, refused at commit when they do not. */
export interface PendingRequests {
  /** Opens the case, or remembers it. */
  posted(tx: FhirTransaction, task: Task & { id: string }): Promise<void>;
  /** A ServiceRequest or a Patient was created: what waited for it is opened. */
  arrived(tx: FhirTransaction): Promise<void>;
  /** @throws FhirError 422 for a Task whose ServiceRequest or Patient never came. */
  checkNoneLeft(tx: FhirTransaction): void;
}

export function createPendingRequests(shell: Shell): PendingRequests {
  const waiting = new WeakMap<FhirTransaction, Map<string, Task & { id: string }>>();
  async function openWhenWhole(tx: FhirTransaction, task: Task & { id: string }): Promise<boolean> {
    const request = await tx.find('ServiceRequest', requestOf(task));
    if (request === undefined) return false;
    const patientId = idOf(request.subject, 'Patient');
    const patient = patientId === undefined ? undefined : await tx.find('Patient', patientId);
    if (patientId !== undefined && patient === undefined) return false;
    const whole = { task, request: request as ServiceRequest & { id: string } };
    await open(shell, tx, { ...whole, ...(patient ? { patient: patient as Patient & { id: string } } : {}) });
    return true;
  }
  return {
    async posted(tx, task) {
      if (await openWhenWhole(tx, task)) return;
      waiting.set(tx, (waiting.get(tx) ?? new Map()).set(task.id, task));
    },
    async arrived(tx) {
      for (const [id, task] of waiting.get(tx) ?? []) if (await openWhenWhole(tx, task)) waiting.get(tx)?.delete(id);
    },
    checkNoneLeft(tx) {
      if (waiting.get(tx)?.size)
        throw new FhirError(
          422,
          'not-found',
          'La demande (ServiceRequest) du dossier, ou son patient, est introuvable.',
          'Task.focus',
        );
    },
  };
}

interface Whole {
  task: Task & { id: string };
  request: ServiceRequest & { id: string };
  /** Undefined when the request names none. */
  patient?: Patient & { id: string };
}

function requestOf(task: Task): string {
  const id = idOf(task.focus, 'ServiceRequest') ?? idOf(task.basedOn?.[0], 'ServiceRequest');
  if (id === undefined)
    throw new FhirError(
      422,
      'required',
      'Un dossier porte sur une demande : Task.focus désigne un ServiceRequest.',
      'Task.focus',
    );
  return id;
}

async function open(shell: Shell, tx: FhirTransaction, { task, request, patient }: Whole): Promise<void> {
  const draft = task.status === 'draft';
  if (!draft && task.status !== 'requested')
    throw new FhirError(
      422,
      'business-rule',
      'Un nouveau dossier a le statut « requested » ou « draft » ; la suite passe par les opérations.',
      'Task.status',
    );
  if (task.businessStatus !== undefined && stateOf(task) !== (draft ? 'draft' : 'sent'))
    throw new FhirError(
      422,
      'business-rule',
      "L'état d'un nouveau dossier est décidé par la plateforme.",
      'Task.businessStatus',
    );
  if (request.intent !== 'order')
    throw new FhirError(422, 'business-rule', "La demande doit avoir l'intention « order ».", 'ServiceRequest.intent');
  if (request.requester === undefined)
    throw new FhirError(422, 'required', 'La demande doit nommer son demandeur.', 'ServiceRequest.requester');
  if (patient === undefined)
    throw new FhirError(422, 'required', 'La demande doit désigner un Patient.', 'ServiceRequest.subject');
  const placer = placerOf(request);
  if (placer === undefined)
    throw new FhirError(
      422,
      'required',
      'La demande ne porte pas de numéro de demandeur (PLAC).',
      'ServiceRequest.identifier',
    );
  const organization = idOf(task.requester, 'Organization') ?? idOf(request.requester, 'Organization');
  if (organization === undefined)
    throw new FhirError(
      422,
      'required',
      "Le dossier doit nommer l'établissement demandeur (Organization).",
      'Task.requester',
    );
  // Its terms, its consent rules and its people: nobody asks in the name of another establishment.
  requireMember(tx, organization);
  await tx.lock(`placer:${placer.system ?? ''}|${placer.value}`);
  const known = await caseOfPlacer(tx, placer);
  if (known !== undefined && known.id !== task.id)
    throw new FhirError(
      409,
      'duplicate',
      seesCase(tx.context, known)
        ? `Ce numéro de demande a déjà un dossier : Task/${known.id}.`
        : 'Ce numéro de demande est déjà employé.',
      'ServiceRequest.identifier',
    );
  const {
    output: _output,
    restriction: _restriction,
    owner: _owner,
    extension: _extension,
    statusReason: _reason,
    ...kept
  } = task;
  const input = task.input?.filter((each) =>
    sendersInputs.some((item) => hasCode(each.type, codeSystem.caseItem, item)),
  );
  const establishment = await readEstablishment(tx, organization);
  const given: Task = { ...kept, ...(input?.length ? { input } : { input: undefined }) };
  // A draft is compared when it is sent.
  const doubts = draft ? [] : await doubtsAbout(tx, { serviceRequest: request, establishment, patient });
  const opened = await newCaseTask(shell, tx, {
    event: draft ? 'save' : 'submit',
    serviceRequest: request,
    establishment,
    draft: given,
    identity: identityFacts(doubts),
    missing: draft ? [] : await missingOf(tx, given, request, establishmentSettings(establishment)),
    times: request.authoredOn ? { requested: new Date(request.authoredOn) } : {},
  });
  const stored = await shell.writes.update(tx, opened);
  const events = [draft ? ('save' as const) : ('submit' as const)];
  await leaveProvenance(tx, stored, { events, actor: actorOf(tx), given: {}, platform: undefined });
  await raiseDoubts(shell, tx, stored, doubts);
  if (!draft) await attachWaiting(shell, tx, stored);
}

/** Whether a case is surely in the caller's sight, which a rule, whose own is the whole tenant, does not know: an app may see one patient only. */
function seesCase({ actor, establishments = [] }: Context, task: Task): boolean {
  return actor.client === undefined && labelsOf(task).some((each) => establishments.includes(each));
}
