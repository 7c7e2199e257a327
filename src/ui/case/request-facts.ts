/** What the request says, out of its resources, for the « demande » panel and for the first draft of the report. */
import type { DocumentReference, Observation, ServiceRequest, Task } from '@medplum/fhirtypes';
import { literalReference } from '../fhir/bundle.ts';
import { itemsOf } from './case-facts.ts';
import { conceptText, type Exam } from './exam.ts';

/** Why the exam is asked for (OBR-13 of the request). */
export function justificationOf(request: ServiceRequest | undefined): string | undefined {
  return joined((request?.reasonCode ?? []).map(conceptText), '\n');
}

/** What the exam is for, and other remarks. */
export function purposeOf(request: ServiceRequest | undefined): string | undefined {
  return joined(
    (request?.note ?? []).map((note) => note.text),
    '\n',
  );
}

/** Details of the order beyond the modality, which the exam's name says already. */
export function detailsOf(request: ServiceRequest | undefined, exam: Exam): string | undefined {
  const texts = (request?.orderDetail ?? []).map(conceptText).filter((text) => text !== undefined);
  return joined(
    texts.filter((text) => text !== exam.modalityName && text !== exam.modality),
    ', ',
  );
}

/** Observations of this request: those it names or that name it. */
export function observationsOf(
  request: ServiceRequest | undefined,
  observations: readonly Observation[],
): Observation[] {
  const named = new Set((request?.supportingInfo ?? []).map(literalReference));
  return observations.filter(
    (one) =>
      named.has(`Observation/${one.id}`) ||
      one.basedOn?.some(
        (reference) => request?.id !== undefined && literalReference(reference) === `ServiceRequest/${request.id}`,
      ),
  );
}

export function observationValue(observation: Observation): string {
  const quantity = observation.valueQuantity;
  if (quantity?.value !== undefined)
    return `${quantity.value.toLocaleString('fr-FR')} ${quantity.unit ?? quantity.code ?? ''}`.trim();
  if (observation.valueBoolean !== undefined) return observation.valueBoolean ? 'oui' : 'non';
  const weight = joined((observation.interpretation ?? []).map(conceptText), ', ');
  const text =
    observation.valueString ??
    conceptText(observation.valueCodeableConcept) ??
    observation.valueDateTime ??
    'non renseigné';
  return weight ? `${text} (${weight})` : text;
}

const observationNames: Readonly<Record<string, string>> = {
  '8302-2': 'Taille',
  '3137-7': 'Taille',
  '29463-7': 'Poids',
  '3142-7': 'Poids',
  '82810-3': 'Grossesse',
  '11449-6': 'Grossesse',
  '11322-5': 'Antécédents',
};

export function observationName(observation: Observation): string {
  const known = observation.code.coding
    ?.map((one) => observationNames[one.code ?? ''])
    .find((name) => name !== undefined);
  return known ?? conceptText(observation.code) ?? 'Observation';
}

/** Files that came with the request: documents about the case that the platform did not make. */
export function attachmentsOf(
  task: Task,
  request: ServiceRequest | undefined,
  documents: readonly DocumentReference[],
): DocumentReference[] {
  const made = new Set(itemsOf(task.output, 'document').map((one) => literalReference(one.valueReference)));
  const named = new Set((request?.supportingInfo ?? []).map(literalReference));
  return documents.filter((one) => {
    const reference = `DocumentReference/${one.id}`;
    const about = one.context?.related?.some((related) => literalReference(related) === `Task/${task.id}`) === true;
    return !made.has(reference) && (named.has(reference) || about);
  });
}

function joined(parts: readonly (string | undefined)[], separator: string): string | undefined {
  const text = parts.filter((part) => part).join(separator);
  return text === '' ? undefined : text;
}
