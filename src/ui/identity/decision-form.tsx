/** Decides about a problem: which decision, why, and the case that takes the images where there is one. */
import { Alert, Button, Radio, Textarea, TextInput } from '@mantine/core';
import type { DetectedIssue } from '@medplum/fhirtypes';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type JSX, useState } from 'react';
import { found } from '../fhir/bundle.ts';
import type { FhirClient } from '../fhir/client.ts';
import { useServices } from '../fhir/client-context.tsx';
import { messageOf } from '../fhir/problem.ts';
import { systems } from '../fhir/systems.ts';
import { type DecisionChoice, type DecisionCode, decidedIssue } from './decisions.ts';

interface DecisionFormProps {
  issue: DetectedIssue;
  choices: readonly DecisionChoice[];
}

const longestReason = 1000;

export function DecisionForm({ issue, choices }: DecisionFormProps): JSX.Element {
  const { client } = useServices();
  const queries = useQueryClient();
  const [chosen, setChosen] = useState<DecisionCode | undefined>(choices.length === 1 ? choices[0]?.code : undefined);
  const decision = useMutation({
    mutationFn: async ({ reason, number }: { reason: string; number: string }) => {
      if (chosen === undefined) throw new Error('Choisissez une décision.');
      const target = chosen === 'images-reattached' ? await caseOf(client, number) : undefined;
      return client.update(decidedIssue(issue, chosen, reason, target));
    },
    onSettled: () =>
      queries.invalidateQueries({
        predicate: ({ queryKey }) => ['identity', 'alerts', 'case'].includes(String(queryKey[0])),
      }),
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const value = (name: string): string => String(form.get(name) ?? '').trim();
    decision.mutate({ reason: value('reason'), number: value('number') });
  };
  return (
    <form onSubmit={submit} className="stack decision-form">
      <Radio.Group
        label="Décision"
        required
        value={chosen ?? ''}
        onChange={(value) => setChosen(choices.find(({ code }) => code === value)?.code)}
      >
        {choices.map(({ code, label, hint }) => (
          <Radio key={code} value={code} label={label} description={hint} mt="xs" />
        ))}
      </Radio.Group>
      {chosen === 'images-reattached' ? (
        <TextInput
          name="number"
          label="Numéro du dossier qui reçoit les images"
          placeholder="TLR-…"
          required
          maxLength={40}
        />
      ) : null}
      <Textarea
        name="reason"
        label="Pourquoi (source vérifiée, interlocuteur)"
        required
        autosize
        minRows={2}
        maxLength={longestReason}
      />
      {decision.isError ? (
        <Alert color="red" role="alert">
          {messageOf(decision.error)}
        </Alert>
      ) : null}
      <div className="dialog-buttons">
        <Button type="submit" loading={decision.isPending} disabled={chosen === undefined}>
          Décider
        </Button>
      </div>
    </form>
  );
}

/** `Task/…` of a case number people read. */
async function caseOf(client: FhirClient, number: string): Promise<string> {
  const token = encodeURIComponent(`${systems.caseNumber}|${number}`);
  const cases = found(await client.search('Task', `identifier=${token}&_count=2`)).all('Task');
  const task = cases.find(({ identifier }) => identifier?.some(({ value }) => value === number));
  if (task?.id === undefined) throw new Error(`Aucun dossier ne porte le numéro ${number}.`);
  return `Task/${task.id}`;
}
