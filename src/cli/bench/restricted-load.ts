/**
 * What it costs that a caller sees a part of the tenant: reads and searches of a RIS held to its establishment by policies, row-level
 * security and the audit trail, beside the same from the same database with nothing of that. The ratio should stay above 0.8 (issue 4).
 */
import type { Bundle, ServiceRequest } from '@medplum/fhirtypes';
import type { HttpLoad } from './http-load.ts';
import { type Load, loadFor } from './load.ts';
import { type BenchResult, result } from './result.ts';
import { settle } from './settle.ts';

/** Fewer requests than the background projection of the trail stays out of (settle.ts). */
const seconds = 4;
const warmUpSeconds = 2;
/** Everybody reads another resource: reads of one and the same would share a row, too. */
const readInTurn = 200;

export interface RestrictedLoad {
  connections: number;
  /** A RIS that sent requests before: what it asks for is its own. */
  own: HttpLoad;
  /** Everybody, nothing noted. */
  bare: HttpLoad;
  /** Somebody who may look for AuditEvents. */
  whole: HttpLoad;
  httpUrl: string;
  /** Of the RIS, to find some of its requests. */
  token: string;
}

/** @param suffix of the figures' names. */
export async function restrictedLoad(load: RestrictedLoad, suffix = ''): Promise<BenchResult[]> {
  const { connections, own, bare, whole, httpUrl, token } = load;
  const found = await fetch(`${httpUrl}/fhir/ServiceRequest?_count=${readInTurn}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { entry } = (await found.json()) as Bundle<ServiceRequest>;
  const requests = entry!.map(({ resource }) => resource!);
  const patient = requests[0]!.subject.reference;
  const results: BenchResult[] = [];
  for (const [name, pathOf] of [
    ['read-restricted', (n: number) => `ServiceRequest/${requests[n % requests.length]!.id}`],
    // The same rows whoever asks: those of one patient.
    ['search-restricted', () => `ServiceRequest?subject=${patient}&_sort=-authored&_count=20`],
  ] as const) {
    const off = await ask(bare, connections, pathOf);
    const on = await ask(own, connections, pathOf, whole);
    results.push(
      result('fhir', `${name}${suffix}`, on.perSecond, '1/s', {
        name: 'without access control and audit',
        value: off.perSecond,
      }),
    );
  }
  return results;
}

/** @param audited who may look for AuditEvents, where the warm-up leaves some to be made. */
async function ask(
  http: HttpLoad,
  connections: number,
  pathOf: (n: number) => string,
  audited?: HttpLoad,
): Promise<Load> {
  const one = (n: number) => http.send('GET', `/fhir/${pathOf(n)}`);
  await loadFor(warmUpSeconds, connections, one);
  if (audited) await settle(audited);
  return loadFor(seconds, connections, one);
}
