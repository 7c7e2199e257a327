/** Creates and reads over HTTP, with access control, row-level security, validation, indexing and audit on, and durable. */
import { startChildServer } from '../demo/child-server.ts';
import { httpLoad, loadFor } from './load.ts';
import { rawDatabase } from './raw-limits.ts';
import { type BenchResult, percentile, result } from './result.ts';

const connections = 32;
const seconds = 6;
const warmUpSeconds = 2;

export async function fhirSuite(): Promise<BenchResult[]> {
  const server = await startChildServer({ LOG_LEVEL: 'error' });
  const raw = await rawDatabase(server.dataDir, connections);
  const http = httpLoad(server.httpUrl, await server.token('conformance'), connections);
  try {
    await http.send(
      'PUT',
      '/fhir/Patient/bench',
      Buffer.from(JSON.stringify({ resourceType: 'Patient', id: 'bench' })),
    );
    const body = (n: number) => Buffer.from(JSON.stringify(serviceRequest(n)));
    const create = (n: number) => http.send('POST', '/fhir/ServiceRequest', body(n));
    await loadFor(warmUpSeconds, connections, create);
    const creates = await loadFor(seconds, connections, create);
    const inserts = await raw.inserts(body(1).toString(), seconds);

    await http.send(
      'PUT',
      '/fhir/ServiceRequest/bench',
      Buffer.from(JSON.stringify({ ...serviceRequest(1), id: 'bench' })),
    );
    const read = () => http.send('GET', '/fhir/ServiceRequest/bench');
    await loadFor(warmUpSeconds, connections, read);
    const reads = await loadFor(seconds, connections, read);
    const selects = await raw.selects(body(1).toString(), seconds);
    return [
      result('fhir', 'create', creates.perSecond, '1/s', {
        name: `INSERT, ${connections} connections, durable`,
        value: inserts,
      }),
      result('fhir', 'create-p95', percentile(creates.durations, 95), 'ms'),
      result('fhir', 'read', reads.perSecond, '1/s', { name: `SELECT, ${connections} connections`, value: selects }),
      result('fhir', 'read-p95', percentile(reads.durations, 95), 'ms'),
    ];
  } finally {
    http.close();
    await raw.close();
    await server.stop();
  }
}

/** About 1.3 kB, as a RIS would send it; values differ so that the index has something to do. */
function serviceRequest(n: number) {
  const code = ['30799-1', '24725-4', '24627-2', '36813-4'][n % 4];
  return {
    resourceType: 'ServiceRequest',
    identifier: [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PLAC' }] },
        system: 'urn:oid:2.999.33.10',
        value: `BENCH-${process.pid}-${n}-${Math.random().toString(36).slice(2)}`,
      },
    ],
    status: 'active',
    intent: 'order',
    priority: n % 5 === 0 ? 'urgent' : 'routine',
    category: [{ coding: [{ system: 'http://snomed.info/sct', code: '363679005', display: 'Imaging' }] }],
    code: { coding: [{ system: 'http://loinc.org', code, display: 'TDM' }] },
    orderDetail: [
      { coding: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'CT', display: 'Scanner' }] },
    ],
    bodySite: [{ coding: [{ system: 'http://snomed.info/sct', code: '774007', display: 'tête et cou' }] }],
    subject: { reference: 'Patient/bench' },
    requester: { reference: 'Practitioner/demandeur' },
    performer: [{ reference: 'Practitioner/radiologue' }],
    authoredOn: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
    reasonCode: [{ text: 'Céphalée brutale inhabituelle depuis deux heures, examen neurologique normal.' }],
    note: [{ text: 'Sans puis avec injection si doute.' }],
  };
}
