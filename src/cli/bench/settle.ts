/** Lets a server finish what a load left behind, so that the next figure is its own. */
import { setTimeout as pause } from 'node:timers/promises';
import type { HttpLoad } from './http-load.ts';

/** Each waits ten seconds at most. */
const looksAtMost = 60;
/** Two rounds of the background projection (src/access/audit/background.ts): it counts what is left to do from its last idle one. */
const roundsMs = 7_000;

/** Makes the AuditEvents of the load so far: one look makes them all, or says after ten seconds that it is still at it. */
export async function auditEventsMade(http: HttpLoad): Promise<void> {
  for (let look = 1; ; look++) {
    try {
      await http.send('GET', '/fhir/AuditEvent?_count=1');
      return;
    } catch (error) {
      if (look === looksAtMost) throw error;
    }
  }
}

/** The same, and the background projection has seen it: it stays out of the next 40,000 requests that leave a trail. */
export async function settle(http: HttpLoad): Promise<void> {
  await auditEventsMade(http);
  await pause(roundsMs);
}
