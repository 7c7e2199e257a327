/** An exclusion holds from its answer on, by every way into the server (CM-5): FHIR, DICOMweb, the chat, the worklist. */
import type { Bundle, Parameters, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemContext } from '../../../src/fhir/index.ts';
import { multipartBody, multipartType } from '../../adapters/dicomweb/server.ts';
import { smallCt } from '../../support/synthetic-ct.ts';
import { openWholeServer, type WholeServer } from '../surface/whole-server.ts';
import { askedFor, taskIdOf } from './asked-for.ts';

let whole: WholeServer;
let task: Task;
const study = '2.25.7301';
const tokens = new Map<string, string>();
const clock = { now: () => new Date() };
const people = {
  demandeur: { role: 'requester', kind: 'person' },
  radiologue: { role: 'radiologist', kind: 'person' },
  collegue: { role: 'radiologist', kind: 'person' },
  coordonnateur: { role: 'coordinator', kind: 'person' },
  pacs: { role: 'pacs', kind: 'machine' },
} as const;

async function send(who: string, method: string, path: string, body?: object | Buffer, type = 'application/fhir+json') {
  const answer = await fetch(`${whole.server.httpUrl}${path}`, {
    method,
    headers: {
      ...{ authorization: `Bearer ${tokens.get(who)}`, 'content-type': type },
      accept: path.startsWith('/dicomweb') ? 'application/dicom+json' : 'application/fhir+json',
    },
    ...(body ? { body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body) } : {}),
  });
  return { status: answer.status, text: await answer.text() };
}

const decide = (operation: 'exclude' | 'reinstate') =>
  send('coordonnateur', 'POST', `/fhir/Organization/nord/$${operation}`, {
    resourceType: 'Parameters',
    parameter: [
      { name: 'practitioner', valueReference: { reference: 'Practitioner/radiologue' } },
      ...(operation === 'exclude' ? [{ name: 'reason', valueString: 'Décision de la direction' }] : []),
    ],
  } satisfies Parameters);

const message = () => ({
  resourceType: 'Communication',
  status: 'completed',
  category: [
    { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/communication-category', code: 'message' }] },
  ],
  about: [{ reference: `Task/${task.id}` }],
  payload: [{ contentString: 'Un mot.' }],
});

beforeAll(async () => {
  whole = await openWholeServer({ LIMIT_ACCOUNT_RATE: 'off', LIMIT_ADDRESS_RATE: 'off' });
  const { server } = whole;
  await server.store.transaction(systemContext('aa', 'system:test', clock), async (tx) => {
    for (const [n, id] of ['nord', 'plateforme'].entries())
      await tx.update({
        ...{ resourceType: 'Organization', id, name: id },
        identifier: [{ system: 'https://finess.esante.gouv.fr', value: `33009999${n}` }],
      });
    await tx.update({ resourceType: 'Device', id: 'passerelle', owner: { reference: 'Organization/plateforme' } });
    for (const [id, { kind }] of Object.entries(people))
      await tx.update(
        kind === 'machine'
          ? { resourceType: 'Device', id }
          : { resourceType: 'Practitioner', id, name: [{ family: id }] },
      );
  });
  for (const [login, { role, kind }] of Object.entries(people)) {
    await server.access.ensureAccount({
      ...{ tenant: 'aa', login, kind, display: login, roles: [role] },
      reference: kind === 'machine' ? `Device/${login}` : `Practitioner/${login}`,
      ...(role === 'coordinator' ? {} : { organizationId: 'nord' }),
    });
    tokens.set(login, await server.access.issueToken(login, 3_600));
  }
  const opened = await send('demandeur', 'POST', '/fhir', askedFor);
  expect(opened.status, opened.text).toBe(200);
  const id = taskIdOf(JSON.parse(opened.text) as Bundle);
  task = JSON.parse((await send('demandeur', 'GET', `/fhir/Task/${id}`)).text) as Task;
  const images = multipartBody(smallCt({ studyUid: study, slices: 2 }));
  const stored = await send('pacs', 'POST', '/dicomweb/studies', images, multipartType);
  expect(stored.status, stored.text).toBeLessThan(300);
}, 60_000);
afterAll(async () => {
  await whole?.close();
});

/** Status of each way of asking for the case, and whether its answer tells of it. */
async function told(who: string): Promise<Record<string, string>> {
  const request = task.focus!.reference!;
  const patient = task.for!.reference!;
  const ways = [
    ...[`/fhir/Task/${task.id}`, `/fhir/Task/${task.id}/_history`, `/fhir/Task/${task.id}/_history/1`],
    ...[`/fhir/${request}`, `/fhir/${patient}`, '/fhir/Task?_count=50', '/fhir/Task/$worklist'],
    ...[`/fhir/ServiceRequest?_id=${request.split('/')[1]}&_include=*`, `/fhir/${patient}/$everything`],
    ...[`/dicomweb/studies/${study}/metadata`, '/dicomweb/studies', `/dicomweb/studies/${study}/series`],
  ];
  const answers: Record<string, string> = {};
  for (const path of ways) {
    const { status, text } = await send(who, 'GET', path);
    const tells = [study, 'TEST-MOREAU', 'DEM-1', '"resourceType":"Task"', '"requested"', '"received"'];
    answers[path] =
      status === 200 && tells.some((word) => text.replaceAll(' ', '').includes(word)) ? 'told' : `${status}`;
  }
  return answers;
}

it('takes the case out of the reader’s sight at once, and gives it back at once', async () => {
  const before = await told('radiologue');
  expect(new Set(Object.values(before)), JSON.stringify(before)).toEqual(new Set(['told']));
  expect((await send('radiologue', 'POST', '/fhir/Communication', message())).status).toBe(201);

  expect((await decide('exclude')).status).toBe(200);
  const after = await told('radiologue');
  expect(Object.entries(after).filter(([, answer]) => answer === 'told')).toEqual([]);
  expect(after[`/fhir/Task/${task.id}`]).toBe('404');
  expect(after[`/dicomweb/studies/${study}/metadata`]).toBe('404');
  const refused = await send('radiologue', 'POST', '/fhir/Communication', message());
  expect([403, 422], refused.text).toContain(refused.status);
  for (const [method, path, body] of [
    ['POST', `/fhir/Task/${task.id}/$claim`, { resourceType: 'Parameters' }],
    ['POST', `/fhir/Task/${task.id}/$read-messages`, { resourceType: 'Parameters' }],
    ['PATCH', `/fhir/Task/${task.id}`, []],
  ] as const)
    expect((await send('radiologue', method, path, body)).status, path).toBeGreaterThanOrEqual(400);

  for (const who of ['collegue', 'demandeur'])
    expect((await send(who, 'GET', `/fhir/Task/${task.id}`)).status, who).toBe(200);
  expect((await decide('reinstate')).status).toBe(200);
  expect(await told('radiologue')).toEqual(before);
  expect((await send('radiologue', 'POST', '/fhir/Communication', message())).status).toBe(201);
});

it('an emergency opens the record to be read, and nothing is said in it', async () => {
  expect((await decide('exclude')).status).toBe(200);
  const opened = await send('radiologue', 'POST', `/fhir/Task/${task.id}/$break-glass`, {
    resourceType: 'Parameters',
    parameter: [{ name: 'reason', valueString: 'Résultat critique vu juste avant' }],
  });
  expect(opened.status, opened.text).toBe(200);
  expect((await send('radiologue', 'GET', `/fhir/Task/${task.id}`)).status).toBe(200);
  const refused = await send('radiologue', 'POST', '/fhir/Communication', message());
  expect([refused.status, refused.text.includes('ne vous confie plus')]).toEqual([403, true]);
});
