/** What decides which clause a clock of a case runs under: acts, urgency, setting (WF-3). */
import type { CodeableConcept, Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { imagesComplete } from '../case/index.ts';
import { passerelle } from '../codes.ts';
import type { ActCode, Setting } from '../contract-terms/index.ts';
import { idOf, inputsOf, outputsOf } from './case-task.ts';
import type { CaseView } from './case-view.ts';

/** The kind of case (`Task.code`), acts as requested and, once flow 4 came, as done: a contract's clause may name any of them. */
export async function actsOf(tx: FhirTransaction, task: Task): Promise<ActCode[]> {
  const id = idOf(task.focus, 'ServiceRequest');
  const request = id === undefined ? undefined : await tx.whole.find('ServiceRequest', id);
  const done = inputsOf(task, 'act').map(({ valueCodeableConcept }) => valueCodeableConcept);
  return [task.code, request?.code, ...done].flatMap(codesOf);
}

/** Category of the critical results nobody has said back yet, as a clause names it; none for the most pressing, which is the rule. */
export async function criticalCategoriesOf(tx: FhirTransaction, task: Task): Promise<ActCode[]> {
  const found: ActCode[] = [];
  for (const { valueReference } of outputsOf(task, 'alert')) {
    const id = idOf(valueReference, 'Task');
    const alert = id === undefined ? undefined : await tx.whole.find('Task', id);
    if (alert?.status === 'requested' || alert?.status === 'in-progress')
      found.push(
        ...inputsOf(alert, 'critical-category').flatMap(({ valueCodeableConcept }) => codesOf(valueCodeableConcept)),
      );
  }
  return found.some(({ code }) => code === 'immediate') ? [] : found;
}

function codesOf(concept: CodeableConcept | undefined): ActCode[] {
  return (concept?.coding ?? []).flatMap(({ system, code }) =>
    system === undefined || code === undefined ? [] : { system, code },
  );
}

/** PV1-2: E emergency, I in-patient, O out-patient, R recurring; undefined for N and for what nobody said. */
export function settingOf(task: Task): Setting | undefined {
  switch (inputsOf(task, 'encounter-class')[0]?.valueCode) {
    case 'E':
      return 'emergency';
    case 'I':
      return 'inpatient';
    case 'O':
    case 'R':
      return 'outpatient';
    default:
      return undefined;
  }
}

/**
 * When the images were transmitted: their last instance, an urgent case's first complete series; or flow 4 when it came later for an
 * establishment that sends one and a case that waited for it. Without images, when the request came.
 */
export function transmissionOf(task: Task, view: CaseView, now: Date): Date {
  const series = view.studies.flatMap((link) => Object.values(link.series).map(({ at }) => Date.parse(at)));
  if (series.length === 0) return now;
  const complete = imagesComplete(view.facts);
  const images = complete ? Math.max(...series) : Math.min(...series);
  const told = view.facts.flow4Expected && complete ? examToldAt(task) : undefined;
  return new Date(told === undefined ? images : Math.max(images, told.getTime()));
}

/** When flow 4 came: sub-extension of the input `act`. */
export const flow4Received = `${passerelle}/StructureDefinition/received-at`;

function examToldAt(task: Task): Date | undefined {
  const told = inputsOf(task, 'act').map(
    (each) => each.extension?.find(({ url }) => url === flow4Received)?.valueDateTime,
  );
  return told[0] === undefined ? undefined : new Date(told[0]);
}
