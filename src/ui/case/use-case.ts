/** The open case and what is attached to it, asked again every few seconds; what hangs on its version follows it. */
import type { Bundle, DiagnosticReport, Parameters, Task } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import { found, literalReference, referencedId } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { FhirProblem } from '../fhir/problem.ts';
import { mayRead, taskIncludes } from '../session/rights.ts';
import { hasRole } from '../session/session.ts';
import { useSession } from '../session/session-context.tsx';
import { useAllowedSearch } from '../session/use-allowed-search.ts';
import { usePulse, wholeMs } from '../shell/use-pulse.ts';
import { caseFacts, itemOf, itemsOf } from './case-facts.ts';
import { transitionsOf } from './transitions.ts';

export function useCase(id: string) {
  const { client } = useServices();
  const session = useSession();
  const criteria = `_id=${encodeURIComponent(id)}`;
  const query = useQuery({
    queryKey: ['case', id],
    queryFn: async ({ signal }): Promise<Bundle> => {
      const bundle = await client.search(
        'Task',
        `${criteria}&${taskIncludes(session)}&_revinclude=Task:part-of`,
        signal,
      );
      if (
        !found(bundle)
          .all('Task')
          .some((task) => task.id === id)
      )
        throw new FhirProblem(404, []);
      return bundle;
    },
    refetchInterval: wholeMs,
  });
  usePulse(criteria, query.data, () => void query.refetch());
  return query;
}

/** What the person connected may do now. */
export function useTransitions(task: Task) {
  const { client } = useServices();
  return useQuery({
    queryKey: ['transitions', task.id, task.meta?.versionId],
    queryFn: async ({ signal }) => transitionsOf(await client.ask<Parameters>(`Task/${task.id}/$transitions`, signal)),
    placeholderData: (previous, query) => (query?.queryKey[1] === task.id ? previous : undefined),
  });
}

/** What came with the request: observations, files, the people who asked, the studies. */
export function useRequestFile(task: Task) {
  const search = useAllowedSearch();
  const patient = literalReference(task.for);
  const request = referencedId('ServiceRequest', task.focus ?? task.basedOn?.[0]);
  const studies = itemsOf(task.output, 'imaging-study')
    .map((one) => literalReference(one.valueReference))
    .join(' ');
  return useQuery({
    // Not the version: images that arrive make one every second.
    queryKey: ['request-file', task.id, patient, request, studies],
    queryFn: async ({ signal }) => {
      const [requester, observations, documents, imaging] = await Promise.all([
        request ? search('ServiceRequest', `_id=${request}&_include=ServiceRequest:requester`, signal) : undefined,
        patient ? search('Observation', `patient=${patient}&_sort=-date&_count=100`, signal) : undefined,
        patient ? search('DocumentReference', `patient=${patient}&_sort=-date&_count=100`, signal) : undefined,
        patient ? search('ImagingStudy', `patient=${patient}&_sort=-started&_count=50`, signal) : undefined,
      ]);
      return {
        requester: found(requester).all('Practitioner')[0],
        observations: found(observations).all('Observation'),
        documents: found(documents).all('DocumentReference'),
        studies: found(imaging).all('ImagingStudy'),
      };
    },
    refetchInterval: 2 * wholeMs,
    placeholderData: (previous, query) => (query?.queryKey[1] === task.id ? previous : undefined),
  });
}

/** The case's report, draft or signed; null while there is none. */
export function useReport(task: Task) {
  const { client } = useServices();
  const session = useSession();
  const id = referencedId('DiagnosticReport', itemOf(task.output, 'report')?.valueReference);
  // Who may write must never take a report that could not be fetched for one that is not begun.
  const seesDrafts = hasRole(session, 'radiologist', 'expert');
  return useQuery({
    queryKey: ['report', task.id, id, caseFacts(task).state],
    queryFn: async ({ signal }): Promise<DiagnosticReport | null> => {
      if (id) return client.read('DiagnosticReport', id, signal).catch(seesDrafts ? undefined : notShown);
      const request = literalReference(task.focus);
      if (!request) return null;
      const drafts = await client.search(
        'DiagnosticReport',
        `based-on=${request}&_sort=-_lastUpdated&_count=1`,
        signal,
      );
      return found(drafts).all('DiagnosticReport')[0] ?? null;
    },
    enabled: mayRead(session, 'DiagnosticReport'),
    refetchOnMount: 'always',
    placeholderData: (previous, query) => (query?.queryKey[1] === task.id ? previous : undefined),
  });
}

/** A report being written is out of the establishment's sight: it is named, and not there. */
function notShown(error: unknown): null {
  if (error instanceof FhirProblem && error.status === 404) return null;
  throw error;
}

/** What is being written beside a preliminary or signed report; null while there is none. */
export function useDraftReport(task: Task, enabled: boolean) {
  const { client } = useServices();
  const id = referencedId('DiagnosticReport', itemOf(task.output, 'draft')?.valueReference);
  return useQuery({
    queryKey: ['draft', task.id, id],
    queryFn: ({ signal }): Promise<DiagnosticReport | null> =>
      id ? client.read('DiagnosticReport', id, signal) : Promise.resolve(null),
    enabled,
    refetchOnMount: 'always',
    // Asked again whenever writing begins, however short ago it was asked.
    staleTime: 0,
  });
}
