/** Flow 1: a request becomes a case; the same placer number is the same case (IN-2, idempotent). */
import type { Observation, Reference, ServiceRequest, Task } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction, identifierQuery } from '../../fhir/index.ts';
import { stateDefinition } from '../case/index.ts';
import type { IncomingRequest } from '../contract.ts';
import { doubtsAbout, identityFacts, raiseDoubts } from '../identity/at-opening.ts';
import { upsertOrganization, upsertPractitioner } from '../identity/parties.ts';
import { sharesNumber, upsertPatient } from '../identity/patient.ts';
import { attachWaiting } from '../images/attach.ts';
import { establishmentSettings, isLive } from '../settings.ts';
import { type CaseTask, idOf, stateOf, withInput } from '../shell/case-task.ts';
import { actorOf, type Shell } from '../shell/perform.ts';
import { leaveProvenance } from '../shell/provenance.ts';
import { tellChanges } from './changed-request.ts';
import { missingOf } from './completeness.ts';
import { caseOfPlacer, newCaseTask, placerOf, readEstablishment } from './open-case.ts';
import { missingText } from './required-items.ts';

export async function receiveRequest(
  shell: Shell,
  tx: FhirTransaction,
  request: IncomingRequest,
  establishmentId: string,
): Promise<{ task: Task; created: boolean; notice?: string }> {
  const placer = placerOf(request.serviceRequest);
  if (placer === undefined)
    throw new FhirError(
      422,
      'required',
      'La demande ne porte pas de numéro de demandeur (PLAC).',
      'ServiceRequest.identifier',
    );
  await tx.lock(`placer:${placer.system ?? ''}|${placer.value}`);
  const known = await caseOfPlacer(tx, placer);
  if (known !== undefined) return { task: await repeated(tx, known, request, establishmentId), created: false };
  const establishment = await readEstablishment(tx, establishmentId);
  // Refused before anything is stored, with the reason people need (IN-9).
  const settings = establishmentSettings(establishment);
  if (!isLive(settings, tx.context.now()))
    throw new FhirError(
      422,
      'business-rule',
      "Le service n'est pas ouvert pour cet établissement à cette date.",
      'Task.requester',
    );

  const { patient, problems } = await upsertPatient(tx, request.patient);
  const subject: Reference = { reference: `Patient/${patient.id}` };
  const sender = await upsertOrganization(tx, request.organization, establishment);
  const requester = await upsertPractitioner(tx, request.requester);
  const performer = request.wantedPerformer && (await upsertPractitioner(tx, request.wantedPerformer));
  const supporting: Reference[] = await storeObservations(tx, request.observations, subject);
  const appointment = request.appointment?.value
    ? await tx.search(
        'Appointment',
        `${identifierQuery(request.appointment.system, request.appointment.value)}&_count=2`,
      )
    : [];
  if (appointment[0]?.id) supporting.push({ reference: `Appointment/${appointment[0].id}` });
  if (sender !== establishmentId) supporting.push({ reference: `Organization/${sender}` });
  const serviceRequest = await tx.create<ServiceRequest>({
    ...request.serviceRequest,
    subject: subject as ServiceRequest['subject'],
    requester: { reference: `Practitioner/${requester.id}` },
    ...(performer ? { performer: [{ reference: `Practitioner/${performer.id}` }] } : {}),
    ...(supporting.length > 0
      ? { supportingInfo: [...(request.serviceRequest.supportingInfo ?? []), ...supporting] }
      : {}),
  });

  const given = inputs(request, performer?.id);
  const doubts = await doubtsAbout(tx, {
    serviceRequest,
    establishment,
    patient,
    received: { patient: request.patient, problems },
  });
  const missing = await missingOf(tx, given, serviceRequest, settings);
  const draft = await newCaseTask(shell, tx, {
    serviceRequest,
    establishment,
    draft: given,
    identity: identityFacts(doubts),
    missing,
    times: {
      ...(serviceRequest.authoredOn ? { requested: new Date(serviceRequest.authoredOn) } : {}),
      ...(request.transmittedAt ? { transmitted: request.transmittedAt } : {}),
    },
  });
  const task = await shell.writes.create(tx, draft);
  await leaveProvenance(tx, task, { events: ['submit'], actor: actorOf(tx), given: {}, platform: settings.platform });
  await raiseDoubts(shell, tx, task, doubts);
  const attached = await attachWaiting(shell, tx, task);
  return { task: attached, created: true, ...(missing.length > 0 ? { notice: missingText(missing) } : {}) };
}

/** The same number again: the same case, unless it is closed, or the number means somebody else. Other content is told. */
async function repeated(
  tx: FhirTransaction,
  known: CaseTask,
  request: IncomingRequest,
  establishmentId: string,
): Promise<CaseTask> {
  const state = stateOf(known);
  const patientId = idOf(known.for, 'Patient');
  const patient = patientId === undefined ? undefined : await tx.find('Patient', patientId);
  const samePatient = patient !== undefined && sharesNumber(patient, request.patient);
  if (!samePatient || idOf(known.requester, 'Organization') !== establishmentId)
    throw new FhirError(
      422,
      'conflict',
      "Ce numéro de demande désigne déjà la demande d'un autre patient ou d'un autre établissement.",
      'ServiceRequest.identifier',
    );
  if (state !== undefined && stateDefinition(state)?.final)
    throw new FhirError(
      422,
      'business-rule',
      `Ce numéro de demande désigne une demande close (${stateDefinition(state)?.display}) : une nouvelle demande porte un nouveau numéro.`,
      'ServiceRequest.identifier',
    );
  await tellChanges(tx, known, patient, request);
  return known;
}

async function storeObservations(
  tx: FhirTransaction,
  observations: readonly Observation[],
  subject: Reference,
): Promise<Reference[]> {
  const references: Reference[] = [];
  for (const observation of observations) {
    const stored = await tx.create<Observation>({ ...observation, subject: subject as Observation['subject'] });
    references.push({ reference: `Observation/${stored.id}` });
  }
  return references;
}

/** Inputs of the case in the order of docs/fhir-conventions.md. */
function inputs(request: IncomingRequest, performerId: string | undefined): Task {
  let task: Task = { resourceType: 'Task', status: 'requested', intent: 'order' };
  if (request.encounterClass) task = withInput(task, 'encounter-class', { valueCode: request.encounterClass });
  if (request.callback) task = withInput(task, 'callback', { valueString: request.callback });
  if (request.appointment?.value) task = withInput(task, 'appointment', { valueIdentifier: request.appointment });
  if (performerId)
    task = withInput(task, 'wanted-performer', { valueReference: { reference: `Practitioner/${performerId}` } });
  return task;
}
