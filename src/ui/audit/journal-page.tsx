/** Journal: who did what, when, to which patient; for auditors. */
import { Button, Loader, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type JSX, useEffect, useState } from 'react';
import { found } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { frenchInstant } from '../time/format.ts';
import { type JournalFields, journalPageSize, journalQuery } from './journal-query.ts';
import { type AuditLine, auditLine } from './sentence.ts';

const everything: JournalFields = { patient: '', actor: '', from: '', to: '' };

export function JournalPage(): JSX.Element {
  const { client } = useServices();
  const [asked, setAsked] = useState(everything);
  const events = useQuery({
    queryKey: ['journal', asked],
    queryFn: async ({ signal }) =>
      found(await client.search('AuditEvent', journalQuery(asked), signal))
        .all('AuditEvent')
        .map(auditLine),
  });
  useEffect(() => {
    document.title = 'Journal – Passerelle';
  }, []);
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const value = (name: keyof JournalFields): string => String(form.get(name) ?? '');
    setAsked({ patient: value('patient'), actor: value('actor'), from: value('from'), to: value('to') });
    void events.refetch();
  };
  const lines = events.data ?? [];
  return (
    <section className="page" aria-labelledby="titre-journal">
      <h1 id="titre-journal">Journal</h1>
      <form className="journal-form" onSubmit={submit} role="search" aria-label="Rechercher dans le journal">
        <TextInput size="xs" name="patient" label="Patient" description="Nom, IPP, INS ou référence" maxLength={100} />
        <TextInput size="xs" name="actor" label="Auteur" description="Nom ou partie du nom" maxLength={100} />
        <TextInput size="xs" name="from" type="date" label="Du" description="inclus" />
        <TextInput size="xs" name="to" type="date" label="Au" description="inclus" />
        <Button size="xs" type="submit" loading={events.isFetching}>
          Rechercher
        </Button>
      </form>
      {events.isError ? <ErrorBanner error={events.error} onRetry={() => void events.refetch()} /> : null}
      {events.isPending ? <Loader className="centre" aria-label="Chargement du journal" /> : null}
      {events.isSuccess ? (
        <p role="status">
          {lines.length === 0 ? 'Aucun événement.' : `${lines.length} événement(s), du plus récent au plus ancien.`}
          {lines.length >= journalPageSize ? ' Précisez la recherche pour voir les plus anciens.' : ''}
        </p>
      ) : null}
      {lines.length > 0 ? <JournalTable lines={lines} /> : null}
    </section>
  );
}

function JournalTable({ lines }: { lines: readonly AuditLine[] }): JSX.Element {
  return (
    <table className="plain-table">
      <caption className="hidden">Événements</caption>
      <thead>
        <tr>
          {['Date (Paris)', 'Auteur', 'Action', 'Depuis'].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.id} className={line.outcome === 'success' ? undefined : 'issue-open'}>
            <td className="cell-number">{frenchInstant(line.at)}</td>
            <td>{line.who}</td>
            <td>{line.sentence}</td>
            <td>{line.from ?? '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
