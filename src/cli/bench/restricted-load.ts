/**
 * What it costs that a caller sees a part of the tenant: reads and searches of a RIS held to its establishment by policies, row-level
 * security and the audit trail, beside the same from the same database with nothing of that. The ratio should stay above 0.8 (issue 4).
 */
import type { Bundle, ServiceRequest } from '@medplum/fhirtypes';
import type { HttpLoad } from './http-load.ts';
import { type Load, loadFor } from './load.ts';
import { type BenchResult, result } from './result.ts';
import { settle } from './settle.ts';

const connections = 32;
/** Fewer requests than the background projection of the trail stays out of (settle.ts). */
const seconds = 4;
const warmUpSeconds = 2;

/**
 * @param own a RIS that sent requests before: what it asks for is its own. @param bare everybody, nothing noted.
 * @param whole somebody who may look for AuditEvents. @param token of the RIS, to find one of its requests.
 */
export async function restrictedLoad(
  own: HttpLoad,
  bare: HttpLoad,
  whole: HttpLoad,
  httpUrl: string,
  token: string,
): Promise<BenchResult[]> {
  const found = await fetch(`${httpUrl}/fhir/ServiceRequest?_count=1`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { entry } = (await found.json()) as Bundle<ServiceRequest>;
  const { id, subject } = entry![0]!.resource!;
  const results: BenchResult[] = [];
  for (const [name, path] of [
    ['read-restricted', `ServiceRequest/${id}`],
    // The same rows whoever asks: those of one patient.
    ['search-restricted', `ServiceRequest?subject=${subject.reference}&_sort=-authored&_count=20`],
  ] as const) {
    const off = await ask(bare, path);
    const on = await ask(own, path, whole);
    results.push(
      result('fhir', name, on.perSecond, '1/s', { name: 'without access control and audit', value: off.perSecond }),
    );
  }
  return results;
}

/** @param audited who may look for AuditEvents, where the warm-up leaves some to be made. */
async function ask(http: HttpLoad, path: string, audited?: HttpLoad): Promise<Load> {
  const one = () => http.send('GET', `/fhir/${path}`);
  await loadFor(warmUpSeconds, connections, one);
  if (audited) await settle(audited);
  return loadFor(seconds, connections, one);
}
