/** Consentement : what is recorded, and for people of the site the buttons to record it (WF-12). */
import { Alert, Button } from '@mantine/core';
import type { Consent, Task } from '@medplum/fhirtypes';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { JSX } from 'react';
import { found, literalReference } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { messageOf } from '../fhir/problem.ts';
import { mayRead } from '../session/rights.ts';
import { useSession } from '../session/session-context.tsx';
import { pollMs } from '../shell/query-client.ts';
import { type Agreement, agreementNotes, agreementOf, agreementTexts, newConsent } from './consent.ts';
import { Panel } from './panel.tsx';

/** Who speaks with the patient. */
const recorders: readonly string[] = ['requester', 'technologist'];
const choices = [
  { agreement: 'given', label: 'Accord recueilli' },
  { agreement: 'emergency', label: 'Exception d’urgence' },
  { agreement: 'refused', label: 'Refus ou retrait du patient' },
] as const;

/** What need not be said any more: who agreed does not need the exception. */
const settledBy = (agreement: Agreement): readonly Agreement[] =>
  agreement === 'given' ? ['given', 'emergency'] : [agreement];

export function ConsentPanel({ task, final }: { task: Task; final: boolean }): JSX.Element | null {
  const { client } = useServices();
  const session = useSession();
  const queries = useQueryClient();
  const patient = literalReference(task.for);
  const key = ['consents', task.id, patient];
  const consents = useQuery({
    queryKey: key,
    queryFn: async ({ signal }): Promise<Consent[]> =>
      found(await client.search('Consent', `patient=${patient}&_count=100`, signal)).all('Consent'),
    enabled: patient !== undefined && mayRead(session, 'Consent'),
    refetchInterval: 8 * pollMs,
  });
  const record = useMutation({
    mutationFn: (agreement: (typeof choices)[number]['agreement']) =>
      client.create<Consent>(newConsent(task, agreement, new Date())),
    onSettled: () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === task.id }),
  });
  if (!mayRead(session, 'Consent') || consents.data === undefined) return null;
  const agreement = agreementOf(task, consents.data);
  const mayRecord = !final && session.roles.some((role) => recorders.includes(role));
  const tone = agreement === 'refused' ? 'severe' : agreement === 'missing' ? 'warning' : 'note';
  return (
    <Panel title="Consentement" note={agreementNotes[agreement]} open={mayRecord || tone !== 'note'}>
      <p className={`alert alert-${tone}`} role="status">
        {agreementTexts[agreement]}
      </p>
      {mayRecord && agreement !== 'refused' ? (
        <fieldset className="group actions-buttons" aria-label="Enregistrer le consentement">
          {choices
            .filter((choice) => !settledBy(agreement).includes(choice.agreement))
            .map((choice) => (
              <Button
                key={choice.agreement}
                size="compact-sm"
                variant="default"
                className={choice.agreement === 'refused' ? 'danger-button' : undefined}
                loading={record.isPending && record.variables === choice.agreement}
                onClick={() => record.mutate(choice.agreement)}
              >
                {choice.label}
              </Button>
            ))}
        </fieldset>
      ) : null}
      {record.isError ? (
        <Alert color="red" role="alert">
          {messageOf(record.error)}
        </Alert>
      ) : null}
    </Panel>
  );
}
