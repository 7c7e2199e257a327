/**
 * Flow 1 again with other content: the volume has no message that changes a request, and the sender was told that we took it in
 * charge. The request stays as it was first sent; what it says now is told at once to whoever reads.
 */
import { createHash } from 'node:crypto';
import type { CodeableConcept, Communication, Observation, Patient, ServiceRequest } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { passerelle } from '../codes.ts';
import type { IncomingRequest } from '../contract.ts';
import { contradictions } from '../identity/compare-traits.ts';
import { traitText } from '../identity/traits.ts';
import { type CaseTask, idOf, inputsOf, stateOf } from '../shell/case-task.ts';
import { communication, responsible } from '../shell/communication.ts';

const changeSystem = `${passerelle}/sid/request-change`;
/** Longest quotation of one element. */
const quotedCharacters = 2_000;

/** Tells what a repeated request says otherwise than the stored one, once per content. */
export async function tellChanges(
  tx: FhirTransaction,
  task: CaseTask,
  patient: Patient,
  request: IncomingRequest,
): Promise<void> {
  const id = idOf(task.focus, 'ServiceRequest');
  const stored = id === undefined ? undefined : await tx.find('ServiceRequest', id);
  if (stored === undefined) return;
  const changes = changesOf(task, stored, await observationsOf(tx, stored), request);
  // A case on hold was told of its contradiction when it opened.
  const held = stateOf(task) === 'identity-hold';
  const traits = held ? [] : contradictions(patient, request.patient).map((trait) => traitText[trait]);
  if (traits.length > 0) changes.push(`Identité différente : ${traits.join(', ')}.`);
  if (changes.length === 0) return;
  const text = `La demande a été renvoyée sous le même numéro avec un autre contenu, à vérifier auprès du demandeur. ${changes.join(' ')}`;
  await tell(tx, task, text);
}

/** Tells what a client of the site wrote into the request of an open case by a plain update: whoever reads goes by it. */
export async function tellRewritten(
  tx: FhirTransaction,
  task: CaseTask,
  before: ServiceRequest,
  after: ServiceRequest,
): Promise<void> {
  const changes = sentences([['Acte', texts(given(before.code)), texts(given(after.code))], ...ordered(before, after)]);
  if (changes.length > 0) await tell(tx, task, `La demande a été modifiée par l’établissement. ${changes.join(' ')}`);
}

async function tell(tx: FhirTransaction, task: CaseTask, text: string): Promise<void> {
  const value = createHash('sha256').update(`${task.id} ${text}`).digest('hex');
  await tx.createIfNone<Communication>(
    communication(task, {
      category: 'request-changed',
      text,
      recipients: await responsible(tx, task),
      sent: tx.context.now(),
      urgent: true,
      identifier: { system: changeSystem, value },
    }),
    `identifier=${encodeURIComponent(`${changeSystem}|${value}`)}`,
  );
}

/** One French sentence for each element that differs, with what the repeated request says. */
function changesOf(
  task: CaseTask,
  stored: ServiceRequest,
  observations: readonly Observation[],
  request: IncomingRequest,
): string[] {
  const order = request.serviceRequest;
  return sentences([
    ...ordered(stored, order),
    ['Renseignements', observations.map(observationText).sort(), request.observations.map(observationText).sort()],
    ['Classe de la venue', given(inputsOf(task, 'encounter-class')[0]?.valueCode), given(request.encounterClass)],
    ['Rappel', given(inputsOf(task, 'callback')[0]?.valueString), given(request.callback)],
  ]);
}

/** Name of an element, what was said of it, what is said now. */
type Element = [name: string, before: string[], after: string[]];
type Order = Pick<ServiceRequest, 'reasonCode' | 'orderDetail' | 'bodySite' | 'note'>;

function ordered(before: Order, after: Order): Element[] {
  return [
    ['Justification', texts(before.reasonCode), texts(after.reasonCode)],
    ['Examen', texts(before.orderDetail), texts(after.orderDetail)],
    ['Région', texts(before.bodySite), texts(after.bodySite)],
    ['Précisions', (before.note ?? []).map((note) => note.text), (after.note ?? []).map((note) => note.text)],
  ];
}

function sentences(elements: readonly Element[]): string[] {
  return elements
    .filter(([, before, after]) => before.join('\n') !== after.join('\n'))
    .map(([name, , after]) => `${name} : ${after.length > 0 ? quoted(after) : 'plus rien'}.`);
}

async function observationsOf(tx: FhirTransaction, stored: ServiceRequest): Promise<Observation[]> {
  const found: Observation[] = [];
  for (const reference of stored.supportingInfo ?? []) {
    const id = idOf(reference, 'Observation');
    const observation = id === undefined ? undefined : await tx.find('Observation', id);
    if (observation) found.push(observation);
  }
  return found;
}

function observationText(observation: Observation): string {
  const { code, valueString, valueQuantity, valueCodeableConcept, interpretation } = observation;
  const value = valueQuantity
    ? [valueQuantity.value, valueQuantity.unit].join(' ').trim()
    : (valueString ?? texts(given(valueCodeableConcept)).join());
  return [`${texts([code]).join()} ${value}`, ...texts(interpretation)].join(', ');
}

function texts(concepts: readonly CodeableConcept[] | undefined): string[] {
  return (concepts ?? []).map(({ text, coding }) => text ?? coding?.[0]?.display ?? coding?.[0]?.code ?? '');
}

function given<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function quoted(values: readonly string[]): string {
  return `« ${values.join(' ; ').slice(0, quotedCharacters)} »`;
}
