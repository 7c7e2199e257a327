/** Who sees both sides of an identity problem, and who may decide about it (docs/fhir-conventions.md, "Identity problems"). */
import type { DetectedIssue } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fhirRoutes, systemContext } from '../../../src/fhir/index.ts';
import { openRig, type Rig } from '../../access/support.ts';

let rig: Rig;
let issue: string;
const tokens = new Map<string, string>();
const accounts = {
  vigilance: ['identity-vigilance', undefined],
  quality: ['quality', undefined],
  'north-radiologist': ['radiologist', 'north'],
  'north-technologist': ['technologist', 'north'],
  'south-radiologist': ['radiologist', 'south'],
  'north-requester': ['requester', 'north'],
} as const;

beforeAll(async () => {
  rig = await openRig({
    routes: async (app, { store, access, clock }) => {
      const baseUrl = () => 'http://passerelle.test';
      await app.register(fhirRoutes, { prefix: '/fhir', store, guards: access, clock, baseUrl });
    },
  });
  for (const [login, [role, organizationId]] of Object.entries(accounts)) {
    const account = { tenant: 'aa', login, kind: 'person', display: login, roles: [role] } as const;
    const bound = organizationId ? { organizationId } : {};
    await rig.access.ensureAccount({ ...account, reference: `Practitioner/${login}`, ...bound });
    tokens.set(login, await rig.access.issueToken(login, 86_400));
  }
  const context = { ...systemContext('aa', 'system:seed', rig.clock), establishments: ['north'] };
  issue = await rig.store.transaction(context, async (tx) => {
    const patient = await tx.create({ resourceType: 'Patient', name: [{ family: 'TEST-NORD' }] });
    const made = await tx.create<DetectedIssue>({
      resourceType: 'DetectedIssue',
      status: 'preliminary',
      patient: { reference: `Patient/${patient.id}` },
      detail: 'date de naissance différente',
      contained: [{ resourceType: 'Patient', id: 'known', name: [{ family: 'TEST-NORD' }], birthDate: '1950-04-17' }],
      evidence: [{ code: [{ coding: [{ code: 'birth-date' }] }], detail: [{ reference: '#known' }] }],
    });
    return made.id;
  });
}, 60_000);
afterAll(() => rig.close());

const send = (login: string, method: 'GET' | 'PUT' | 'DELETE', body?: object) =>
  rig.app.inject({
    method,
    url: `/fhir/DetectedIssue/${issue}`,
    headers: { authorization: `Bearer ${tokens.get(login)}`, 'content-type': 'application/fhir+json' },
    ...(body ? { payload: JSON.stringify(body) } : {}),
  });

describe('an identity problem', () => {
  it('shows both sides to identity vigilance, and to quality what differs without whose it is', async () => {
    const whole = (await send('vigilance', 'GET')).json<DetectedIssue>();
    expect(whole.contained).toMatchObject([{ birthDate: '1950-04-17' }]);
    expect(whole.patient?.reference).toMatch(/^Patient\//);
    const seen = await send('quality', 'GET');
    expect(seen.json<DetectedIssue>().evidence?.[0]?.code?.[0]?.coding?.[0]?.code).toBe('birth-date');
    expect(seen.body).not.toContain('TEST-NORD');
    expect(seen.body).not.toContain('1950');
    expect(seen.body).not.toContain('Patient/');
  });

  it('keeps its sides when somebody who does not see them decides', async () => {
    const seen = (await send('quality', 'GET')).json<DetectedIssue>();
    const mitigation = [{ action: { text: 'Vu' } }];
    expect((await send('quality', 'PUT', { ...seen, status: 'final', mitigation })).statusCode).toBe(200);
    const whole = (await send('vigilance', 'GET')).json<DetectedIssue>();
    expect(whole.contained).toMatchObject([{ birthDate: '1950-04-17' }]);
    expect(whole.mitigation).toHaveLength(1);
  });

  it('is written by those who may acknowledge a homonym in their establishment, and by nobody else; deleted by nobody', async () => {
    const whole = (await send('vigilance', 'GET')).json<DetectedIssue>();
    const codes = async (method: 'PUT' | 'DELETE') =>
      Object.fromEntries(
        await Promise.all(
          Object.keys(accounts).map(async (login) => {
            const body = method === 'PUT' ? whole : undefined;
            return [login, (await send(login, method, body)).statusCode] as const;
          }),
        ),
      );
    expect(await codes('DELETE')).toEqual({
      vigilance: 403,
      quality: 403,
      'north-radiologist': 403,
      'north-technologist': 403,
      'south-radiologist': 403,
      'north-requester': 403,
    });
    const written = await codes('PUT');
    expect(written['north-requester']).toBe(403);
    expect([written.vigilance, written['north-radiologist'], written['north-technologist']]).toEqual([200, 200, 200]);
    expect(written['south-radiologist']).not.toBe(200);
  });
});
