/** Journal: who did what, when, about which patient; for auditors. */
import { Button, Checkbox, Loader, NativeSelect, TextInput } from '@mantine/core';
import type { Bundle } from '@medplum/fhirtypes';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type FormEvent, type JSX, useState } from 'react';
import { found } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { usePageTitle } from '../shell/use-page-title.ts';
import { practitionerName } from '../words/people.ts';
import { type JournalFields, journalKinds, journalQuery } from './journal-query.ts';
import { JournalTable } from './journal-table.tsx';
import { auditLine } from './sentence.ts';

const everything: JournalFields = { about: '', actor: '', kind: '', problems: false, from: '', to: '' };

export function JournalPage(): JSX.Element {
  const { client } = useServices();
  const [fields, setFields] = useState(everything);
  const [asked, setAsked] = useState(everything);
  const events = useInfiniteQuery({
    queryKey: ['journal', asked],
    initialPageParam: journalQuery(asked),
    queryFn: ({ pageParam, signal }) => client.search('AuditEvent', pageParam, signal),
    getNextPageParam: nextQuery,
  });
  const [counts, setCounts] = useState(false);
  const actors = useActors();
  usePageTitle('Journal');
  const set = (change: Partial<JournalFields>): void => setFields((before) => ({ ...before, ...change }));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setAsked(fields);
    void events.refetch();
  };
  const all = (events.data?.pages ?? []).flatMap((page) => found(page).all('AuditEvent').map(auditLine));
  const lines = all.filter((line) => counts || !line.counts);
  return (
    <section className="page" aria-labelledby="titre-journal">
      <h1 id="titre-journal">Journal</h1>
      <search aria-label="Rechercher dans le journal">
        <form className="journal-form" onSubmit={submit}>
          <TextInput
            size="xs"
            label="Patient ou dossier"
            description="Référence : Patient/… ou Task/…"
            value={fields.about}
            maxLength={100}
            onChange={(event) => set({ about: event.currentTarget.value })}
          />
          <NativeSelect
            size="xs"
            label="Auteur"
            description="Personne ou machine de l’annuaire"
            value={fields.actor}
            data={[{ value: '', label: 'Tous' }, ...actors]}
            onChange={(event) => set({ actor: event.currentTarget.value })}
          />
          <NativeSelect
            size="xs"
            label="Nature"
            description="de l’événement"
            value={fields.kind}
            data={[
              { value: '', label: 'Toutes' },
              ...Object.entries(journalKinds).map(([value, { label }]) => ({ value, label })),
            ]}
            onChange={(event) => set({ kind: event.currentTarget.value })}
          />
          <TextInput
            size="xs"
            type="date"
            label="Du"
            description="inclus"
            value={fields.from}
            onChange={(event) => set({ from: event.currentTarget.value })}
          />
          <TextInput
            size="xs"
            type="date"
            label="Au"
            description="inclus"
            value={fields.to}
            onChange={(event) => set({ to: event.currentTarget.value })}
          />
          <Checkbox
            size="xs"
            label="Refus et échecs seulement"
            checked={fields.problems}
            onChange={(event) => set({ problems: event.currentTarget.checked })}
          />
          <Button size="xs" type="submit" loading={events.isFetching}>
            Rechercher
          </Button>
        </form>
      </search>
      {events.isError ? <ErrorBanner error={events.error} onRetry={() => void events.refetch()} /> : null}
      {events.isPending ? <Loader className="centre" aria-label="Chargement du journal" /> : null}
      {events.isSuccess ? (
        <div className="journal-summary">
          <p role="status">
            {lines.length === 0 ? 'Aucun événement.' : `${lines.length} événement(s), du plus récent au plus ancien.`}
          </p>
          <Checkbox
            size="xs"
            checked={counts}
            onChange={(event) => setCounts(event.currentTarget.checked)}
            label={`Montrer aussi les comptages sans donnée de patient (${all.filter((line) => line.counts).length})`}
          />
        </div>
      ) : null}
      {lines.length > 0 ? (
        <JournalTable
          lines={lines}
          onAbout={(about) => {
            set({ about });
            setAsked({ ...fields, about });
          }}
        />
      ) : null}
      {events.hasNextPage ? (
        <Button
          size="xs"
          variant="default"
          loading={events.isFetchingNextPage}
          onClick={() => void events.fetchNextPage()}
        >
          Événements plus anciens
        </Button>
      ) : null}
    </section>
  );
}

/** Query of the next page of a searchset, when there is one. */
function nextQuery(bundle: Bundle): string | undefined {
  const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
  return next === undefined ? undefined : next.slice(next.indexOf('?') + 1);
}

/** People and machines of the directory. */
function useActors(): { value: string; label: string }[] {
  const { client } = useServices();
  const actors = useQuery({
    queryKey: ['actors'],
    queryFn: async ({ signal }) => {
      const people = found(await client.search('Practitioner', '_count=500', signal)).all('Practitioner');
      const machines = found(await client.search('Device', '_count=500', signal)).all('Device');
      return [
        ...people.map((one) => ({ value: `Practitioner/${one.id}`, label: practitionerName(one) ?? one.id ?? '' })),
        ...machines.map((one) => ({
          value: `Device/${one.id}`,
          label: one.deviceName?.[0]?.name ?? one.identifier?.[0]?.value ?? one.id ?? '',
        })),
      ];
    },
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (actors.data ?? []).sort((a, b) => a.label.localeCompare(b.label, 'fr'));
}
