import { gzipSync } from 'node:zlib';
import type { OperationOutcome, Patient } from '@medplum/fhirtypes';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FhirError } from '../../../src/fhir/index.ts';
import { type BulkServer, base, bulkServer, json, type Manifest, respondAsync } from './server.ts';

let server: BulkServer;
const ndjson = { 'content-type': 'application/fhir+ndjson', ...respondAsync };
const patients = (count: number, prefix: string) =>
  Array.from({ length: count }, (_, n) =>
    JSON.stringify({ resourceType: 'Patient', id: `${prefix}${n}`, active: true }),
  );

beforeAll(async () => {
  server = await bulkServer();
  server.store.beforeCommit(({ id }) => {
    if (id === 'hooked') throw new FhirError(422, 'business-rule', 'the domain says no');
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.refused = () => false;
  server.owner = {};
});

const read = async <T>(url: string) => (await server.request({ url })).json() as T;

describe('$import', () => {
  it('stores each line under its own id, through the same checks as any write', async () => {
    const commits: string[] = [];
    server.store.onCommit(async (changes, tx) => {
      commits.push(`${tx.context.interaction} ${changes.length}`);
    });
    const manifest = await server.imported(`${patients(230, 'a').join('\n')}\r\n\n`);
    expect(manifest).toMatchObject({ outcome: { created: 230, updated: 0, unchanged: 0, refused: 0 }, error: [] });
    expect(await read('/fhir/Patient/a229')).toMatchObject({ active: true, meta: { versionId: '1' } });
    expect(commits.filter((commit) => commit.startsWith('operation:$import'))).toEqual([
      'operation:$import 200',
      'operation:$import 30',
    ]);
  });

  it('can be done again: what is stored already stays at its version, what differs gets a new one', async () => {
    const lines = patients(10, 'a');
    lines[3] = JSON.stringify({ resourceType: 'Patient', id: 'a3', active: false });
    const manifest = await server.imported(lines.join('\n'));
    expect(manifest.outcome).toEqual({ created: 0, updated: 1, unchanged: 9, refused: 0 });
    expect((await read<Patient>('/fhir/Patient/a3')).meta!.versionId).toBe('2');
    expect((await read<Patient>('/fhir/Patient/a4')).meta!.versionId).toBe('1');
    const twice = await server.imported([lines[3], patients(4, 'a')[3]].join('\n'));
    expect(twice.outcome).toEqual({ created: 0, updated: 1, unchanged: 1, refused: 0 });
    expect((await read<Patient>('/fhir/Patient/a3')).active).toBe(true);
  });

  it('can be done again for whom the server labels what they write, or hides elements: neither makes a version', async () => {
    const lines = [
      JSON.stringify({ resourceType: 'Patient', id: 'ours', gender: 'male' }),
      '{"resourceType":"Condition","id":"ours","subject":{"reference":"Patient/ours"}}',
    ].join('\n');
    server.owner = { establishments: ['ch-a'] };
    expect((await server.imported(lines)).outcome).toMatchObject({ created: 2 });
    expect((await server.imported(lines)).outcome).toMatchObject({ updated: 0, unchanged: 2 });
    // Whoever else tells of a patient gets to see them: that is a change, once.
    server.owner = { establishments: ['ch-b'] };
    expect((await server.imported(lines)).outcome).toMatchObject({ updated: 1, unchanged: 1 });
    expect((await server.imported(lines)).outcome).toMatchObject({ updated: 0, unchanged: 2 });
    const { meta } = await read<Patient>('/fhir/Patient/ours');
    expect(meta!.security!.map(({ code }) => code)).toEqual(['ch-a', 'ch-b']);
    await server.put({ resourceType: 'Patient', id: 'ours', gender: 'male', birthDate: '1950-01-01' });
    server.owner = { hidden: new Map([['Patient', ['birthDate']]]) };
    expect((await server.imported(lines)).outcome).toMatchObject({ updated: 0, unchanged: 2 });
    expect((await read<Patient>('/fhir/Patient/ours')).birthDate).toBe('1950-01-01');
  });

  it('does not tell whether a line is what somebody does not see of a resource, or a resource they do not see', async () => {
    const guess = (birthDate: string, more = {}) =>
      JSON.stringify({ resourceType: 'Patient', id: 'secret', birthDate, ...more });
    await server.imported(guess('1950-01-01'));
    server.owner = { hidden: new Map([['Patient', ['birthDate']]]) };
    const right = await server.imported(guess('1950-01-01'));
    expect((await server.imported(guess('1951-01-01'))).outcome).toEqual(right.outcome);
    expect((await read<Patient>('/fhir/Patient/secret')).birthDate).toBe('1950-01-01');
    const elsewhere = 'https://fhir.passerelle.example/sid/establishment|ch-z';
    server.owner = { rows: { keys: [{ parameter: '_security', value: elsewhere }], whole: [] } };
    const answers = [guess('1950-01-01'), guess('1951-01-01'), guess('1950-01-01', { id: 'nobody' })];
    for (const line of answers) expect((await server.imported(line)).outcome).toMatchObject({ refused: 1 });
  });

  it('refuses a part of a resource as an update does: an export of some elements would replace the whole', async () => {
    const whole = { resourceType: 'Patient' as const, id: 'whole', gender: 'male' as const, birthDate: '1950-01-01' };
    await server.put(whole);
    const { output } = await server.exported('/fhir/$export?_type=Patient&_elements=gender');
    const part = (await server.linesOf(output)).find(({ id }) => id === 'whole');
    const manifest = await server.imported(JSON.stringify(part));
    expect(manifest.outcome).toMatchObject({ updated: 0, refused: 1 });
    expect(await read<Patient>('/fhir/Patient/whole')).toMatchObject(whole);
  });

  it('refuses a line in another encoding, or with a property twice, instead of altering it', async () => {
    const latin = Buffer.from('{"resourceType":"Patient","id":"latin","name":[{"family":"TEST-LEFÈVRE"}]}', 'latin1');
    const twice = '{"resourceType":"Patient","id":"twice","birthDate":"1950","birthDate":"1960"}';
    const manifest = await server.imported(Buffer.concat([latin, Buffer.from(`\n${twice}\n${patients(1, 'u')[0]}`)]));
    expect(manifest.outcome).toMatchObject({ created: 1, refused: 2 });
    expect((await server.request({ url: '/fhir/Patient/latin' })).statusCode).toBe(404);
    expect((await server.request({ url: '/fhir/Patient/twice' })).statusCode).toBe(404);
  });

  it('tells each refused line, by its number, and stores the others', async () => {
    const manifest = await server.imported(
      [
        patients(1, 'b')[0],
        'not json',
        '{"resourceType":"Patient"}',
        '{"resourceType":"Cat","id":"x"}',
        '{"resourceType":"Patient","id":"b1","gender":"x"}',
        '{"resourceType":"Patient","id":"hooked"}',
        '{"resourceType":["Patient"],"id":"x"}',
        patients(3, 'b')[2],
      ].join('\n'),
    );
    expect(manifest.outcome).toEqual({ created: 2, updated: 0, unchanged: 0, refused: 6 });
    expect(manifest.error).toMatchObject([{ type: 'OperationOutcome', count: 6 }]);
    const outcomes = (await server.linesOf(manifest.error)) as unknown as OperationOutcome[];
    expect(outcomes.map(({ issue }) => issue[0]!.location![0])).toEqual([
      'line 2',
      'line 3',
      'line 4',
      'line 5',
      'line 6',
      'line 7',
    ]);
    expect(outcomes[3]!.issue[0]!.expression).toEqual(['Patient.gender']);
    expect((await server.request({ url: '/fhir/Patient/b2' })).statusCode).toBe(200);
    expect((await server.request({ url: '/fhir/Patient/hooked' })).statusCode).toBe(404);
  });

  it('keeps what refers to a later line of its batch, whatever another line is refused for', async () => {
    const checking = await bulkServer({ checkReferences: true });
    const manifest = await checking.imported(
      [
        '{"resourceType":"Task","id":"first","status":"requested","intent":"order","focus":{"reference":"ServiceRequest/later"}}',
        '{"resourceType":"Patient","id":"wrong","gender":"x"}',
        '{"resourceType":"Patient","id":"unknown-link","managingOrganization":{"reference":"Organization/later-org"}}',
        '{"resourceType":"ServiceRequest","id":"later","status":"active","intent":"order","subject":{"reference":"Patient/last"}}',
        'not json',
        '{"resourceType":"Organization","id":"later-org","name":"TEST"}',
        '{"resourceType":"Patient","id":"last"}',
      ].join('\n'),
    );
    expect(manifest.outcome).toEqual({ created: 5, updated: 0, unchanged: 0, refused: 2 });
    const outcomes = (await checking.linesOf(manifest.error)) as unknown as OperationOutcome[];
    expect(outcomes.map(({ issue }) => issue[0]!.location![0])).toEqual(['line 2', 'line 5']);
    await checking.close();
  });

  it('needs the right to write each type', async () => {
    server.refused = ({ interaction, type }) => interaction === 'update' && type === 'Organization';
    const manifest = await server.imported(
      ['{"resourceType":"Organization","id":"o","name":"O"}', patients(1, 'r')[0]].join('\n'),
    );
    expect(manifest.outcome).toMatchObject({ created: 1, refused: 1 });
    server.refused = ({ operation }) => operation === 'import';
    const refused = await server.request({ method: 'POST', url: '/fhir/$import', headers: ndjson, payload: 'x' });
    expect(refused.statusCode).toBe(403);
  });

  it('stops when the account loses the right or is shut off, whatever it was when it asked', async () => {
    const begin = async (lines: string[]) => {
      const begun = await server.request({
        method: 'POST',
        url: '/fhir/$import',
        headers: ndjson,
        payload: lines.join('\n'),
      });
      return String(begun.headers['content-location']).replace(base, '/fhir');
    };
    const failed = { issue: [{ code: 'forbidden' }] };
    // After the first batch of two hundred lines.
    const losing = await begin(patients(250, 'lost'));
    server.store.beforeCommit(({ id }) => {
      if (id === 'lost0') server.refused = ({ operation }) => operation === 'import';
    });
    await server.bulk.worker.sweep();
    server.refused = () => false;
    expect((await server.request({ url: losing })).json()).toMatchObject(failed);
    expect((await server.request({ url: '/fhir/Patient/lost199' })).statusCode).toBe(200);
    expect((await server.request({ url: '/fhir/Patient/lost200' })).statusCode).toBe(404);
    const waiting = await begin(patients(1, 'shut'));
    server.closed.add('alice');
    await server.bulk.worker.sweep();
    server.closed.clear();
    expect((await server.request({ url: waiting })).json()).toMatchObject(failed);
    expect((await server.request({ url: '/fhir/Patient/shut0' })).statusCode).toBe(404);
  });

  it('loses no line to others who write the same resources: it tries again, and again in another attempt', async () => {
    const contention = () => Object.assign(new FhirError(409, 'conflict', 'another change'), { code: '40P01' });
    let failures = 3;
    server.store.beforeCommit(({ id }) => {
      if (id === 'busy1' && failures-- > 0) throw contention();
    });
    const soon = await server.imported(patients(3, 'busy').join('\n'));
    expect(soon).toMatchObject({ outcome: { created: 3, refused: 0 }, error: [] });
    // More often than one attempt tries.
    failures = 7;
    server.store.beforeCommit(({ id }) => {
      if (id === 'busier1' && failures-- > 0) throw contention();
    });
    const later = await server.imported(patients(3, 'busier').join('\n'));
    expect(later).toMatchObject({ outcome: { created: 3, refused: 0 }, error: [] });
  });

  it('a database that fails while the list of refusals is sent ends that answer, and nothing else', async () => {
    const { error } = await server.imported('no line of JSON');
    const url = error[0]!.url.replace(base, '/fhir');
    const list = () => server.request({ url, headers: { 'accept-encoding': 'gzip' } });
    expect((await list()).statusCode).toBe(200);
    const owner = new pg.Client({ connectionString: server.database.adminUrl });
    await owner.connect();
    await owner.query('ALTER TABLE bulk_import_issue RENAME TO away');
    expect((await list()).statusCode).toBe(500);
    await owner.query('ALTER TABLE away RENAME TO bulk_import_issue');
    await owner.end();
    expect((await list()).statusCode).toBe(200);
  });

  it('takes gzip, refuses what is none, and what is not NDJSON', async () => {
    const post = (headers: object, payload: Buffer | string) =>
      server.request({ method: 'POST', url: '/fhir/$import', headers: { ...ndjson, ...headers }, payload });
    const begun = await post({ 'content-encoding': 'gzip' }, gzipSync(patients(3, 'z').join('\n')));
    expect(begun.statusCode).toBe(202);
    await server.bulk.worker.sweep();
    expect((await server.request({ url: '/fhir/Patient/z2' })).statusCode).toBe(200);
    expect((await post({ 'content-encoding': 'gzip' }, 'no gzip')).statusCode).toBe(400);
    expect((await post({ 'content-encoding': 'br' }, 'x')).statusCode).toBe(415);
    expect((await post({ 'content-type': 'text/plain' }, 'x')).statusCode).toBe(415);
    expect((await post({ prefer: '' }, 'x')).statusCode).toBe(400);
  });

  it('takes files that are Binaries of this server, and goes nowhere else for them', async () => {
    const lines = patients(2, 'f').join('\n');
    await server.put({
      resourceType: 'Binary',
      id: 'file',
      contentType: 'application/fhir+ndjson',
      data: Buffer.from(lines).toString('base64'),
    });
    const post = (url: string) =>
      server.request({
        method: 'POST',
        url: '/fhir/$import',
        headers: { ...json, ...respondAsync },
        payload: {
          resourceType: 'Parameters',
          parameter: [
            { name: 'inputFormat', valueCode: 'application/fhir+ndjson' },
            { name: 'input', part: [{ name: 'url', valueUrl: url }] },
          ],
        },
      });
    const begun = await post(`${base}/Binary/file`);
    expect(begun.statusCode).toBe(202);
    await server.bulk.worker.sweep();
    const status = await server.request({ url: String(begun.headers['content-location']).replace(base, '/fhir') });
    expect((status.json() as Manifest).outcome).toMatchObject({ created: 2 });
    expect((await post('http://169.254.169.254/latest')).statusCode).toBe(400);
    expect((await post('file:///etc/passwd')).statusCode).toBe(400);
    expect((await post('Binary/none')).statusCode).toBe(404);
  });

  it('takes several files one after the other, and refuses what it would not honour', async () => {
    for (const [id, lines] of [
      ['one', patients(2, 'g').join('\n')],
      ['two', patients(3, 'h').join('\n')],
    ] as const)
      await server.put({
        ...{ resourceType: 'Binary', id, contentType: 'application/fhir+ndjson' },
        data: Buffer.from(lines).toString('base64'),
      });
    const url = (id: string) => ({ name: 'url', valueUrl: `Binary/${id}` });
    const type = (valueCode: string) => ({ name: 'type', valueCode });
    const input = (...part: object[]) => ({ name: 'input', part });
    const post = (...parameter: object[]) =>
      server.request({
        ...{ method: 'POST', url: '/fhir/$import', headers: { ...json, ...respondAsync } },
        payload: { resourceType: 'Parameters', parameter },
      });
    const whole = await post(
      { name: 'inputSource', valueUri: 'https://ehr.example' },
      { name: 'storageDetail', part: [{ name: 'type', valueCode: 'https' }] },
      input(type('Patient'), url('one')),
      input(url('two')),
    );
    expect(whole.statusCode, whole.body).toBe(202);
    await server.bulk.worker.sweep();
    const status = await server.request({ url: String(whole.headers['content-location']).replace(base, '/fhir') });
    expect((status.json() as Manifest).outcome).toMatchObject({ created: 5, refused: 0 });
    for (const [parameters, said] of [
      [[input(url('one')), { name: 'mode', valueCode: 'overwrite' }], 'mode'],
      [[input(url('one'), url('two'))], 'url'],
      [[input(url('one'), { name: 'etag', valueString: 'x' })], 'etag'],
      [[input(type('Cat'), url('one'))], 'Cat'],
      [[input(url('one')), { name: 'storageDetail', part: [{ name: 'type', valueCode: 'aws-s3' }] }], 'storageDetail'],
      [[input(url('one')), { name: 'inputFormat', valueCode: 'text/csv' }], 'inputFormat'],
    ] as const) {
      const answer = await post(...parameters);
      expect([answer.statusCode, answer.body.includes(said)], said).toEqual([400, true]);
    }
  });

  it('writes nothing down while too many jobs wait', async () => {
    const post = (payload: string) =>
      server.request({ method: 'POST', url: '/fhir/$import', headers: ndjson, payload });
    const begun = await Promise.all(Array.from({ length: 5 }, (_, n) => post(patients(1, `q${n}-`)[0]!)));
    expect(begun.map(({ statusCode }) => statusCode)).toEqual([202, 202, 202, 202, 202]);
    // Not even looked at: it is no gzip.
    const full = await server.request({
      ...{ method: 'POST', url: '/fhir/$import', payload: 'x' },
      headers: { ...ndjson, 'content-encoding': 'gzip' },
    });
    expect([full.statusCode, full.headers['retry-after']]).toEqual([429, '60']);
    await server.bulk.worker.sweep();
  });

  it('goes on after a crash where it was, and stores no line twice', async () => {
    const lines = patients(250, 'k');
    const begun = await server.request({
      method: 'POST',
      url: '/fhir/$import',
      headers: ndjson,
      payload: lines.join('\n'),
    });
    // The node is gone after the first batch: its second transaction never commits.
    let batches = 0;
    const node = server.secondNode();
    server.store.beforeCommit(({ id }) => {
      if (id === 'k200' && batches++ === 0) throw new Error('power cut');
    });
    await node.worker.sweep();
    const { rows } = await server.database.transaction('aa', (sql) =>
      sql.query<{ state: string; lines: string }>(
        `SELECT state, lines FROM bulk_job WHERE tenant = 'aa' ORDER BY requested_at DESC LIMIT 1`,
      ),
    );
    expect(rows[0]).toEqual({ state: 'failed', lines: '200' });
    await server.database.transaction('aa', (sql) =>
      sql.query(`UPDATE bulk_job SET state = 'running', result = '{"created":200,"updated":0,"unchanged":0,"refused":0}', expires_at = NULL,
        lease_until = clock_timestamp() - interval '1 s' WHERE tenant = 'aa' AND state = 'failed'`),
    );
    await server.bulk.worker.sweep();
    const status = await server.request({ url: String(begun.headers['content-location']).replace(base, '/fhir') });
    expect((status.json() as Manifest).outcome).toEqual({ created: 250, updated: 0, unchanged: 0, refused: 0 });
    const search = await server.request({ url: '/fhir/Patient?_summary=count&_id=k0,k199,k200,k249' });
    expect(search.json()).toMatchObject({ total: 4 });
  });
});
