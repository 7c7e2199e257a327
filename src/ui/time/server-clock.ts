/** The server's time as the browser can know it: a workstation with a wrong clock must not show a wrong deadline. */
export interface ServerClock {
  now(): Date;
  /** Told the `Date` header (RFC 9110 §6.6.1) of an answer; ignored when it cannot be read. */
  heard(header: string | null): void;
}

/** Differences below this are the header's one-second resolution and the network, not a wrong clock. */
const toleratedMs = 2_000;

/** @param local the workstation's time, in milliseconds since the epoch. */
export function createServerClock(local: () => number): ServerClock {
  let offsetMs = 0;
  return {
    now: () => new Date(local() + offsetMs),
    heard: (header) => {
      const told = header === null ? Number.NaN : Date.parse(header);
      if (Number.isNaN(told)) return;
      const difference = told - local();
      if (Math.abs(difference - offsetMs) > toleratedMs) offsetMs = Math.abs(difference) > toleratedMs ? difference : 0;
    },
  };
}
