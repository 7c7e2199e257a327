/** Whoever edits the directory of a tenant (a RIS may) does not make one person act there as another. */
import type { Practitioner } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAccount } from '../../../src/access/administration/change.ts';
import { admit } from '../../../src/access/federation/admit.ts';
import { accept } from '../../../src/access/tenants/index.ts';
import { systemContext } from '../../../src/fhir/index.ts';
import { openRig, type Rig } from '../../access/support.ts';

const rpps = 'https://rpps.esante.gouv.fr';
const intruder = '10000000001';
let rig: Rig;
const context = () => systemContext('aa', 'system:test', rig.clock);
const acceptAs = (login: string) =>
  accept(rig, context(), { login, roles: ['radiologist'], establishments: ['site'] }, rig.clock.now());

beforeAll(async () => {
  rig = await openRig();
  const person = { kind: 'person', display: 'x', roles: ['radiologist'] } as const;
  await rig.store.transaction(context(), async (tx) => {
    await tx.create({ resourceType: 'Organization', id: 'site', name: 'SITE' });
    for (const id of ['of-the-house', 'accepted'])
      await tx.create<Practitioner>({
        ...{ resourceType: 'Practitioner', id, identifier: [{ system: rpps, value: `rpps-${id}` }] },
      });
  });
  await rig.store.transaction(systemContext('bb', 'system:test', rig.clock), async (tx) => {
    for (const [id, value] of [
      ['intruder', intruder],
      ['doctor', 'rpps-accepted'],
    ] as const)
      await tx.create<Practitioner>({ resourceType: 'Practitioner', id, identifier: [{ system: rpps, value }] });
  });
  await rig.access.ensureAccount({ ...person, tenant: 'aa', login: 'house', reference: 'Practitioner/of-the-house' });
  for (const login of ['intruder', 'doctor'])
    await rig.access.ensureAccount({ ...person, tenant: 'bb', login, reference: `Practitioner/${login}` });
  expect((await acceptAs('doctor')).reference).toBe('Practitioner/accepted');
});
afterAll(() => rig.close());

/** The number of the intruder on the resource of another. */
const forge = (id: string, identifier: object[]) =>
  rig.store.transaction(context(), (tx) => tx.update({ resourceType: 'Practitioner', id, identifier } as Practitioner));

it.each([
  ['of-the-house', [{ system: rpps, value: intruder }]],
  ['of-the-house', [{ system: 'https://fhir.passerelle.example/sid/account', value: 'intruder' }]],
  ['accepted', [{ system: rpps, value: intruder }]],
])('an account of another tenant is not accepted as %s', async (id, identifier) => {
  await forge(id, identifier);
  await expect(acceptAs('intruder')).rejects.toMatchObject({ status: 409 });
  await forge(id, [{ system: rpps, value: `rpps-${id}` }]);
});

it('nobody signs in from elsewhere, nor is given an account, as somebody who was accepted', async () => {
  await forge('accepted', [{ system: rpps, value: intruder }]);
  const admission = await admit(rig.access.federation.rooms, {
    ...{ source: 'openid/psc', tenant: 'aa', subject: 's', login: 'stranger', family: 'x', given: '', rpps: intruder },
    ...{ roles: ['radiologist'], establishments: [], mayCreate: true },
  });
  expect(admission).toEqual({ status: 'refused', reason: 'this professional has an account' });
  const caller = { context: context(), account: { tenant: 'aa' } } as Parameters<typeof createAccount>[1];
  const wanted = { login: 'stranger', family: 'x', rpps: intruder, roles: ['radiologist'] };
  await expect(createAccount(rig.access, caller, wanted)).rejects.toMatchObject({ status: 409 });
});
