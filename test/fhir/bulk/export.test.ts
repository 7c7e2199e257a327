import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OperationOutcome, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BulkServer, base, bulkServer, type Manifest, respondAsync } from './server.ts';

let server: BulkServer;
const concept = { text: 'é' };
const observations = Array.from({ length: 53 }, (_, n) => ({
  resourceType: 'Observation' as const,
  id: `o${n}`,
  status: n % 2 ? ('final' as const) : ('preliminary' as const),
  code: concept,
  subject: { reference: n % 3 ? 'Patient/p1' : 'Patient/p2' },
  valueQuantity: { value: n },
}));

beforeAll(async () => {
  server = await bulkServer({ linesPerFile: 20 });
  await server.put(
    { resourceType: 'Patient', id: 'p1', name: [{ family: 'A' }], birthDate: '1980-01-01' },
    { resourceType: 'Patient', id: 'p2', gender: 'male' },
    { resourceType: 'Patient', id: 'p3' },
    { resourceType: 'Organization', id: 'ch', name: 'CH' },
    {
      resourceType: 'Group',
      id: 'inner',
      type: 'person',
      actual: true,
      member: [{ entity: { reference: 'Patient/p2' } }, { entity: { reference: 'Patient/p3' }, inactive: true }],
    },
    {
      resourceType: 'Group',
      id: 'g',
      type: 'person',
      actual: true,
      member: [{ entity: { reference: 'Group/inner' } }],
    },
    { resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/p2' }, code: concept },
  );
  await server.imported(observations.map((observation) => JSON.stringify(observation)).join('\n'));
});
afterAll(() => server.close());
beforeEach(() => {
  server.refused = () => false;
  server.audited.length = 0;
});

const names = (resources: (Resource & { id: string })[]) =>
  resources.map(({ resourceType, id }) => `${resourceType}/${id}`).sort();
const typesIn = ({ output }: Manifest) => [...new Set(output.map(({ type }) => type))].sort();
async function statusOf(answer: { headers: Record<string, unknown> }, headers = {}) {
  return server.request({ url: String(answer.headers['content-location']).replace(base, '/fhir'), headers });
}

describe('$export', () => {
  it('answers everything, of every type, in files of so many lines, exactly as it is stored', async () => {
    const manifest = await server.exported('/fhir/$export');
    expect(typesIn(manifest)).toEqual(['Condition', 'Group', 'Observation', 'Organization', 'Patient']);
    expect(manifest).toMatchObject({ request: `${base}/$export`, requiresAccessToken: true, deleted: [], error: [] });
    expect(manifest.output.filter(({ type }) => type === 'Observation').map(({ count }) => count)).toEqual([
      20, 20, 13,
    ]);
    const exported = await server.linesOf(manifest.output);
    expect(names(exported.filter(({ resourceType }) => resourceType === 'Observation'))).toEqual(names(observations));
    const stored = await server.request({ url: '/fhir/Observation/o7' });
    expect(exported.find(({ id }) => id === 'o7')).toEqual(stored.json());
  });

  it('is handed over compressed to whoever takes gzip only (RFC 9110 §12.5.3)', async () => {
    const { output } = await server.exported('/fhir/$export?_type=Group');
    const url = output[0]!.url.replace(base, '/fhir');
    const codingFor = async (accepted: string) =>
      (await server.request({ url, headers: { 'accept-encoding': accepted } })).headers['content-encoding'];
    for (const accepted of ['gzip', 'br, GZIP;q=0.5', '*']) expect(await codingFor(accepted), accepted).toBe('gzip');
    for (const accepted of ['gzip;q=0', 'br', 'x-no-gzip', 'identity', '*, gzip;q=0.0'])
      expect(await codingFor(accepted), accepted).toBeUndefined();
  });

  it('is begun asynchronously or not at all, and tells how far it is until it is done', async () => {
    expect((await server.request({ url: '/fhir/$export' })).statusCode).toBe(400);
    const begun = await server.request({ url: '/fhir/$export?_type=Patient', headers: respondAsync });
    expect(begun.statusCode).toBe(202);
    expect(begun.headers['content-location']).toMatch(/^http:\/\/hospital\.example\/fhir\/\$bulk-status\/[\w-]{36}$/);
    const waiting = await statusOf(begun);
    expect(waiting.statusCode).toBe(202);
    expect(waiting.headers).toMatchObject({ 'x-progress': 'waiting', 'retry-after': '5' });
    await server.bulk.worker.sweep();
    const done = await statusOf(begun);
    expect(done.statusCode).toBe(200);
    expect(done.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(new Date(String(done.headers.expires)).getTime()).toBeGreaterThan(Date.now() + 23 * 3_600_000);
  });

  it('answers the record of patients, and of the patients of a group and the groups in it', async () => {
    const patients = await server.exported('/fhir/Patient/$export');
    expect(typesIn(patients)).toEqual(['Condition', 'Group', 'Observation', 'Patient']);
    const group = await server.linesOf(
      (await server.exported('/fhir/Group/g/$export?_type=Patient,Condition,Observation')).output,
    );
    const expected = observations.filter(({ subject }) => subject.reference === 'Patient/p2');
    expect(names(group)).toEqual([...names(expected), 'Condition/c', 'Patient/p2'].sort());
    const parameters = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'patient', valueReference: { reference: 'Patient/p1' } },
        { name: '_type', valueString: 'Patient' },
      ],
    };
    const some = await server.exported('/fhir/Patient/$export', parameters);
    expect(names(await server.linesOf(some.output))).toEqual(['Patient/p1']);
  });

  it('takes what matches any of the filters of a type, once, and the elements asked for', async () => {
    const filters = ['Observation?status=final', 'Observation?subject=Patient/p2'].map(
      (filter) => `_typeFilter=${encodeURIComponent(filter)}`,
    );
    const manifest = await server.exported(
      `/fhir/$export?_type=Observation,Patient&${filters.join('&')}&_elements=Patient.birthDate,status`,
    );
    const exported = await server.linesOf(manifest.output);
    const expected = observations.filter(
      ({ status, subject }) => status === 'final' || subject.reference === 'Patient/p2',
    );
    expect(names(exported.filter(({ resourceType }) => resourceType === 'Observation'))).toEqual(names(expected));
    const patient = exported.find(({ id }) => id === 'p1');
    expect(patient).toMatchObject({ birthDate: '1980-01-01', meta: { tag: [{ code: 'SUBSETTED' }] } });
    expect(patient).not.toHaveProperty('name');
    expect(exported.find(({ resourceType }) => resourceType === 'Observation')).not.toHaveProperty('valueQuantity');
  });

  it('answers what changed since and tells what was deleted, of the patients asked for only', async () => {
    const first = await server.exported('/fhir/$export?_type=Patient');
    expect(new Date(first.transactionTime).getTime()).toBeLessThan(Date.now());
    const since = new Date().toISOString();
    await server.put(
      { resourceType: 'Condition', id: 'gone1', subject: { reference: 'Patient/p1' } },
      { resourceType: 'Condition', id: 'gone2', subject: { reference: 'Patient/p2' } },
    );
    for (const id of ['gone1', 'gone2']) await server.request({ method: 'DELETE', url: `/fhir/Condition/${id}` });
    await server.put({ resourceType: 'Patient', id: 'p2', gender: 'female' });
    const all = await server.exported(`/fhir/$export?_since=${encodeURIComponent(since)}`);
    expect(names(await server.linesOf(all.output))).toEqual(['Patient/p2']);
    const deletions = (await server.linesOf(all.deleted)) as unknown as { entry: { request: object }[] }[];
    expect(deletions.map(({ entry }) => entry[0]!.request)).toEqual([
      { method: 'DELETE', url: 'Condition/gone1' },
      { method: 'DELETE', url: 'Condition/gone2' },
    ]);
    const group = await server.exported(`/fhir/Group/g/$export?_since=${encodeURIComponent(since)}`);
    expect(group.deleted).toMatchObject([{ type: 'Bundle', count: 1 }]);
    const until = await server.exported(`/fhir/$export?_type=Patient&_until=${encodeURIComponent(since)}`);
    expect(names(await server.linesOf(until.output))).toEqual(['Patient/p1', 'Patient/p3']);
  });

  it('refuses by name what it does not do', async () => {
    for (const query of [
      'includeAssociatedData=LatestProvenanceResources',
      '_outputFormat=application/parquet',
      '_type=Cat',
      '_since=yesterday',
      '_since=2026-11-23T08:00:00',
      '_since=2026-11-23T08:00Z',
      '_typeFilter=Observation',
      '_typeFilter=Observation%3Fsubject.name%3DA',
      '_typeFilter=Observation%3F_include%3D*',
      '_elements=a.b.c',
      'colour=red',
      'patient=Patient/p1',
    ]) {
      const { statusCode, json: body } = await server.request({ url: `/fhir/$export?${query}`, headers: respondAsync });
      expect(statusCode, query).toBe(400);
      const name = query.split('=', 1)[0];
      expect((body() as OperationOutcome).issue).toMatchObject([
        { expression: [`Parameters.parameter.where(name = '${name}')`] },
      ]);
    }
    for (const query of ['_type=Organization', '_typeFilter=Organization%3Fname%3DA'])
      expect(
        (await server.request({ url: `/fhir/Patient/$export?${query}`, headers: respondAsync })).statusCode,
        query,
      ).toBe(400);
    expect((await server.request({ url: '/fhir/Group/none/$export', headers: respondAsync })).statusCode).toBe(404);
    // Understood only when it is searched: the job fails and says why.
    const begun = await server.request({
      url: '/fhir/$export?_typeFilter=Patient%3Fcolour%3Dred',
      headers: respondAsync,
    });
    await server.bulk.worker.sweep();
    const failed = await statusOf(begun);
    expect(failed.statusCode).toBe(500);
    expect((failed.json() as OperationOutcome).issue[0]!.diagnostics).toMatch(/colour/);
  });

  it('leaves out what the account may not see, and says so; refuses it when asked for by name', async () => {
    server.refused = ({ interaction, type }) => interaction === 'search-type' && type === 'Patient';
    expect((await server.request({ url: '/fhir/$export?_type=Patient', headers: respondAsync })).statusCode).toBe(403);
    const manifest = await server.exported('/fhir/$export');
    expect(typesIn(manifest)).not.toContain('Patient');
    const [outcome] = (await server.linesOf(manifest.error)) as unknown as OperationOutcome[];
    expect(outcome!.issue[0]!.diagnostics).toMatch(/^Patient/);
  });

  it('is for the account that asked, as long as it has the right; each file fetched is in the trail', async () => {
    const manifest = await server.exported('/fhir/$export?_type=Patient');
    const url = manifest.output[0]!.url.replace(base, '/fhir');
    server.audited.length = 0;
    const plain = await server.request({ url });
    expect(plain.headers['content-type']).toBe('application/fhir+ndjson');
    expect(plain.body.trim().split('\n')).toHaveLength(3);
    expect(server.audited).toMatchObject([{ interaction: 'operation:$bulk-file', outcome: 'success' }]);
    expect(server.audited[0]!.query).toContain('Patient.1.ndjson');
    for (const authorization of ['Bearer aa bob', 'Bearer bb alice']) {
      expect((await server.request({ url, headers: { authorization } })).statusCode).toBe(404);
    }
    expect((await server.request({ url, headers: { authorization: 'Bearer nobody' } })).statusCode).toBe(401);
    expect((await server.request({ url: url.replace('Patient.1', 'Patient.2') })).statusCode).toBe(404);
    expect((await server.request({ url: url.replace('Patient.1.ndjson', '..%2F..%2Fx') })).statusCode).toBe(404);
    server.refused = ({ operation }) => operation === 'export';
    expect((await server.request({ url })).statusCode).toBe(403);
  });

  it('is forgotten, with its files, when it is deleted or a day old', async () => {
    const filesLeft = async () => (await readdir(join(server.folder, 'exports', 'aa'))).length;
    const begun = await server.request({ url: '/fhir/$export?_type=Patient', headers: respondAsync });
    await server.bulk.worker.sweep();
    const before = await filesLeft();
    const url = String(begun.headers['content-location']).replace(base, '/fhir');
    expect((await server.request({ method: 'DELETE', url })).statusCode).toBe(202);
    expect((await server.request({ url })).statusCode).toBe(404);
    await server.bulk.worker.sweep();
    expect(await filesLeft()).toBe(before - 1);
    server.clock.ahead = 25 * 3_600_000;
    await server.bulk.worker.sweep();
    server.clock.ahead = 0;
    expect(await filesLeft()).toBe(0);
  });

  it('is not known by a name that no job can have', async () => {
    expect((await server.request({ url: '/fhir/$bulk-status/a%00' })).statusCode).toBe(400);
    expect((await server.request({ url: `/fhir/$reindex-status?job=%00` })).statusCode).toBe(400);
  });

  it('takes no more jobs than a tenant may have open', async () => {
    const begin = () => server.request({ url: '/fhir/$export?_type=Patient', headers: respondAsync });
    for (let n = 0; n < 5; n++) expect((await begin()).statusCode).toBe(202);
    const refused = await begin();
    expect(refused.statusCode).toBe(429);
    expect(refused.headers['retry-after']).toBe('60');
    await server.bulk.worker.sweep();
    expect((await begin()).statusCode).toBe(202);
    await server.bulk.worker.sweep();
  });
});

describe('an export and time', () => {
  it('is of one moment, although others write while it runs', async () => {
    // The first type that is exported waits at the database until another one has changed.
    const begun = await server.request({ url: '/fhir/$export?_type=Group,Patient', headers: respondAsync });
    const second = server.secondNode();
    let isRunning = true;
    const writing = (async () => {
      for (let n = 0; isRunning; n++) {
        await server.put(
          { resourceType: 'Patient', id: 'p3', birthDate: `19${10 + (n % 80)}-01-01` },
          { resourceType: 'Group', id: 'z', type: 'person', actual: true, quantity: 10 + (n % 80) },
        );
      }
    })();
    await second.worker.sweep();
    isRunning = false;
    await writing;
    const manifest: Manifest = (await statusOf(begun)).json();
    const exported = await server.linesOf(manifest.output);
    const patient = exported.find(({ id }) => id === 'p3') as { birthDate?: string } | undefined;
    const group = exported.find(({ id }) => id === 'z') as { quantity?: number } | undefined;
    // The patient is written first: at any one moment it is as new as the group or one step ahead.
    const patientStep = patient?.birthDate ? Number(patient.birthDate.slice(2, 4)) : 9;
    const groupStep = group?.quantity ?? 9;
    expect([0, 1, -79]).toContain(patientStep - groupStep);
  });

  it('promises an instant before which nothing is missing: a write under way is waited for', async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const { promise: isWritten, resolve: written } = Promise.withResolvers<void>();
    const context = {
      tenant: 'aa',
      actor: { reference: 'Device/x', display: 'x', account: 'x', kind: 'machine' as const, roles: [] },
      requestId: 'r',
      interaction: 'create',
      now: () => new Date(),
    };
    const slow = server.store.transaction(context, async (tx) => {
      await tx.create({ resourceType: 'Organization', id: 'slow', name: 'Slow' });
      written();
      await held;
    });
    await isWritten;
    const begun = await server.request({ url: '/fhir/$export?_type=Organization', headers: respondAsync });
    const swept = server.bulk.worker.sweep();
    expect((await statusOf(begun)).statusCode).toBe(202);
    letGo();
    await slow;
    await swept;
    const manifest: Manifest = (await statusOf(begun)).json();
    expect(names(await server.linesOf(manifest.output))).toContain('Organization/slow');
  });
});

describe('a node that dies', () => {
  const leases = (sql: string) =>
    server.database.transaction('aa', (open) =>
      open.query(`UPDATE bulk_job SET ${sql} WHERE tenant = 'aa' AND state = 'running'`),
    );

  it('leaves its job to another one, which begins it anew and answers whole files', async () => {
    const begun = await server.request({ url: '/fhir/$export?_type=Patient', headers: respondAsync });
    const id = String(begun.headers['content-location']).split('/').at(-1)!;
    // As a killed process leaves it: taken, half a file written, the lease running.
    await server.database.transaction('aa', (sql) =>
      sql.query(
        `UPDATE bulk_job SET state = 'running', attempt = 1, lease_until = clock_timestamp() + interval '30 s' WHERE tenant = 'aa' AND id = $1`,
        [id],
      ),
    );
    await server.secondNode().worker.sweep();
    expect((await statusOf(begun)).statusCode).toBe(202);
    await leases(`lease_until = clock_timestamp() - interval '1 s'`);
    await server.secondNode().worker.sweep();
    const manifest: Manifest = (await statusOf(begun)).json();
    expect(names(await server.linesOf(manifest.output))).toEqual(['Patient/p1', 'Patient/p2', 'Patient/p3']);
  });

  it('counts for nothing when it comes back: what it made is not what is answered', async () => {
    const begun = await server.request({ url: '/fhir/$export?_type=Patient', headers: respondAsync });
    const id = String(begun.headers['content-location']).split('/').at(-1)!;
    const old = { tenant: 'aa', id, attempt: 1 };
    const { claimJob, finishJob } = await import('../../../src/fhir/bulk/job-table.ts');
    await server.database.transaction('aa', (sql) => claimJob(sql, 'aa'));
    await leases(`lease_until = clock_timestamp() - interval '1 s'`);
    await server.secondNode().worker.sweep();
    const result = { transactionTime: '2000-01-01T00:00:00Z', output: [], deleted: [], error: [], size: 0 };
    const late = await server.database.transaction('aa', (sql) =>
      finishJob(sql, old, { state: 'done', result }, new Date()),
    );
    expect(late).toBe(false);
    expect(((await statusOf(begun)).json() as Manifest).output).toHaveLength(1);
  });

  it('does not drag others along: a job during which nodes keep dying is given up', async () => {
    const begun = await server.request({ url: '/fhir/$export?_type=Patient', headers: respondAsync });
    await server.database.transaction('aa', (sql) =>
      sql.query(
        `UPDATE bulk_job SET state = 'running', attempt = 3, lease_until = clock_timestamp() - interval '1 s' WHERE tenant = 'aa' AND state = 'queued'`,
      ),
    );
    await server.bulk.worker.sweep();
    expect((await statusOf(begun)).statusCode).toBe(500);
  });

  it('gives its jobs back when it stops in order, and they go on elsewhere', async () => {
    const begun = await server.request({ url: '/fhir/$export?_type=Observation', headers: respondAsync });
    const node = server.secondNode();
    const swept = node.worker.sweep();
    await node.worker.stop();
    await swept;
    await server.bulk.worker.sweep();
    expect(((await statusOf(begun)).json() as Manifest).output).toHaveLength(3);
  });
});
