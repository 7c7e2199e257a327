/** The sessions of the account: where from, since when, on what; to see and, with a fresh proof, to end. */
import { Button, Loader, Table } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { ask } from '../session/people-client.ts';
import { StepError } from '../session/step-error.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { frenchDateTime } from '../time/format.ts';
import { deviceText, methodsText, type OpenSession, readSessions } from './account.ts';

interface SessionsSectionProps {
  /** A proof was given in the last ten minutes. */
  fresh: boolean;
  onChanged(): void;
}

export function SessionsSection({ fresh, onChanged }: SessionsSectionProps): JSX.Element {
  const sessions = useQuery({ queryKey: ['account', 'sessions'], queryFn: readSessions });
  const end = useMutation({
    mutationFn: (path: string) => ask('DELETE', `account/sessions${path}`),
    // The list, and whether the proof is still fresh.
    onSettled: onChanged,
  });
  const list = sessions.data ?? [];
  return (
    <section className="stack" aria-labelledby="titre-sessions">
      <h2 id="titre-sessions">Sessions ouvertes</h2>
      {sessions.isPending ? <Loader aria-label="Chargement des sessions" /> : null}
      {sessions.isError ? <ErrorBanner error={sessions.error} onRetry={() => void sessions.refetch()} /> : null}
      {list.length > 0 ? (
        <Table aria-labelledby="titre-sessions">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Poste</Table.Th>
              <Table.Th>Adresse</Table.Th>
              <Table.Th>Ouverte le</Table.Th>
              <Table.Th>Dernier usage</Table.Th>
              <Table.Th>Preuve</Table.Th>
              <Table.Th>
                <span className="hidden">Action</span>
              </Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {list.map((session) => (
              <Line key={session.id} session={session} fresh={fresh} onEnd={() => end.mutate(`/${session.id}`)} />
            ))}
          </Table.Tbody>
        </Table>
      ) : null}
      <StepError error={end.error} />
      <p className="muted">
        Terminer toutes les autres retire aussi leurs droits aux applications que vous avez autorisées.
      </p>
      <Button
        variant="default"
        className="narrow"
        disabled={!fresh}
        loading={end.isPending}
        onClick={() => end.mutate('')}
      >
        Terminer toutes les autres sessions
      </Button>
    </section>
  );
}

interface LineProps {
  session: OpenSession;
  fresh: boolean;
  onEnd(): void;
}

function Line({ session, fresh, onEnd }: LineProps): JSX.Element {
  const { device, network, createdAt, seenAt, methods, current } = session;
  return (
    <Table.Tr>
      <Table.Td title={device}>{deviceText(device)}</Table.Td>
      <Table.Td>{network ?? 'inconnue'}</Table.Td>
      <Table.Td>{frenchDateTime(createdAt)}</Table.Td>
      <Table.Td>{frenchDateTime(seenAt)}</Table.Td>
      <Table.Td>{methodsText(methods)}</Table.Td>
      <Table.Td>
        {current ? (
          'Cette session'
        ) : (
          <Button
            size="compact-sm"
            variant="default"
            disabled={!fresh}
            onClick={onEnd}
            aria-label={`Terminer la session ouverte le ${frenchDateTime(createdAt)}`}
          >
            Terminer
          </Button>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
