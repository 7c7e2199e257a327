/** One case as the people of a scenario see it over FHIR, and what can be checked of it from outside. */
import type { AuditEvent, Communication, Parameters, Resource, Task } from '@medplum/fhirtypes';
import { caseState } from '../people.ts';
import { expect, until } from '../steps.ts';
import type { Login } from './cast.ts';
import type { Exam } from './hospital.ts';
import type { Stage } from './stage.ts';
import { clockTime } from './timeline.ts';

const waitMs = 30_000;
/** Every question is in the audit trail. */
const askEveryMs = 250;
const base = 'https://fhir.passerelle.example';

type Parts = NonNullable<Parameters['parameter']>;

export interface FollowedCase {
  placerNumber: string;
  /** The case's Task as it is now, read by the coordinator, who sees every case. */
  read(): Promise<Task>;
  /** Waits until the case is in this state. @returns evidence. */
  is(state: string): Promise<string>;
  /** Somebody carries out an operation on the case. */
  operate(login: Login, name: string, parameters?: Parts): Promise<Resource>;
  /** Somebody tries to. @returns what they read. @throws Error unless refused with this status, by this guard if one is named. */
  refused(login: Login, name: string, parameters: Parts, status: number, guard?: string): Promise<string>;
  /** Messages about the case of this category, oldest first. */
  told(category: string): Promise<Communication[]>;
  /** Waits until there are so many. @throws Error when there are more. */
  toldTimes(category: string, times: number): Promise<Communication[]>;
  /** Tasks that are part of the case. */
  children(code: string): Promise<Task[]>;
  /** Operations carried out on the case, in order, as `login $operation`. */
  trail(): Promise<string[]>;
}

/** A case read from the images of an exam. */
export interface FollowedExam extends FollowedCase {
  exam: Exam;
}

export async function followExam(stage: Stage, exam: Exam): Promise<FollowedExam> {
  return { ...(await followCase(stage, exam.exam.placerNumber)), exam };
}

/** Finds the case of a request. @throws Error when there is none, or more than one. */
export async function followCase(stage: Stage, placerNumber: string): Promise<FollowedCase> {
  const coordinator = () => stage.cast.person('coordonnateur');
  const found = (await (await coordinator()).search<Task>('Task', { code: 'teleradiology-case' })).filter(
    (task) => task.groupIdentifier?.value === placerNumber,
  );
  expect(found.length === 1, `${found.length} dossiers pour ${placerNumber} au lieu d’un`);
  const id = found[0]?.id ?? '';
  const read = async () => (await coordinator()).read<Task>('Task', id);
  const operate: FollowedCase['operate'] = async (login, name, parameters) =>
    (await stage.cast.person(login)).operation({ resourceType: 'Task', id } as Task, name, parameters);
  const told: FollowedCase['told'] = async (category) => {
    const all = await (await coordinator()).search<Communication>('Communication', { category, _count: '100' });
    return all
      .filter(({ about }) => about?.some(({ reference }) => reference === `Task/${id}`))
      .sort((one, other) => (one.sent ?? '').localeCompare(other.sent ?? ''));
  };
  return {
    placerNumber,
    read,
    operate,
    told,
    async is(state) {
      let last = '';
      const task = await until(
        `le dossier à l’état ${state}`,
        waitMs,
        async () => {
          const current = await read();
          last = caseState(current);
          return last === state ? current : undefined;
        },
        askEveryMs,
      ).catch((error: Error) => {
        throw new Error(`${error.message} ; il est ${last}`);
      });
      return `dossier « ${task.businessStatus?.text ?? state} »`;
    },
    async refused(login, name, parameters, status, guard) {
      const answer = await operate(login, name, parameters).then(
        () => undefined,
        (error: Refused) => error.response,
      );
      expect(answer, `$${name} a été accepté`);
      const issue = answer.data?.issue?.[0];
      const by = issue?.details?.coding?.[0]?.code;
      const said = `${answer.status} ${by ?? ''} ${issue?.details?.text ?? issue?.diagnostics ?? ''}`;
      expect(answer.status === status && (guard === undefined || by === guard), `$${name} a reçu ${said}`);
      return `${status} : ${issue?.details?.text ?? issue?.diagnostics ?? ''}`;
    },
    async toldTimes(category, times) {
      const all = await until(
        `${times} messages ${category}`,
        waitMs,
        async () => {
          const now = await told(category);
          return now.length >= times ? now : undefined;
        },
        askEveryMs,
      );
      expect(all.length === times, `${all.length} messages ${category} au lieu de ${times}`);
      return all;
    },
    children: async (code) =>
      (await (await coordinator()).search<Task>('Task', { 'part-of': `Task/${id}`, code, _count: '100' })).sort(
        (one, other) => (one.authoredOn ?? '').localeCompare(other.authoredOn ?? ''),
      ),
    async trail() {
      const auditor = await stage.cast.person('auditeur');
      const events = await auditor.search<AuditEvent>('AuditEvent', {
        entity: `Task/${id}`,
        subtype: 'operation',
        _count: '500',
        _sort: 'date',
      });
      return events.map(trailLine).filter((line) => line !== undefined);
    },
  };
}

/** A message with the clock time it was sent. */
export function quote(message: Communication): string {
  const text = message.payload?.map(({ contentString }) => contentString).join(' ') ?? '';
  return `${clockTime(new Date(message.sent ?? 0))} « ${text} »`;
}

/** @param recipient all of them, separated by commas. @throws Error unless the message goes there alone. @returns the message as evidence. */
export function reaches(message: Communication | undefined, recipient: string): string {
  expect(message, 'pas de message');
  const recipients = (message.recipient ?? []).map(({ reference }) => reference ?? '');
  expect(recipients.join() === recipient, `envoyé à ${recipients.join(', ')} au lieu de ${recipient}`);
  return `${quote(message)} à ${recipient}`;
}

/** Instants of the case's milestones (WF-2), by name. */
export function milestones(task: Task): ReadonlyMap<string, Date> {
  const parts = task.extension?.find(({ url }) => url === `${base}/StructureDefinition/case-milestones`)?.extension;
  return new Map((parts ?? []).map(({ url, valueDateTime }) => [url, new Date(valueDateTime ?? '')]));
}

/** @throws Error unless the case has them all, in this order. @returns evidence. */
export function inOrder(task: Task, names: readonly string[]): string {
  const passed = milestones(task);
  const missing = names.filter((name) => !passed.has(name));
  expect(missing.length === 0, `il manque les jalons ${missing.join(', ')}`);
  const times = names.map((name) => passed.get(name)?.getTime() ?? 0);
  expect(
    times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0)),
    `jalons dans le désordre : ${names.map((name) => `${name} ${passed.get(name)?.toISOString()}`).join(', ')}`,
  );
  return names.map((name) => `${name} ${clockTime(passed.get(name) ?? new Date(0))}`).join(', ');
}

/** The last run of a clock of the case (WF-3). */
export interface ClockRun {
  due: Date;
  late: boolean;
  stopped?: Date;
}

/** @throws Error when this clock never ran on the case. */
export function clockRun(task: Task, name: string): ClockRun {
  const runs = (task.extension ?? [])
    .filter(({ url }) => url === `${base}/StructureDefinition/clock`)
    .map(({ extension = [] }) => new Map(extension.map((part) => [part.url, part])))
    .filter((parts) => parts.get('name')?.valueCode === name);
  const run = runs.at(-1);
  expect(run, `l’horloge ${name} n’a jamais couru`);
  const stopped = run.get('stopped')?.valueDateTime;
  return {
    due: new Date(run.get('due')?.valueDateTime ?? ''),
    late: run.get('late')?.valueBoolean === true,
    ...(stopped ? { stopped: new Date(stopped) } : {}),
  };
}

/** Whole minutes between two milestones. */
export function minutesBetween(task: Task, from: string, to: string): number {
  const passed = milestones(task);
  return Math.round(((passed.get(to)?.getTime() ?? Number.NaN) - (passed.get(from)?.getTime() ?? Number.NaN)) / 60_000);
}

interface Refused {
  response?: {
    status: number;
    data?: { issue?: { diagnostics?: string; details?: { text?: string; coding?: { code?: string }[] } }[] };
  };
}

function trailLine(event: AuditEvent): string | undefined {
  const name = event.subtype
    ?.find(({ code }) => code?.startsWith('operation:Task/'))
    ?.code?.replace('operation:Task/', '');
  const login = event.agent.find(({ requestor }) => requestor)?.altId;
  return name && login && event.outcome === '0' ? `${login} ${name}` : undefined;
}
