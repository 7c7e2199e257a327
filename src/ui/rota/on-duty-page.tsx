/** Qui est de garde: one line in huge letters for the telephone operator at night; no patient, and nothing to click (CM-3). */
import { useQuery } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { useNow } from '../shell/use-now.ts';
import { usePageTitle } from '../shell/use-page-title.ts';
import { spacedPhone } from '../words/phone.ts';
import { EstablishmentSelect } from './establishment-select.tsx';
import { dutyNames, type LocalFormats, localFormats } from './month.ts';
import { type Duty, dutyOf, fromText, type OnCall, untilNextMs, untilText } from './on-duty.ts';
import { useEstablishments } from './use-establishments.ts';

/** Each question is a line of the audit trail: no oftener than who answers the telephone needs. */
const everyMs = 30_000;
/** Older than this, what is on the screen may be wrong, and says so. */
const staleMs = 120_000;

export default function OnDutyPage({ id }: { id?: string }): JSX.Element {
  const { client, clock } = useServices();
  const now = useNow();
  const places = useEstablishments();
  const [chosen, setChosen] = useState<string | null>(id ?? null);
  const establishment = chosen ?? places?.[0]?.value;
  const duty = useQuery({
    queryKey: ['on-duty', establishment],
    enabled: establishment !== undefined,
    queryFn: async ({ signal }) => dutyOf(await client.ask(`Organization/${establishment}/$on-duty`, signal)),
    // And when a shift ends.
    refetchInterval: ({ state }) => Math.max(1_000, Math.min(everyMs, untilNextMs(state.data, clock.now()))),
  });
  usePageTitle('Qui est de garde');
  const told = duty.data;
  const isStale = told !== undefined && now.getTime() - Date.parse(told.at) > staleMs;
  return (
    <section className="page on-duty" aria-labelledby="titre-garde">
      <div className="rota-bar">
        <h1 id="titre-garde">Qui est de garde{told ? ` : ${told.establishment}` : ''}</h1>
        {(places?.length ?? 0) > 1 ? (
          <EstablishmentSelect places={places} value={establishment} onChange={setChosen} />
        ) : null}
      </div>
      {duty.isError ? <ErrorBanner error={duty.error} onRetry={() => void duty.refetch()} /> : null}
      {told ? <Lines duty={told} now={now} /> : null}
      {told ? (
        <p className={isStale ? 'late-count' : 'muted'} role={isStale ? 'alert' : undefined}>
          {isStale ? 'Attention, liste ancienne : ' : ''}à jour à {localFormats(told.timeZone).hour(told.at)}
        </p>
      ) : null}
    </section>
  );
}

function Lines({ duty, now }: { duty: Duty; now: Date }): JSX.Element {
  const [first, ...others] = duty.now;
  const formats = localFormats(duty.timeZone);
  return (
    <div aria-live="polite">
      {duty.covered ? null : <p className="on-duty-none">Aucun radiologue de garde en ce moment.</p>}
      {first ? (
        <p className="on-duty-first">
          <Call person={first} now={now} formats={formats} />
        </p>
      ) : (
        <p className="on-duty-none">Personne à appeler : prévenez le cadre de garde.</p>
      )}
      {others.length > 0 ? <h2>À défaut, dans cet ordre</h2> : null}
      <ol className="on-duty-others">
        {others.map((person) => (
          <li key={`${person.kind} ${person.name} ${person.since}`}>
            <Call person={person} now={now} formats={formats} />
          </li>
        ))}
      </ol>
      {duty.next ? (
        <p className="on-duty-next">
          Prochain radiologue : {duty.next.name}, {fromText(duty.next.since, now, formats)}
        </p>
      ) : null}
    </div>
  );
}

function Call({ person, now, formats }: { person: OnCall; now: Date; formats: LocalFormats }): JSX.Element {
  return (
    <>
      <span className="on-duty-kind">{dutyNames[person.kind]}</span> <strong>{person.name}</strong>{' '}
      {person.phone ? (
        <a className="on-duty-phone" href={`tel:${person.phone.replace(/[^+\d]/g, '')}`}>
          {spacedPhone(person.phone)}
        </a>
      ) : (
        <em className="late-count">pas de téléphone connu</em>
      )}{' '}
      <span className="on-duty-until">{untilText(person.until, now, formats)}</span>
    </>
  );
}
