/** Radiologues: the list of an establishment with qualifications and their ends, and the exclusion of one (CM-2, CM-4, CM-5). */
import { Button, Loader } from '@mantine/core';
import type { Practitioner } from '@medplum/fhirtypes';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { found } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { hasRole } from '../session/session.ts';
import { useSession } from '../session/session-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { useNow } from '../shell/use-now.ts';
import { usePageTitle } from '../shell/use-page-title.ts';
import { frenchDate } from '../time/format.ts';
import { spacedPhone } from '../words/phone.ts';
import { AddReader } from './add-reader.tsx';
import { EstablishmentSelect } from './establishment-select.tsx';
import { ExclusionDialog } from './exclusion-dialog.tsx';
import { localFormats } from './month.ts';
import { Notices } from './notices.tsx';
import { QualificationDialog } from './qualification-dialog.tsx';
import { expiryState, expiryWords, heldBy, qualificationCodes, qualificationNames } from './qualifications.ts';
import { type Reader, readersOf } from './readers.ts';
import { useEstablishments } from './use-establishments.ts';

export default function ReadersPage(): JSX.Element {
  const { client } = useServices();
  const session = useSession();
  const queries = useQueryClient();
  const places = useEstablishments();
  const [chosen, setChosen] = useState<string | null>(null);
  const establishment = chosen ?? places?.[0]?.value;
  const [qualified, setQualified] = useState<Reader>();
  const [excluding, setExcluding] = useState<Reader>();
  const readers = useQuery({
    queryKey: ['readers', establishment, 'qualifications'],
    enabled: establishment !== undefined,
    queryFn: async ({ signal }) => {
      const list = readersOf(await client.ask(`Organization/${establishment}/$radiologists`, signal));
      const ids = list.map(({ reference }) => reference.slice('Practitioner/'.length)).join(',');
      const people =
        ids === ''
          ? []
          : found(await client.search('Practitioner', `_id=${ids}&_count=500`, signal)).all('Practitioner');
      return list.map((reader) => ({
        reader,
        person: people.find(({ id }) => reader.reference === `Practitioner/${id}`),
      }));
    },
  });
  usePageTitle('Radiologues');
  const decides = hasRole(session, 'coordinator', 'administrator', 'conformance');
  const refresh = (): void => {
    void queries.invalidateQueries({ queryKey: ['readers', establishment] });
    void queries.invalidateQueries({ queryKey: ['rota-notices'] });
  };
  return (
    <section className="page" aria-labelledby="titre-radiologues">
      <div className="rota-bar">
        <h1 id="titre-radiologues">Radiologues</h1>
        <EstablishmentSelect places={places} value={establishment} onChange={setChosen} />
      </div>
      {readers.isError ? <ErrorBanner error={readers.error} onRetry={() => void readers.refetch()} /> : null}
      {readers.isPending ? <Loader className="centre" aria-label="Chargement de la liste" /> : null}
      {readers.data?.length === 0 ? <p>Aucun radiologue n’est déclaré pour cet établissement.</p> : null}
      {readers.data && readers.data.length > 0 ? (
        <table className="plain-table">
          <caption className="hidden">Radiologues de l’établissement</caption>
          <thead>
            <tr>
              <th scope="col">Radiologue</th>
              <th scope="col">Téléphone</th>
              {qualificationCodes.map((code) => (
                <th key={code} scope="col">
                  {qualificationNames[code]}
                </th>
              ))}
              <th scope="col">État</th>
              {decides ? <th scope="col">Actions</th> : null}
            </tr>
          </thead>
          <tbody>
            {readers.data.map(({ reader, person }) => (
              <tr key={reader.reference}>
                <th scope="row">{reader.name}</th>
                <td className="cell-number">{reader.phone ? spacedPhone(reader.phone) : '–'}</td>
                <Expiries person={person} />
                <td>
                  {reader.excluded ? <strong className="late-count">exclu</strong> : reader.onDuty ? 'de garde' : ''}
                </td>
                {decides ? (
                  <td>
                    <Button size="compact-xs" variant="default" onClick={() => setQualified(reader)}>
                      Qualifications
                    </Button>{' '}
                    <Button
                      size="compact-xs"
                      variant="outline"
                      color={reader.excluded ? 'cyan' : 'red'}
                      onClick={() => setExcluding(reader)}
                    >
                      {reader.excluded ? 'Rétablir' : 'Exclure'}
                    </Button>
                  </td>
                ) : null}
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
      {readers.data && establishment && hasRole(session, 'administrator', 'conformance') ? (
        <AddReader establishment={establishment} readers={readers.data.map(({ reader }) => reader)} onDone={refresh} />
      ) : null}
      <Notices />
      {qualified ? (
        <QualificationDialog
          reader={qualified}
          mayRecord={hasRole(session, 'administrator', 'conformance')}
          onDone={refresh}
          onClose={() => setQualified(undefined)}
        />
      ) : null}
      {excluding && establishment ? (
        <ExclusionDialog
          reader={excluding}
          establishment={establishment}
          onDone={refresh}
          onClose={() => setExcluding(undefined)}
        />
      ) : null}
    </section>
  );
}

function Expiries({ person }: { person: Practitioner | undefined }): JSX.Element {
  const today = localFormats('Europe/Paris').day(useNow(60_000).toISOString());
  const held = heldBy(person);
  return (
    <>
      {qualificationCodes.map((code) => {
        const last = held.find((each) => each.code === code);
        const state = expiryState(last, today);
        return (
          <td key={code} className={`expiry-${state}`}>
            {last?.end ? `${frenchDate(last.end)} · ` : ''}
            {expiryWords[state]}
          </td>
        );
      })}
    </>
  );
}
