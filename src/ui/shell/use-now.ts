/** The server's time, ticking: components that show a countdown render again at this pace. */
import { useEffect, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';

/** @param everyMs pace of the tick. */
export function useNow(everyMs = 1_000): Date {
  const { clock } = useServices();
  const [now, setNow] = useState(() => clock.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(clock.now()), everyMs);
    return () => clearInterval(timer);
  }, [clock, everyMs]);
  return now;
}
