import type { Bundle, Task } from '@medplum/fhirtypes';
import type { Caller } from './people.ts';

/** Every resource of the case as one collection. */
export async function wholeCase(reader: Caller, task: Task): Promise<Bundle> {
  const reference = `Task/${task.id}`;
  const bundles = await Promise.all([
    reader.bundle('Task', { _id: task.id ?? '', _include: 'Task:patient', '_include:iterate': 'Task:focus' }),
    reader.bundle('Task', { 'part-of': reference }),
    reader.bundle('DocumentReference', { related: reference }),
    reader.bundle('DiagnosticReport', { 'based-on': task.focus?.reference ?? '' }),
    reader.bundle('ImagingStudy', { patient: task.for?.reference ?? '' }),
    reader.bundle('Observation', { patient: task.for?.reference ?? '' }),
    reader.bundle('Provenance', { patient: task.for?.reference ?? '' }),
  ]);
  const seen = new Map(bundles.flatMap((bundle) => bundle.entry ?? []).map((entry) => [entry.fullUrl ?? '', entry]));
  return {
    resourceType: 'Bundle',
    type: 'collection',
    timestamp: new Date().toISOString(),
    entry: [...seen.values()].map(({ fullUrl, resource }) => ({ fullUrl, resource })),
  };
}
