/** Runs an operation of the case with the version seen; a lost race is told in words, a change that does not matter is passed over. */
import type { Bundle, Provenance, Resource, Task } from '@medplum/fhirtypes';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { found } from '../fhir/bundle.ts';
import type { FhirClient } from '../fhir/client.ts';
import { useServices } from '../fhir/client-context.tsx';
import { parametersOf } from '../fhir/parameters.ts';
import { FhirProblem, guardOf } from '../fhir/problem.ts';
import { describeChange, sameSituation } from './change.ts';

export interface OperationRequest {
  /** Without the `$`. */
  name: string;
  parameters?: Parameters<typeof parametersOf>[0];
}

/** The case changed between what the person saw and what the server holds; the message says how. */
class CaseChanged extends Error {
  override name = 'CaseChanged';
}

export function useOperation(task: Task) {
  const { client } = useServices();
  const queries = useQueryClient();
  return useMutation({
    mutationKey: ['operation', task.id],
    mutationFn: (request: OperationRequest) => operate(client, task, request),
    onSettled: () =>
      queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'worklist' || queryKey[1] === task.id }),
  });
}

/**
 * @throws CaseChanged when somebody changed what the decision rests on; FhirProblem for any other refusal.
 */
export async function operate(client: FhirClient, seen: Task, request: OperationRequest): Promise<Resource> {
  const path = `Task/${seen.id}/$${request.name}`;
  const body = parametersOf(request.parameters ?? {});
  try {
    return await client.operate(path, body, seen.meta?.versionId);
  } catch (error) {
    if (!(error instanceof FhirProblem) || (error.status !== 409 && error.status !== 412)) throw error;
    // Nobody was faster: the case is kept for a colleague, and a reason opens it.
    if (guardOf(error) === 'assigned-or-reason') throw error;
    const stored = await client.read('Task', seen.id ?? '');
    // Images arriving make versions every second: they must not stand in the way of a decision that they do not touch.
    if (error.status === 412 && sameSituation(seen, stored)) return client.operate(path, body, stored.meta?.versionId);
    throw new CaseChanged(describeChange(seen, stored, await lastProvenance(client, seen)));
  }
}

async function lastProvenance(client: FhirClient, task: Task): Promise<Provenance | undefined> {
  const bundle: Bundle | undefined = await client
    .search('Provenance', `target=Task/${task.id}&_sort=-recorded&_count=1`)
    .catch(() => undefined);
  return found(bundle).all('Provenance')[0];
}
