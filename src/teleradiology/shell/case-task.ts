/** Elements of the case's Task as docs/fhir-conventions.md lays them out: read and written here, pure. */
import type { Extension, Task, TaskInput, TaskOutput } from '@medplum/fhirtypes';
import { type CaseState, type Milestone, stateDefinition } from '../case/index.ts';
import { type CaseItem, codeSystem, concept, hasCode, structureDefinition, type TaskCode } from '../codes.ts';

/** A stored case. */
export type CaseTask = Task & { id: string };

/** How images found their case (design §5 rule 5); `confirmed` when a person vouched for a provisional one. */
export type AttachmentBasis = 'study-uid' | 'accession-number' | 'placer-number' | 'provisional' | 'confirmed';

export function isTaskOf(task: Task, code: TaskCode): boolean {
  return hasCode(task.code, codeSystem.taskCode, code);
}

/** State of a case; undefined when its business status is not one of ours. */
export function stateOf(task: Task): CaseState | undefined {
  const code = task.businessStatus?.coding?.find((coding) => coding.system === codeSystem.caseStatus)?.code;
  return code === undefined ? undefined : stateDefinition(code)?.code;
}

export function withState<T extends Task>(task: T, state: CaseState): T {
  const definition = stateDefinition(state);
  if (definition === undefined) throw new Error(`no such state: ${state}`);
  const businessStatus = {
    coding: [{ system: codeSystem.caseStatus, code: state, display: definition.display }],
    text: definition.display,
  };
  return { ...task, status: definition.status, businessStatus };
}

const extensionOf = (task: Task, url: string): Extension | undefined =>
  task.extension?.find((extension) => extension.url === url);

function withExtension<T extends Task>(task: T, extension: Extension): T {
  const others = (task.extension ?? []).filter((candidate) => candidate.url !== extension.url);
  return { ...task, extension: [...others, extension] };
}

/** Milestones passed, with their time. */
export function milestonesOf(task: Task): Map<Milestone, Date> {
  const parts = extensionOf(task, structureDefinition.milestones)?.extension ?? [];
  return new Map(parts.map((each) => [each.url as Milestone, new Date(each.valueDateTime ?? '')]));
}

/** Adds milestones; one that was passed keeps its first time. */
export function withMilestones<T extends Task>(task: T, passed: ReadonlyMap<Milestone, Date>): T {
  const all = new Map([...passed, ...milestonesOf(task)]);
  if (all.size === 0) return task;
  const parts = [...all].map(([url, time]): Extension => ({ url, valueDateTime: time.toISOString() }));
  return withExtension(task, { url: structureDefinition.milestones, extension: parts });
}

export function basisOf(task: Task): AttachmentBasis | undefined {
  return extensionOf(task, structureDefinition.attachmentBasis)?.valueCode as AttachmentBasis | undefined;
}

export function withBasis<T extends Task>(task: T, basis: AttachmentBasis | undefined): T {
  const url = structureDefinition.attachmentBasis;
  if (basis !== undefined) return withExtension(task, { url, valueCode: basis });
  const extension = task.extension?.filter((candidate) => candidate.url !== url);
  if (extension?.length) return { ...task, extension };
  const { extension: _none, ...rest } = task;
  return rest as T;
}

export function withImageCount<T extends Task>(task: T, instances: number): T {
  return withExtension(task, { url: structureDefinition.imageCount, valueInteger: instances });
}

export function imageCountOf(task: Task): number {
  return extensionOf(task, structureDefinition.imageCount)?.valueInteger ?? 0;
}

const itemType = (item: CaseItem) => concept(codeSystem.caseItem, item);
const isItem = (each: TaskInput | TaskOutput, item: CaseItem): boolean => hasCode(each.type, codeSystem.caseItem, item);

export function inputsOf(task: Task, item: CaseItem): TaskInput[] {
  return task.input?.filter((each) => isItem(each, item)) ?? [];
}

export function outputsOf(task: Task, item: CaseItem): TaskOutput[] {
  return task.output?.filter((each) => isItem(each, item)) ?? [];
}

export function withInput<T extends Task>(task: T, item: CaseItem, value: Omit<TaskInput, 'type'>): T {
  return { ...task, input: [...(task.input ?? []), { ...value, type: itemType(item) }] };
}

export function withOutput<T extends Task>(task: T, item: CaseItem, value: Omit<TaskOutput, 'type'>): T {
  return { ...task, output: [...(task.output ?? []), { ...value, type: itemType(item) }] };
}

/** Adds an output that points to a resource, once. */
export function withOutputReference<T extends Task>(task: T, item: CaseItem, reference: string): T {
  const there = outputsOf(task, item).some((each) => each.valueReference?.reference === reference);
  return there ? task : withOutput(task, item, { valueReference: { reference } });
}

export function withoutOutputs<T extends Task>(task: T, item: CaseItem, keep?: (each: TaskOutput) => boolean): T {
  const output = task.output?.filter((each) => !isItem(each, item) || keep?.(each) === true);
  if (output?.length) return { ...task, output };
  const { output: _none, ...rest } = task;
  return rest as T;
}

/** Id part of a literal reference to this type. */
export function idOf(reference: { reference?: string } | undefined, type: string): string | undefined {
  const match = /^([A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(\/_history\/\w+)?$/.exec(reference?.reference ?? '');
  return match?.[1] === type ? match[2] : undefined;
}

/** Announced by flow 4: Study Instance UIDs of the exam. */
export function announcedStudies(task: Task): string[] {
  return inputsOf(task, 'study').flatMap((each) => each.valueIdentifier?.value?.replace(/^urn:oid:/, '') ?? []);
}
