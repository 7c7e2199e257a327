/** A topic while a component is on the page: its notifications call `onChange`; the answer says whether they come by themselves now. */
import { useEffect, useRef, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { openSocket } from './socket.ts';
import { type LineEvents, openTopicFeed } from './topic-feed.ts';

export function useTopic(topic: string, onChange: () => void, wanted = true): boolean {
  const { client, clock } = useServices();
  const [isLive, setLive] = useState(false);
  const latest = useRef(onChange);
  latest.current = onChange;
  useEffect(() => {
    if (!wanted) return;
    const feed = openTopicFeed(
      topic,
      {
        client,
        openLine: (events: LineEvents) => openSocket(client.socket, events),
        later: (ms, work) => {
          const waiting = setTimeout(work, ms);
          return () => clearTimeout(waiting);
        },
        now: () => clock.now(),
      },
      { onChange: () => latest.current(), onState: setLive },
    );
    const close = (): void => feed.close();
    window.addEventListener('pagehide', close);
    return () => {
      window.removeEventListener('pagehide', close);
      close();
      setLive(false);
    };
  }, [client, clock, topic, wanted]);
  return isLive;
}
