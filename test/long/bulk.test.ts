import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BulkServer, bulkServer } from '../fhir/bulk/server.ts';

const count = 20_000;
let server: BulkServer;

beforeAll(async () => {
  server = await bulkServer();
});
afterAll(() => server.close());

/** About 1.3 kB, as a request of teleradiology is. */
function request(n: number): string {
  return JSON.stringify({
    resourceType: 'ServiceRequest',
    id: `request-${n}`,
    identifier: [{ system: 'urn:oid:1.2.3.4', value: `PLAC-${n}` }],
    status: 'active',
    intent: 'order',
    priority: n % 2 ? 'urgent' : 'routine',
    code: { coding: [{ system: 'http://loinc.org', code: '24725-4', display: 'CT Head' }], text: 'Scanner cérébral' },
    subject: { reference: `Patient/p${n % 500}`, display: 'TEST-MOREAU CAMILLE' },
    occurrenceDateTime: `2026-01-${String(1 + (n % 28)).padStart(2, '0')}T03:15:00+01:00`,
    authoredOn: '2026-01-15T02:30:00Z',
    requester: { reference: 'Practitioner/demandeur' },
    reasonCode: [{ text: 'Céphalée brutale, recherche de saignement. '.repeat(6) }],
    note: [{ text: 'Patient à jeun, fonction rénale normale, pas d’allergie connue. '.repeat(6) }],
  });
}

it('imports and exports tens of thousands of resources, none lost, in bounded memory', async () => {
  const lines = Array.from({ length: count }, (_, n) => request(n)).join('\n');
  const importStart = performance.now();
  const imported = await server.imported(lines);
  const importSeconds = (performance.now() - importStart) / 1000;
  expect(imported.outcome).toMatchObject({ created: count, refused: 0 });
  const before = process.memoryUsage().rss;
  const exportStart = performance.now();
  const exported = await server.exported('/fhir/$export?_type=ServiceRequest');
  const exportSeconds = (performance.now() - exportStart) / 1000;
  expect(exported.output.map((file) => file.count)).toEqual([count]);
  const moreMegabytes = (process.memoryUsage().rss - before) / 1e6;
  expect(moreMegabytes).toBeLessThan(150);
  const megabytes = Buffer.byteLength(lines) / 1e6;
  console.info(
    `import ${Math.round(count / importSeconds)} resources/s; export ${Math.round(count / exportSeconds)} resources/s, ` +
      `${(megabytes / exportSeconds).toFixed(1)} MB/s; ${moreMegabytes.toFixed(0)} MB more`,
  );
  const again = await server.imported(lines);
  expect(again.outcome).toMatchObject({ unchanged: count, updated: 0 });
});
