/**
 * Cases that change, told by the server to every screen of this page: one Subscription per tenant that shows the person cases. Screens poll
 * only while the line is not there.
 */
import { createContext, type JSX, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { systems } from '../fhir/systems.ts';
import { placesOf } from '../session/rights.ts';
import { useSession } from '../session/session-context.tsx';
import { openSocket } from './socket.ts';
import { type LineEvents, openTopicFeed, type TopicFeed } from './topic-feed.ts';

export interface LiveCases {
  /** Every change is told: nothing has to be asked again and again. */
  isLive: boolean;
  /** Told of every change, many at once together. @returns what ends it. */
  onChange(listener: () => void): () => void;
}

const nothingLive: LiveCases = { isLive: false, onChange: () => () => undefined };
const LiveCasesContext = createContext<LiveCases>(nothingLive);

export const useLiveCases = (): LiveCases => useContext(LiveCasesContext);

/** Changes that come together are told once, and not more often than this: a study that arrives changes its case several times a second. */
const togetherMs = 300;
const atMostEveryMs = 2_000;

export function LiveCasesProvider({ children }: { children: ReactNode }): JSX.Element {
  const { client, clock } = useServices();
  const session = useSession();
  const listeners = useRef(new Set<() => void>());
  const [isLive, setLive] = useState(false);
  const tenants = placesOf(session)
    .map(({ tenant }) => tenant)
    .join(' ');
  const home = session.tenant;

  useEffect(() => {
    if (tenants === '') return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let toldAt = 0;
    const tell = (): void => {
      timer ??= setTimeout(
        () => {
          timer = undefined;
          toldAt = performance.now();
          for (const listener of listeners.current) listener();
        },
        Math.max(togetherMs, toldAt + atMostEveryMs - performance.now()),
      );
    };
    const feeds: TopicFeed[] = [];
    const checkAll = (): void => setLive(feeds.length > 0 && feeds.every((feed) => feed.isLive()));
    for (const tenant of tenants.split(' ')) {
      const there = tenant === home ? client : client.inTenant(tenant);
      const parts = {
        client: there,
        openLine: (events: LineEvents) => openSocket(there.socket, events),
        later: (ms: number, work: () => void) => {
          const waiting = setTimeout(work, ms);
          return () => clearTimeout(waiting);
        },
        now: () => clock.now(),
      };
      feeds.push(openTopicFeed(systems.caseChanged, parts, { onChange: tell, onState: checkAll }));
    }
    const closeAll = (): void => {
      for (const feed of feeds) feed.close();
    };
    // A page that is left says so: the Subscription would end by itself, but much later.
    window.addEventListener('pagehide', closeAll);
    return () => {
      window.removeEventListener('pagehide', closeAll);
      clearTimeout(timer);
      closeAll();
      setLive(false);
    };
  }, [client, clock, tenants, home]);

  const value = useMemo<LiveCases>(
    () => ({
      isLive,
      onChange(listener) {
        listeners.current.add(listener);
        return () => void listeners.current.delete(listener);
      },
    }),
    [isLive],
  );
  return <LiveCasesContext value={value}>{children}</LiveCasesContext>;
}
