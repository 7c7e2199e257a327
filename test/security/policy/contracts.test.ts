/** Contracts over HTTP: written by coordinators and administrators, hidden from the others, refused when they cannot be applied. */
import type { Contract, OperationOutcome } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FhirError, fhirRoutes, systemContext } from '../../../src/fhir/index.ts';
import { guardContract } from '../../../src/teleradiology/contract-terms/index.ts';
import { penaltiesOperation } from '../../../src/teleradiology/penalties/index.ts';
import { openRig, type Rig } from '../../access/support.ts';
import { contractOf, minutes, urgency } from '../../teleradiology/contract-terms/contracts.ts';

let rig: Rig;
const tokens = new Map<string, string>();
const roles = ['coordinator', 'administrator', 'radiologist', 'requester', 'quality'] as const;

beforeAll(async () => {
  rig = await openRig({
    routes: async (app, { store, access, clock }) => {
      store.beforeCommit(guardContract);
      store.registerOperation(penaltiesOperation);
      const baseUrl = () => 'http://passerelle.test';
      await app.register(fhirRoutes, { prefix: '/fhir', store, guards: access, clock, baseUrl });
    },
  });
  for (const role of roles) {
    const account = { tenant: 'aa', login: role, kind: 'person', reference: `Practitioner/${role}` } as const;
    await rig.access.ensureAccount({ ...account, display: role, roles: [role] });
    tokens.set(role, await rig.access.issueToken(role, 86_400));
  }
  await rig.store.transaction(systemContext('aa', 'system:seed', rig.clock), (tx) =>
    tx.update({ resourceType: 'Organization', id: 'ch-exemple', name: 'CH-EXEMPLE' }),
  );
}, 60_000);
afterAll(() => rig.close());

function send(role: (typeof roles)[number], method: 'GET' | 'POST' | 'PUT', path: string, body?: object) {
  return rig.app.inject({
    method,
    url: `/fhir/${path}`,
    headers: { authorization: `Bearer ${tokens.get(role)}`, 'content-type': 'application/fhir+json' },
    ...(body ? { payload: JSON.stringify(body) } : {}),
  });
}
const contract = (amount: number): Contract =>
  contractOf([{ rule: 'all', clock: 'interpretation', parts: [minutes(amount)] }]);

describe('a contract', () => {
  it('is written by a coordinator, changed by an administrator, and shown to neither readers nor sites', async () => {
    const created = await send('coordinator', 'POST', 'Contract', contract(60));
    expect(created.statusCode, created.body).toBe(201);
    const { id } = created.json<Contract>();
    const changed = await send('administrator', 'PUT', `Contract/${id}`, { ...contract(45), id });
    expect(changed.statusCode, changed.body).toBe(200);
    expect((await send('coordinator', 'GET', `Contract/${id}/_history/1`)).statusCode).toBe(200);
    for (const role of ['radiologist', 'requester', 'quality'] as const) {
      expect((await send(role, 'GET', `Contract/${id}`)).statusCode).toBe(403);
      expect((await send(role, 'PUT', `Contract/${id}`, { ...contract(5), id })).statusCode).toBe(403);
      expect((await send(role, 'GET', 'Organization/ch-exemple/$penalties?month=2026-03')).statusCode).toBe(403);
    }
  });

  it('that cannot be applied is answered 422, in French, at the element', async () => {
    const wrong = contractOf([{ rule: 'all', clock: 'interpretation', parts: [urgency('urgent')] }]);
    const answer = await send('coordinator', 'POST', 'Contract', wrong);
    expect(answer.statusCode).toBe(422);
    expect(answer.json<OperationOutcome>().issue).toMatchObject([
      { expression: ['Contract.term[0]'], details: { text: expect.stringContaining('délai en minutes') } },
    ]);
  });
});

describe('the penalties of a month', () => {
  it('are asked by GET, as Parameters or as a table', async () => {
    const path = 'Organization/ch-exemple/$penalties?month=2026-03';
    const answer = await send('coordinator', 'GET', path);
    expect(answer.json()).toMatchObject({
      resourceType: 'Parameters',
      parameter: expect.arrayContaining([{ name: 'late', valueUnsignedInt: 0 }]),
    });
    const table = await send('administrator', 'GET', `${path}&format=csv`);
    expect(table.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(table.body).toContain('"Dossier";"Horloge";"Clause"');
  });

  it('are for whoever may read the contract they follow from: an app that was given the directory alone is refused', async () => {
    const context = systemContext('aa', 'operation:Organization/$penalties', rig.clock);
    const asked = rig.store.transaction(context, async (tx) =>
      penaltiesOperation.run({
        ...{ tx, id: 'ch-exemple', base: '', query: '', isAllowed: () => false },
        parameters: { resourceType: 'Parameters', parameter: [{ name: 'month', valueString: '2026-03' }] },
        authorize: ({ type }) => {
          if (type !== 'Organization') throw new FhirError(403, 'forbidden', `not ${type}`);
        },
      }),
    );
    await expect(asked).rejects.toMatchObject({ status: 403, message: 'not Contract' });
  });
});
