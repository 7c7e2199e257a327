/** What a case Task says (docs/fhir-conventions.md, "The case"), read once into plain values. */
import type { Extension, Task, TaskInput, TaskOutput } from '@medplum/fhirtypes';
import { extensions, systems } from '../fhir/systems.ts';
import { type Kind, kindOf } from '../words/kinds.ts';
import { type OwedClock, owedClock, readingClock } from './clocks.ts';

export interface CaseFacts {
  id: string;
  version: string | undefined;
  number: string | undefined;
  placerNumber: string | undefined;
  /** Code of CodeSystem case-status. */
  state: string;
  /** Which remote act it is. */
  kind: Kind;
  urgent: boolean;
  deadline: Date | undefined;
  clockStarted: Date | undefined;
  /** What is counted down now, the reading or something else that somebody owes. */
  owed: OwedClock | undefined;
  /** Set by the platform when the legal deadline passed before the report was there. */
  late: boolean;
  receivedAt: Date | undefined;
  imageCount: number;
  attachmentBasis: string | undefined;
  encounterClass: string | undefined;
  callback: string | undefined;
  statusReason: string | undefined;
  /** Protocol texts, in the order given. */
  protocols: string[];
}

export function caseFacts(task: Task): CaseFacts {
  const clock = readingClock(task);
  return {
    id: task.id ?? '',
    version: task.meta?.versionId,
    number: task.identifier?.find((one) => one.system === systems.caseNumber)?.value,
    placerNumber: task.groupIdentifier?.value,
    state: task.businessStatus?.coding?.find((one) => one.system === systems.caseStatus)?.code ?? task.status ?? 'sent',
    kind: kindOf(task.code),
    urgent: task.priority !== 'routine',
    deadline: dateOf(task.restriction?.period?.end),
    clockStarted: clock?.started,
    owed: owedClock(task),
    late: clock?.late === true,
    receivedAt: dateOf(task.authoredOn),
    imageCount: extensionOf(task.extension, extensions.imageCount)?.valueInteger ?? 0,
    attachmentBasis: extensionOf(task.extension, extensions.attachmentBasis)?.valueCode,
    encounterClass: itemOf(task.input, 'encounter-class')?.valueCode,
    callback: itemOf(task.input, 'callback')?.valueString,
    statusReason: task.statusReason?.text,
    protocols: itemsOf(task.output, 'protocol').flatMap((one) => (one.valueString ? [one.valueString] : [])),
  };
}

/** Inputs or outputs of one kind of CodeSystem case-item. */
export function itemsOf<I extends TaskInput | TaskOutput>(items: readonly I[] | undefined, code: string): I[] {
  return (items ?? []).filter((one) => one.type?.coding?.some((coding) => coding.code === code));
}

export function itemOf<I extends TaskInput | TaskOutput>(items: readonly I[] | undefined, code: string): I | undefined {
  return itemsOf(items, code)[0];
}

export function extensionOf(list: readonly Extension[] | undefined, url: string): Extension | undefined {
  return list?.find((one) => one.url === url);
}

function dateOf(value: string | undefined): Date | undefined {
  if (value === undefined) return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
