/** A token whose scopes about one patient and about everybody meet on a type: what may be changed is never more than either says. */
import type { Observation, Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemContext } from '../../../src/fhir/index.ts';
import { authorization, decide, exchange, redirectUri, signIn } from '../../access/smart/app.ts';
import { openSmartRig, type SmartRig } from '../../access/smart/support.ts';

let rig: SmartRig;
let cookie: string;
/** The patient the person chose, and another the person sees, too. */
let chosen: string;
let other: string;
const observations = new Map<string, string>();

beforeAll(async () => {
  rig = await openSmartRig();
  cookie = await signIn(rig, 'noa', 'aa', ['conformance']);
  await rig.addClient({
    ...{ id: 'app', kind: 'public-app', redirectUris: [redirectUri] },
    scopes: ['launch/patient', 'patient/*.cruds', 'user/*.rs'],
  });
  [chosen, other] = await rig.store.transaction(systemContext('aa', 'system:seed', rig.clock), async (tx) => {
    const ids: string[] = [];
    for (const family of ['TEST-chosen', 'TEST-other']) {
      const { id } = await tx.create<Patient>({ resourceType: 'Patient', name: [{ family }] });
      const made = await tx.create(observationOf(id));
      observations.set(id, made.id);
      ids.push(id);
    }
    return ids as [string, string];
  });
});
afterAll(() => rig.close());

const observationOf = (patient: string): Observation => ({
  ...{ resourceType: 'Observation', status: 'final', code: { text: 'x' } },
  subject: { reference: `Patient/${patient}` },
});

async function tokenFor(scope: string): Promise<string> {
  const { query, verifier } = authorization('app', scope);
  const back = await decide(rig, query, cookie, { decision: 'accept', patient: chosen });
  const answer = await exchange(rig, 'app', { code: back.searchParams.get('code')!, verifier });
  return answer.access_token;
}

const send = (token: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, payload?: object) =>
  rig.app.inject({
    ...{ method, url: `/fhir/${path}` },
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
    ...(payload ? { payload } : {}),
  });

test('what may be read of everybody is not changed for it', async () => {
  const token = await tokenFor('launch/patient patient/Observation.cud user/Observation.rs user/Patient.rs');
  const foreign = observations.get(other)!;
  const changed = { ...observationOf(other), id: foreign, status: 'cancelled' };
  expect((await send(token, 'PUT', `Observation/${foreign}`, changed)).statusCode).not.toBe(200);
  expect((await send(token, 'DELETE', `Observation/${foreign}`)).statusCode).not.toBe(200);
  expect((await send(token, 'POST', 'Observation', observationOf(other))).statusCode).not.toBe(201);
  expect(await rig.store.read('aa', 'Observation', foreign)).toMatchObject({ status: 'final' });
  const { length } = await rig.store.search('aa', 'Observation', `subject=Patient/${other}`);
  expect(length).toBe(1);
});

test('a resource of the patient is not made another patient’s', async () => {
  const token = await tokenFor('launch/patient patient/Observation.cruds user/Patient.rs');
  const own = observations.get(chosen)!;
  expect((await send(token, 'PUT', `Observation/${own}`, { ...observationOf(other), id: own })).statusCode).not.toBe(
    200,
  );
  expect((await send(token, 'POST', 'Observation', observationOf(other))).statusCode).not.toBe(201);
  expect(await rig.store.read('aa', 'Observation', own)).toMatchObject({
    subject: { reference: `Patient/${chosen}` },
  });
});

test('what is about the patient is written and read', async () => {
  const token = await tokenFor('launch/patient patient/Observation.cruds patient/Patient.rs');
  const made = await send(token, 'POST', 'Observation', observationOf(chosen));
  expect(made.statusCode, made.body).toBe(201);
  const { id } = made.json();
  const put = await send(token, 'PUT', `Observation/${id}`, { ...observationOf(chosen), id, status: 'amended' });
  expect(put.statusCode, put.body).toBe(200);
});

test('a directory is read along with the patient, and not changed', async () => {
  const token = await tokenFor('launch/patient patient/*.cruds');
  const organization = { resourceType: 'Organization', name: 'x' };
  expect((await send(token, 'POST', 'Organization', organization)).statusCode).toBe(403);
  expect((await send(token, 'GET', 'Organization?name=x')).statusCode).toBe(200);
});
