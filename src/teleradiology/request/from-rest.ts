/** A request over FHIR REST (IN-1): a Task `teleradiology-case` with its ServiceRequest becomes a case through the same machine. */
import type { ServiceRequest, Task } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { codeSystem, hasCode } from '../codes.ts';
import { attachWaiting } from '../images/attach.ts';
import { idOf, stateOf } from '../shell/case-task.ts';
import type { Shell } from '../shell/perform.ts';
import { caseOfPlacer, newCaseTask, placerOf, readEstablishment } from './open-case.ts';

/** Inputs that a sender may set. */
const sendersInputs = ['encounter-class', 'callback', 'appointment', 'wanted-performer'];

/** Tasks posted before their ServiceRequest in one transaction: opened when it comes, refused at commit when it does not. */
export interface PendingRequests {
  /** Opens the case, or remembers it. */
  posted(tx: FhirTransaction, task: Task & { id: string }): Promise<void>;
  requestCreated(tx: FhirTransaction, request: ServiceRequest & { id: string }): Promise<void>;
  /** @throws FhirError 422 for a Task whose ServiceRequest never came. */
  checkNoneLeft(tx: FhirTransaction): void;
}

export function createPendingRequests(shell: Shell): PendingRequests {
  const waiting = new WeakMap<FhirTransaction, Map<string, Task & { id: string }>>();
  return {
    async posted(tx, task) {
      const id = requestOf(task);
      const request = await tx.find('ServiceRequest', id);
      if (request !== undefined) return open(shell, tx, task, request as ServiceRequest & { id: string });
      waiting.set(tx, (waiting.get(tx) ?? new Map()).set(id, task));
    },
    async requestCreated(tx, request) {
      const task = waiting.get(tx)?.get(request.id);
      if (task === undefined) return;
      waiting.get(tx)?.delete(request.id);
      await open(shell, tx, task, request);
    },
    checkNoneLeft(tx) {
      if (waiting.get(tx)?.size)
        throw new FhirError(422, 'not-found', 'La demande (ServiceRequest) du dossier est introuvable.', 'Task.focus');
    },
  };
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

async function open(
  shell: Shell,
  tx: FhirTransaction,
  task: Task & { id: string },
  request: ServiceRequest & { id: string },
): Promise<void> {
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
  if (idOf(request.subject, 'Patient') === undefined)
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
  await tx.lock(`placer:${placer.system ?? ''}|${placer.value}`);
  const known = await caseOfPlacer(tx, placer);
  if (known !== undefined && known.id !== task.id)
    throw new FhirError(
      409,
      'duplicate',
      `Ce numéro de demande a déjà un dossier : Task/${known.id}.`,
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
  const opened = await newCaseTask(shell, tx, {
    event: draft ? 'save' : 'submit',
    serviceRequest: request,
    establishment: await readEstablishment(tx, organization),
    draft: { ...kept, ...(input?.length ? { input } : { input: undefined }) },
    problems: [],
    times: request.authoredOn ? { requested: new Date(request.authoredOn) } : {},
  });
  const stored = await shell.writes.update(tx, opened);
  if (!draft) await attachWaiting(shell, tx, stored);
}
