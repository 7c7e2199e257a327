/** Avis: what the platform told about rotas and radiologists, newest first; e-mails only call to it (CM-2). */
import type { Communication } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { found } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { mayRead } from '../session/rights.ts';
import { useSession } from '../session/session-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { frenchDateTime } from '../time/format.ts';

const system = 'https://fhir.passerelle.example/CodeSystem/communication-category';
const categories = [
  'rota-published',
  'rota-late',
  'rota-change',
  'rota-gap',
  'rota-swap',
  'reader-exclusion',
  'qualification-expiry',
] as const;
const shown = 20;
const everyMs = 300_000;

const noticesQuery = `category=${categories
  .map((code) => encodeURIComponent(`${system}|${code}`))
  .join(',')}&_sort=-sent&_count=${shown}`;

export function Notices(): JSX.Element | null {
  const { client } = useServices();
  const session = useSession();
  const isReader = mayRead(session, 'Communication');
  const notices = useQuery({
    queryKey: ['rota-notices'],
    enabled: isReader,
    queryFn: async ({ signal }) =>
      found(await client.search('Communication', noticesQuery, signal)).all('Communication'),
    refetchInterval: everyMs,
  });
  if (!isReader) return null;
  if (notices.isError) return <ErrorBanner error={notices.error} onRetry={() => void notices.refetch()} />;
  const list = notices.data ?? [];
  if (list.length === 0) return null;
  return (
    <details className="rota-notices" open={list.some((notice) => notice.priority === 'urgent')}>
      <summary>Avis ({list.length === shown ? `${shown} derniers` : list.length})</summary>
      <ul>
        {list.map((notice) => (
          <li key={notice.id} className={notice.priority === 'urgent' ? 'rota-urgent' : undefined}>
            <time className="muted" dateTime={notice.sent}>
              {frenchDateTime(notice.sent)}
            </time>{' '}
            {wordsOf(notice)}
          </li>
        ))}
      </ul>
    </details>
  );
}

/** All that a message says, in one line. */
function wordsOf({ payload }: Communication): string {
  return (payload ?? []).map(({ contentString }) => contentString ?? '').join(' ');
}
