import { afterAll, beforeAll, expect, it } from 'vitest';
import { incidentResource } from '../../../src/access/incidents/index.ts';
import { fhirRoutes, systemContext } from '../../../src/fhir/index.ts';
import { openRig, type Rig } from '../../access/support.ts';

let rig: Rig;
let incident: string;
let other: string;
beforeAll(async () => {
  rig = await openRig({
    routes: async (app, { store, access, clock }) => {
      await app.register(fhirRoutes, {
        ...{ prefix: '/fhir', store, guards: access, clock },
        baseUrl: () => 'http://passerelle.test',
      });
    },
  });
  const at = rig.clock.now();
  await rig.store.transaction(systemContext('aa', 'test', rig.clock), async (tx) => {
    const facts = { severity: 'critical', status: 'open', occurrences: 1, first: at, last: at } as const;
    incident = (await tx.create(incidentResource({ kind: 'brute-force', ...facts }, 'key'))).id;
    const code = { text: 'Fiche de suivi du patient' };
    other = (await tx.create({ resourceType: 'Basic', code, subject: { display: 'TEST-ROWS' } })).id;
  });
});
afterAll(() => rig.close());

it.each(['administrator', 'quality', 'auditor'])(
  '%s sees security incidents, and nothing else that is kept as a Basic',
  async (role) => {
    const account = { tenant: 'aa', kind: 'person' as const, reference: `Practitioner/${role}`, display: role };
    await rig.access.ensureAccount({ ...account, login: role, roles: [role] });
    const headers = { authorization: `Bearer ${await rig.access.issueToken(role, 60)}` };
    const get = (path: string) => rig.app.inject({ url: `/fhir/${path}`, headers });
    expect((await get(`Basic/${incident}`)).statusCode).toBe(200);
    for (const hidden of [`Basic/${other}`, `Basic/${other}/_history`, `Basic/${other}/_history/1`])
      expect((await get(hidden)).statusCode, hidden).toBe(404);
    const found = await get('Basic?_count=100');
    expect(found.body).toContain(incident);
    expect(found.body).not.toContain(other);
    expect(found.body).not.toContain('TEST-ROWS');
  },
);
