/** What the log says when things go wrong, at its most talkative: no secret, no token, nothing about a patient. */
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { sendMessage } from '../../../src/adapters/hl7v2/index.ts';
import { render, request, withField } from '../../fixtures/hl7v2/messages.ts';
import { testFile } from '../../imaging/dicom-file.ts';
import { openWholeServer, type WholeServer } from './whole-server.ts';

/** Each may be sent, none may be logged. */
const secrets = {
  family: 'ZQFAMILLE',
  given: 'ZQPRENOM',
  ins: '299012345678901',
  password: 'Zq-mot-de-passe-9!',
  token: 'zq-token-that-nobody-has',
  cookie: 'zq-session-that-nobody-has',
  address: '7 rue Zqexemple',
};
let whole: WholeServer;
let token: string;
const written: string[] = [];

beforeAll(async () => {
  const write = process.stderr.write.bind(process.stderr);
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk, ...rest) => {
    const text = chunk.toString();
    if (!text.startsWith('{"level"')) return (write as (...all: unknown[]) => boolean)(chunk, ...rest);
    written.push(text);
    const done = rest.find((one) => typeof one === 'function') as (() => void) | undefined;
    done?.();
    return true;
  });
  whole = await openWholeServer({ LOG_LEVEL: 'trace' });
  token = await whole.token('conformance');
});
afterAll(async () => {
  await whole?.close().catch(() => undefined);
  vi.restoreAllMocks();
});

const patient = {
  resourceType: 'Patient',
  identifier: [{ system: 'urn:oid:1.2.250.1.213.1.4.10', value: secrets.ins }],
  name: [{ family: secrets.family, given: [secrets.given] }],
  address: [{ line: [secrets.address] }],
};
const json = 'application/fhir+json';

function ask(
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  const all = { authorization: `Bearer ${token}`, 'content-type': json, ...headers };
  return fetch(`${whole.server.httpUrl}${path}`, { method, headers: all, ...(body === undefined ? {} : { body }) });
}

/** Everything that carries something confidential, once; answers the statuses. */
async function everything(): Promise<number[]> {
  const message = withField(
    request({ controlId: `LOG-${written.length}` }),
    'PID',
    5,
    `${secrets.family}^${secrets.given}`,
  );
  const mllp = { host: '127.0.0.1', port: whole.server.mllpPort, answerMs: 5_000 };
  await sendMessage(mllp, Buffer.from(render(message))).catch(() => undefined);
  await sendMessage(mllp, Buffer.from(`MSH|^~\\&|RIS|x|||20260101||ORM^O01|1|T|2.5.1\rPID|||${secrets.ins}\r`)).catch(
    () => undefined,
  );
  const file = testFile({ elements: [[0x00100010, 'PN', `${secrets.family}^${secrets.given}`]] });
  const dicom = { 'content-type': 'application/dicom', accept: 'application/dicom+json' };
  const search = `family=${secrets.family}&identifier=${secrets.ins}`;
  const login = JSON.stringify({ username: secrets.family.toLowerCase(), password: secrets.password });
  const bundle = {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [{ resource: patient, request: { method: 'POST', url: `Patient?${search}` } }],
  };
  const answers = await Promise.all([
    ask('POST', '/fhir/Patient', JSON.stringify(patient)),
    ask('POST', '/fhir/Patient', JSON.stringify({ ...patient, gender: secrets.family })),
    ask('POST', '/fhir/Patient', `{"name": "${secrets.family}`),
    ask('POST', '/fhir/Patient', `<Patient><name value="${secrets.family}">`, {
      'content-type': 'application/fhir+xml',
    }),
    ask('POST', '/fhir', JSON.stringify(bundle)),
    ask('PUT', `/fhir/Patient?${search}`, JSON.stringify(patient)),
    ask('GET', `/fhir/Patient?${search}`),
    ask('GET', `/fhir/Patient?nonsense=${secrets.family}`),
    ask('GET', `/fhir/Patient?_filter=family eq "${secrets.family}" and`),
    ask('POST', '/fhir/Patient/_search', search, { 'content-type': 'application/x-www-form-urlencoded' }),
    ask('GET', `/fhir/$graphql?query={PatientList(family:"${secrets.family}"){id}`),
    ask('GET', `/fhir/${secrets.family}/%E0%A4%A`),
    ask('POST', '/dicomweb/studies', new Uint8Array(file), dicom),
    ask('POST', '/dicomweb/studies', new Uint8Array(file.subarray(0, file.length - 3)), dicom),
    ask('GET', `/dicomweb/studies?PatientName=${secrets.family}`, undefined, dicom),
    ask('GET', `/dicomweb/studies?Nonsense=${secrets.family}`, undefined, dicom),
    ask('POST', '/oauth2/login', login, { 'content-type': 'application/json' }),
    ask('POST', '/oauth2/login', `{"password":"${secrets.password}"`, { 'content-type': 'application/json' }),
    ask('GET', '/fhir/Patient', undefined, { authorization: `Bearer ${secrets.token}` }),
    ask('GET', '/oauth2/userinfo', undefined, { authorization: '', cookie: `passerelle-session=${secrets.cookie}` }),
  ]);
  for (const answer of answers) await answer.text();
  return answers.map(({ status }) => status);
}

function expectNothingTold(): void {
  const told = (secret: string) => written.filter((line) => line.toLowerCase().includes(secret.toLowerCase()));
  for (const [name, secret] of Object.entries({ ...secrets, real: token, database: 'postgresql://' }))
    expect([name, told(secret)]).toEqual([name, []]);
}

it('refusals of every kind', async () => {
  const statuses = await everything();
  expect(statuses.filter((status) => status >= 500)).toEqual([]);
  expectNothingTold();
});

it('failures of the database that quote rows and statements', async () => {
  const client = new pg.Client({ connectionString: whole.server.database.adminUrl });
  await client.connect();
  // A row that cannot be written is quoted whole in PostgreSQL's own words.
  for (const schema of ['fhir', 'public']) {
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = $1
       AND tablename ~ '^(patient|dicom_study|dicom_instance|hl7v2_message|login_throttle)$'`,
      [schema],
    );
    for (const { name } of rows)
      await client.query(`ALTER TABLE ${name} ADD CONSTRAINT nothing CHECK (false) NOT VALID`);
  }
  const before = written.length;
  const statuses = await everything();
  expect(statuses.some((status) => status >= 500)).toBe(true);
  expect(written.length).toBeGreaterThan(before);
  await client.query('DROP SCHEMA fhir CASCADE');
  await client.end();
  expect((await everything()).some((status) => status >= 500)).toBe(true);
  expectNothingTold();
});

it('a database that is gone', async () => {
  await whole.server.database.close();
  expect((await everything()).some((status) => status >= 500)).toBe(true);
  expectNothingTold();
}, 60_000);
