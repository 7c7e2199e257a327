/** Search values that find what belongs to one case or one patient, for who sees it although it is of another establishment. */
import type { DiagnosticReport, ServiceRequest, Task } from '@medplum/fhirtypes';
import { establishmentSystem, FhirError, type FhirStore, type RowScope } from '../../fhir/index.ts';

type Key = RowScope['keys'][number];

/** One case, or everything of one patient. */
export interface OpenedRecord {
  task?: Task;
  /** `Task/[id]` or `Patient/[id]`. */
  reference?: string;
}

const casesAtMost = 50;
const reportsAtMost = 100;

/** Establishments (Organization ids) of somebody. */
export interface Places {
  /** All of theirs is seen anyway. */
  accepting: readonly string[];
  /** Of these, only what they answer for. */
  excluded: ReadonlySet<string>;
}

/** Cases somebody reads or asked for, outside the establishments that accept them. */
export async function tasksTakenPartIn(
  store: FhirStore,
  tenant: string,
  reference: string,
  { accepting, excluded }: Places,
): Promise<Task[]> {
  if (!/^[A-Z]\w+\/[A-Za-z0-9.-]+$/.test(reference)) return [];
  const own = accepting.map((id) => `${establishmentSystem}|${id}`).join(',');
  const outside = own === '' ? '' : `&_security:not=${encodeURIComponent(own)}`;
  const query = `owner=${reference}${outside}&_sort=-_lastUpdated&_count=${casesAtMost}`;
  const tasks = await store.search(tenant, 'Task', query);
  const isOfExcluding = ({ meta }: Task) =>
    meta?.security?.some(({ system, code }) => system === establishmentSystem && excluded.has(code ?? '')) ?? false;
  const kept: Task[] = [];
  for (const task of tasks) if (!isOfExcluding(task) || (await isSigned(store, tenant, task))) kept.push(task);
  return kept;
}

/** Statuses of a report that somebody signed, withdrawn since or not. */
export const signedStatuses: readonly DiagnosticReport['status'][] = [
  ...(['final', 'amended', 'corrected', 'appended', 'entered-in-error'] as const),
];

/** Whether the report of the case was signed; of a part of it (a second reading), whether that is over as well. */
async function isSigned(store: FhirStore, tenant: string, task: Task): Promise<boolean> {
  const whole = task.partOf?.[0]?.reference;
  if (whole !== undefined && task.status !== 'completed') return false;
  const root = whole === undefined ? task : await found<Task>(store, tenant, whole);
  for (const { valueReference } of root?.output ?? []) {
    const reference = valueReference?.reference ?? '';
    if (!reference.startsWith('DiagnosticReport/')) continue;
    const report = await found<DiagnosticReport>(store, tenant, reference);
    if (report !== undefined && signedStatuses.includes(report.status)) return true;
  }
  return false;
}

export async function recordKeys(store: FhirStore, tenant: string, record: OpenedRecord): Promise<Key[]> {
  const { reference } = record;
  if (reference?.startsWith('Patient/')) return patientKeys(store, tenant, reference);
  const task = record.task ?? (await found<Task>(store, tenant, reference ?? ''));
  return task ? caseKeys(store, tenant, task) : [];
}

/** The case, its request, its patient's identity, and what refers to them as parts of the case. */
async function caseKeys(store: FhirStore, tenant: string, task: Task): Promise<Key[]> {
  const self = `Task/${task.id}`;
  const request = task.focus?.reference ?? '';
  const asked = await found<ServiceRequest>(store, tenant, request);
  const alone = [self, request, task.for?.reference, task.encounter?.reference, asked?.encounter?.reference];
  const reports = (task.output ?? []).flatMap(({ valueReference }) => valueReference?.reference ?? []);
  return [
    ...alone.flatMap((reference) => (reference ? [{ parameter: '_id', value: reference }] : [])),
    ...of(['part-of', 'related', 'focus'], self),
    ...of(['based-on', 'basedon', 'focus', 'related', 'request'], request),
    ...reports.flatMap((report) => of(['security-context', 'target', 'related'], report)),
  ];
}

async function patientKeys(store: FhirStore, tenant: string, patient: string): Promise<Key[]> {
  const reports: DiagnosticReport[] = await store.search(
    tenant,
    'DiagnosticReport',
    `patient=${patient}&_sort=-_lastUpdated&_count=${reportsAtMost}`,
  );
  return [
    ...of(['_id', 'patient', 'subject'], patient),
    ...reports.flatMap(({ id }) => of(['security-context', 'target'], `DiagnosticReport/${id}`)),
  ];
}

function of(parameters: readonly string[], reference: string): Key[] {
  return reference === '' ? [] : parameters.map((parameter) => ({ parameter, value: reference }));
}

async function found<R>(store: FhirStore, tenant: string, reference: string): Promise<R | undefined> {
  const [type, id] = reference.split('/');
  if ((type !== 'Task' && type !== 'ServiceRequest' && type !== 'DiagnosticReport') || !id) return undefined;
  try {
    return (await store.read(tenant, type, id)) as R;
  } catch (error) {
    if (error instanceof FhirError && error.status < 500) return undefined;
    throw error;
  }
}
