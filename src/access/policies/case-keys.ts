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

/** Cases somebody reads or asked for, outside their own establishments. */
export async function tasksTakenPartIn(
  store: FhirStore,
  tenant: string,
  reference: string,
  establishments: readonly string[],
): Promise<Task[]> {
  if (!/^[A-Z]\w+\/[A-Za-z0-9.-]+$/.test(reference)) return [];
  const own = establishments.map((id) => `${establishmentSystem}|${id}`).join(',');
  const outside = own === '' ? '' : `&_security:not=${encodeURIComponent(own)}`;
  return store.search(tenant, 'Task', `owner=${reference}${outside}&_sort=-_lastUpdated&_count=${casesAtMost}`);
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
  if ((type !== 'Task' && type !== 'ServiceRequest') || !id) return undefined;
  try {
    return (await store.read(tenant, type, id)) as R;
  } catch (error) {
    if (error instanceof FhirError && error.status < 500) return undefined;
    throw error;
  }
}
