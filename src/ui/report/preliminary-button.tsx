/** Shows the site what is known before the signature; nothing is sent. */
import { Button } from '@mantine/core';
import type { OperationOutcomeIssue, Task } from '@medplum/fhirtypes';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { JSX } from 'react';
import { operate } from '../case/use-operation.ts';
import { useServices } from '../fhir/client-context.tsx';
import { FhirProblem, messageOf } from '../fhir/problem.ts';
import { type Draft, draftValues } from './chapters.ts';

interface PreliminaryButtonProps {
  task: Task;
  draft: Draft;
  flush(): Promise<boolean>;
  /** The server's remarks on the text. */
  onRefused(issues: readonly OperationOutcomeIssue[]): void;
}

export function PreliminaryButton({ task, draft, flush, onRefused }: PreliminaryButtonProps): JSX.Element {
  const { client } = useServices();
  const queries = useQueryClient();
  const issue = useMutation({
    mutationFn: async () => {
      if (!(await flush())) throw new Error('Le brouillon n’a pas pu être enregistré : rien n’a été montré.');
      return operate(client, task, { name: 'issue-preliminary', parameters: draftValues(draft) });
    },
    onError: (error) => {
      if (error instanceof FhirProblem && error.status === 422) onRefused(error.issues);
    },
    onSettled: () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === task.id }),
  });
  return (
    <>
      <Button variant="default" loading={issue.isPending} onClick={() => issue.mutate()}>
        Émettre en provisoire
      </Button>
      {issue.isSuccess ? <span role="status">Provisoire montré au site.</span> : null}
      {issue.isError ? (
        <span role="alert" className="inline-error">
          {messageOf(issue.error)}
        </span>
      ) : null}
    </>
  );
}
