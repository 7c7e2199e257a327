/** Gardes: the rota of an establishment, month by month; coordinators and administrators plan it. */
import { Button, Loader } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { hasRole } from '../session/session.ts';
import { useSession } from '../session/session-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { useNow } from '../shell/use-now.ts';
import { usePageTitle } from '../shell/use-page-title.ts';
import { frenchDateTime } from '../time/format.ts';
import { AskSwapDialog } from './ask-swap-dialog.tsx';
import { EstablishmentSelect } from './establishment-select.tsx';
import { counted, type DutyKind, localFormats, monthShifted, ofMonth, type Rota, rotaOf, type Shift } from './month.ts';
import { MonthGrid } from './month-grid.tsx';
import { Notices } from './notices.tsx';
import { PlanDialog } from './plan-dialog.tsx';
import { PublishDialog } from './publish-dialog.tsx';
import { readersOf } from './readers.ts';
import { ShiftDialog } from './shift-dialog.tsx';
import { useEstablishments } from './use-establishments.ts';
import { WarningList } from './warning-list.tsx';

export default function RotaPage(): JSX.Element {
  const { client } = useServices();
  const session = useSession();
  const queries = useQueryClient();
  const now = useNow(60_000);
  const places = useEstablishments();
  const [chosen, setChosen] = useState<string | null>(null);
  const establishment = chosen ?? places?.[0]?.value;
  const [month, setMonth] = useState(() => localFormats('Europe/Paris').day(now.toISOString()).slice(0, 7));
  const [adding, setAdding] = useState<{ day: string; kind: DutyKind }>();
  const [open, setOpen] = useState<Shift>();
  const [publishing, setPublishing] = useState(false);
  const maySee = establishment !== undefined;
  const rota = useQuery({
    queryKey: ['rota', establishment, month],
    enabled: maySee,
    queryFn: async ({ signal }) =>
      rotaOf(await client.ask(`Organization/${establishment}/$rota?month=${month}`, signal)),
  });
  const readers = useQuery({
    queryKey: ['readers', establishment],
    enabled: maySee,
    queryFn: async ({ signal }) => readersOf(await client.ask(`Organization/${establishment}/$radiologists`, signal)),
  });
  usePageTitle('Gardes');
  const plans = hasRole(session, 'coordinator', 'administrator', 'conformance');
  const refresh = (): void => {
    void queries.invalidateQueries({ queryKey: ['rota', establishment] });
    void queries.invalidateQueries({ queryKey: ['rota-notices'] });
  };
  return (
    <section className="page rota" aria-labelledby="titre-gardes">
      <div className="rota-bar">
        <h1 id="titre-gardes">Gardes {ofMonth(month)}</h1>
        <Button size="xs" variant="default" onClick={() => setMonth(monthShifted(month, -1))}>
          Mois précédent
        </Button>
        <Button size="xs" variant="default" onClick={() => setMonth(monthShifted(month, 1))}>
          Mois suivant
        </Button>
        <EstablishmentSelect places={places} value={establishment} onChange={setChosen} />
        {plans && rota.data?.shifts.some(({ published }) => !published) ? (
          <Button size="xs" onClick={() => setPublishing(true)}>
            Publier
          </Button>
        ) : null}
      </div>
      {rota.isError ? <ErrorBanner error={rota.error} onRetry={() => void rota.refetch()} /> : null}
      {rota.isPending ? <Loader className="centre" aria-label="Chargement du tableau de garde" /> : null}
      {rota.data ? (
        <>
          <Publication rota={rota.data} now={now} />
          <WarningList warnings={rota.data.warnings} />
          <Notices />
          <MonthGrid
            rota={rota.data}
            today={localFormats(rota.data.timeZone).day(now.toISOString())}
            {...(plans || hasRole(session, 'radiologist') ? { onShift: setOpen } : {})}
            {...(plans ? { onAdd: (day: string, kind: DutyKind) => setAdding({ day, kind }) } : {})}
          />
        </>
      ) : null}
      {adding && establishment ? (
        <PlanDialog
          establishment={establishment}
          month={month}
          {...adding}
          readers={readers.data ?? []}
          onDone={refresh}
          onClose={() => setAdding(undefined)}
        />
      ) : null}
      {open && rota.data && !plans ? (
        <AskSwapDialog
          shift={open}
          rota={rota.data}
          readers={readers.data ?? []}
          isOwn={open.practitioner === session.reference}
          onDone={refresh}
          onClose={() => setOpen(undefined)}
        />
      ) : null}
      {open && rota.data && plans ? (
        <ShiftDialog
          shift={open}
          rota={rota.data}
          readers={readers.data ?? []}
          now={now}
          onDone={refresh}
          onClose={() => setOpen(undefined)}
        />
      ) : null}
      {publishing && rota.data && establishment ? (
        <PublishDialog
          establishment={establishment}
          rota={rota.data}
          now={now}
          onDone={refresh}
          onClose={() => setPublishing(false)}
        />
      ) : null}
    </section>
  );
}

function Publication({ rota, now }: { rota: Rota; now: Date }): JSX.Element {
  if (rota.published === undefined) {
    const isLate = now.getTime() > Date.parse(rota.publishBefore);
    return (
      <p className={isLate ? 'late-count' : 'muted'} role={isLate ? 'alert' : undefined}>
        Non publié. À publier avant le {frenchDateTime(rota.publishBefore)}.
      </p>
    );
  }
  return (
    <p>
      Publié le {frenchDateTime(rota.published)}
      {rota.late ? <strong className="late-count"> · publication tardive</strong> : null}
      {rota.changes > 0 ? ` · ${counted(rota.changes, 'changement')}` : null}
      {rota.lateChanges > 0 ? (
        <strong className="late-count"> dont {counted(rota.lateChanges, 'tardif')}</strong>
      ) : null}
    </p>
  );
}
