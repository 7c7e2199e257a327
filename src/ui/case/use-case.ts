/** The open case and what is attached to it, asked again every few seconds; what hangs on its version follows it. */
import type { Bundle, DiagnosticReport, Parameters, Task } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import { found, literalReference, referencedId } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { FhirProblem } from '../fhir/problem.ts';
import { pollMs } from '../shell/query-client.ts';
import { itemOf } from './case-facts.ts';

const includes =
  '_include=Task:patient&_include=Task:focus&_include=Task:requester&_include=Task:owner&_revinclude=Task:part-of';

export function useCase(id: string) {
  const { client } = useServices();
  return useQuery({
    queryKey: ['case', id],
    queryFn: async ({ signal }): Promise<Bundle> => {
      const bundle = await client.search('Task', `_id=${encodeURIComponent(id)}&${includes}`, signal);
      if (
        !found(bundle)
          .all('Task')
          .some((task) => task.id === id)
      )
        throw new FhirProblem(404, []);
      return bundle;
    },
    refetchInterval: pollMs,
  });
}

/** Operations legal now for the person connected. */
export function useTransitions(task: Task) {
  const { client } = useServices();
  return useQuery({
    queryKey: ['transitions', task.id, task.meta?.versionId],
    queryFn: async ({ signal }): Promise<string[]> => {
      const answer = await client.ask<Parameters>(`Task/${task.id}/$transitions`, signal);
      return (answer.parameter ?? [])
        .filter((one) => one.name === 'transition')
        .map((one) => one.valueCode ?? one.valueString ?? '');
    },
    placeholderData: (previous, query) => (query?.queryKey[1] === task.id ? previous : undefined),
  });
}

/** What came with the request: observations, files, the people who asked, the studies. */
export function useRequestFile(task: Task) {
  const { client } = useServices();
  const patient = literalReference(task.for);
  const request = referencedId('ServiceRequest', task.focus ?? task.basedOn?.[0]);
  return useQuery({
    queryKey: ['request-file', task.id, patient, request, task.meta?.versionId],
    queryFn: async ({ signal }) => {
      const [requester, observations, documents, studies] = await Promise.all([
        request
          ? client.search('ServiceRequest', `_id=${request}&_include=ServiceRequest:requester`, signal)
          : undefined,
        patient ? client.search('Observation', `patient=${patient}&_sort=-date&_count=100`, signal) : undefined,
        patient ? client.search('DocumentReference', `patient=${patient}&_sort=-date&_count=100`, signal) : undefined,
        patient ? client.search('ImagingStudy', `patient=${patient}&_sort=-started&_count=50`, signal) : undefined,
      ]);
      return {
        requester: found(requester).all('Practitioner')[0],
        observations: found(observations).all('Observation'),
        documents: found(documents).all('DocumentReference'),
        studies: found(studies).all('ImagingStudy'),
      };
    },
    placeholderData: (previous, query) => (query?.queryKey[1] === task.id ? previous : undefined),
  });
}

/** The case's report, draft or signed; null while there is none. */
export function useReport(task: Task) {
  const { client } = useServices();
  const id = referencedId('DiagnosticReport', itemOf(task.output, 'report')?.valueReference);
  return useQuery({
    queryKey: ['report', task.id, id, task.meta?.versionId],
    queryFn: async ({ signal }): Promise<DiagnosticReport | null> => {
      if (id) return client.read('DiagnosticReport', id, signal);
      const request = literalReference(task.focus);
      if (!request) return null;
      const drafts = await client.search(
        'DiagnosticReport',
        `based-on=${request}&_sort=-_lastUpdated&_count=1`,
        signal,
      );
      return found(drafts).all('DiagnosticReport')[0] ?? null;
    },
    refetchOnMount: 'always',
    placeholderData: (previous, query) => (query?.queryKey[1] === task.id ? previous : undefined),
  });
}
