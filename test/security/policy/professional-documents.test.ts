/** Certificates of professionals are seen by who keeps the register and by whom they are about, and open no way to a patient's documents. */
import type { Bundle, DocumentReference } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fhirRoutes, systemContext } from '../../../src/fhir/index.ts';
import { openRig, type Rig } from '../../access/support.ts';

let rig: Rig;
const tokens = new Map<string, string>();
const accounts = {
  keeper: ['administrator', undefined],
  planner: ['coordinator', undefined],
  reader: ['radiologist', 'north'],
  'other-reader': ['radiologist', 'north'],
  asker: ['requester', 'north'],
  operator: ['switchboard', 'north'],
} as const;
let certificate: string;
let report: string;

beforeAll(async () => {
  rig = await openRig({
    routes: async (app, { store, access, clock }) => {
      const baseUrl = () => 'http://passerelle.test';
      await app.register(fhirRoutes, { prefix: '/fhir', store, guards: access, clock, baseUrl });
    },
  });
  for (const [login, [role, organizationId]] of Object.entries(accounts)) {
    const account = { tenant: 'aa', login, reference: `Practitioner/${login}`, display: login, roles: [role] };
    await rig.access.ensureAccount({ ...account, kind: 'person', ...(organizationId ? { organizationId } : {}) });
    tokens.set(login, await rig.access.issueToken(login, 86_400));
  }
  const category = [
    { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/document-category', code: 'professional' }] },
  ];
  await rig.store.transaction(systemContext('aa', 'system:seed', rig.clock), async (tx) => {
    const patient = await tx.create({ resourceType: 'Patient', name: [{ family: 'TEST-PATIENT' }] });
    const content = [{ attachment: { contentType: 'application/pdf', data: 'JVBERi0xLjQ=' } }];
    const document: DocumentReference = { resourceType: 'DocumentReference', status: 'current', content };
    certificate = (await tx.create({ ...document, category, subject: { reference: 'Practitioner/reader' } })).id;
    report = (await tx.create({ ...document, subject: { reference: `Patient/${patient.id}` } })).id;
  });
}, 60_000);
afterAll(() => rig.close());

const get = (login: string, path: string) =>
  rig.app.inject({ url: `/fhir/${path}`, headers: { authorization: `Bearer ${tokens.get(login)}` } });

describe('certificates of professionals', () => {
  it.each(['keeper', 'planner', 'reader'])('are seen by %s, who sees no document of a patient', async (login) => {
    const found = await get(login, 'DocumentReference');
    expect((found.json() as Bundle).entry?.map(({ resource }) => resource?.id)).toEqual([certificate]);
    expect((await get(login, `DocumentReference/${certificate}`)).statusCode).toBe(200);
    expect((await get(login, `DocumentReference/${report}`)).statusCode).toBe(404);
  });

  it.each(['other-reader', 'asker'])('are not seen by %s', async (login) => {
    expect((await get(login, `DocumentReference/${certificate}`)).statusCode).toBe(404);
    expect(((await get(login, 'DocumentReference')).json() as Bundle).entry).toBeUndefined();
  });

  it('are none of the switchboard’s business, which reads establishments and asks whom to call', async () => {
    for (const path of ['DocumentReference', 'Patient', 'Practitioner', 'Task', 'Slot'])
      expect((await get('operator', path)).statusCode).toBe(403);
    expect((await get('operator', 'Organization')).statusCode).toBe(200);
  });
});
