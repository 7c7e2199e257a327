import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administrationRoutes } from '../../../src/access/administration/index.ts';
import { insertLink } from '../../../src/access/federation/links.ts';
import type { OpenidSource } from '../../../src/config/index.ts';
import { noa, openRig, type Rig } from '../support.ts';

const password = 'Bonne-Phrase-2026-b';
const psc: OpenidSource = {
  ...{ name: 'psc', label: 'Pro Santé Connect', tenant: 'aa', issuer: 'https://psc.example', discovery: undefined },
  ...{ clientId: 'x', secret: undefined, scope: 'openid', acrValues: ['eidas1'], profile: 'pro-sante-connect' },
  ...{ accounts: 'known', secondFactor: true, rules: [] },
};

let rig: Rig;
let admin: string;
let other: string;
let radiologist: string;
let auditor: string;

beforeAll(async () => {
  rig = await openRig({
    identitySources: { ldap: [], openid: [psc] },
    routes: async (app, { access }) => {
      await app.register(administrationRoutes, { access });
    },
  });
  await rig.store.transaction(rig.context(noa, 'seed'), async (tx) => {
    await tx.create({ resourceType: 'Organization', id: 'nord', name: 'Nord' });
    await tx.create({ resourceType: 'Organization', id: 'sud', name: 'Sud' });
  });
  // Demonstration accounts need no second factor.
  const people = [
    ['aa', 'chef', 'administrator'],
    ['aa', 'chef2', 'administrator'],
    ['aa', 'radio', 'radiologist'],
    ['aa', 'audit', 'auditor'],
    ['bb', 'voisin', 'radiologist'],
  ] as const;
  for (const [tenant, login, role] of people) {
    await rig.access.ensureAccount({
      ...{ tenant, login, kind: 'person' as const, reference: `Practitioner/${login}`, display: login },
      ...{ roles: [role], password, demonstration: true },
    });
  }
  [admin, other, radiologist, auditor] = (await Promise.all(
    ['chef', 'chef2', 'radio', 'audit'].map((login) => sessionOf(login)),
  )) as [string, string, string, string];
});
afterAll(() => rig.close());

async function sessionOf(login: string): Promise<string> {
  const result = await rig.access.signIn({ username: login, password, network: '192.0.2.7', requestId: 'r' });
  if (result.status !== 'signed-in') throw new Error(`${login}: ${result.status}`);
  return `passerelle=${result.secret}`;
}

async function ask(
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  path: string,
  { as = admin, body }: { as?: string; body?: object } = {},
) {
  // Each at its own second, so that the trail tells which came first.
  rig.clock.advance(1_000);
  const headers = { cookie: as, 'x-passerelle': 'ui' };
  const answer = await rig.app.inject({ method, url: `/oauth2/${path}`, headers, ...(body ? { payload: body } : {}) });
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
}

const changes = async (login: string) =>
  (await rig.trail('subtype=administration'))
    .flatMap((event) => event.entity ?? [])
    .map(({ detail = [] }) => Object.fromEntries(detail.map((one) => [one.type, one.valueString])))
    .filter((facts) => facts.account === login);

describe('accounts', () => {
  it('are made with a password for one sign-in, readable once', async () => {
    const made = await ask('POST', 'accounts', {
      body: {
        login: 'Noa.Test',
        family: 'TEST',
        given: 'Noa',
        rpps: '99700990031',
        roles: ['radiologist'],
        establishments: ['nord'],
      },
    });
    expect(made.status).toBe(201);
    expect(made.body.account).toMatchObject({
      ...{ login: 'noa.test', display: 'Noa TEST', roles: ['radiologist'], establishments: ['nord'] },
      ...{ password: 'temporary', secondFactor: false, disabled: false },
    });
    const { temporaryPassword } = made.body;
    const first = await rig.access.signIn({
      username: 'noa.test',
      password: temporaryPassword,
      network: 'x',
      requestId: 'r',
    });
    expect(first).toMatchObject({ status: 'pending', step: 'change-password' });
    expect(JSON.stringify((await ask('GET', 'accounts')).body)).not.toContain(temporaryPassword);
    expect(await changes('noa.test')).toEqual([
      { account: 'noa.test', change: 'created', 'roles-after': 'radiologist', 'establishments-after': 'nord' },
    ]);
  });

  it.each([
    ['a name that is taken', { login: 'radio' }, 409],
    ['a professional who has an account', { login: 'noa2', rpps: '99700990031' }, 409],
    ['a role that does not exist', { roles: ['king'] }, 422],
    ['a role of machines', { roles: ['ris'] }, 422],
    ['an administrator who also reads', { roles: ['administrator', 'radiologist'] }, 422],
    ['an establishment that does not exist', { establishments: ['nowhere'] }, 422],
    ['no role', { roles: [] }, 400],
    ['an RPPS of the wrong length', { rpps: '123' }, 400],
  ])('are not made with %s', async (_what, change, status) => {
    const body = { login: 'nouveau', family: 'N', roles: ['radiologist'], ...change };
    expect((await ask('POST', 'accounts', { body })).status).toBe(status);
  });

  it('change roles and establishments, and the trail has what was and what is', async () => {
    const body = { roles: ['technologist', 'coordinator'], establishments: ['sud'] };
    const changed = await ask('PATCH', 'accounts/noa.test', { body });
    expect(changed.body.account).toMatchObject({ roles: ['technologist', 'coordinator'], establishments: ['sud'] });
    expect((await changes('noa.test')).at(-1)).toEqual({
      ...{
        account: 'noa.test',
        change: 'updated',
        'roles-before': 'radiologist',
        'roles-after': 'technologist coordinator',
      },
      ...{ 'establishments-before': 'nord', 'establishments-after': 'sud' },
    });
    const before = (await changes('noa.test')).length;
    await ask('PATCH', 'accounts/noa.test', { body });
    expect((await changes('noa.test')).length).toBe(before);
  });

  it('lose their sessions when they are shut off, and sign in again once opened', async () => {
    const session = await sessionOf('radio');
    expect((await ask('PATCH', 'accounts/radio', { body: { disabled: true } })).body.account.disabled).toBe(true);
    expect((await rig.app.inject({ url: '/oauth2/userinfo', headers: { cookie: session } })).statusCode).toBe(401);
    await ask('PATCH', 'accounts/radio', { body: { disabled: false } });
    radiologist = await sessionOf('radio');
  });

  it('get another password, lose their factors, have their sessions ended', async () => {
    const session = await sessionOf('radio');
    expect((await ask('POST', 'accounts/radio/end-sessions')).body.ended).toBeGreaterThan(0);
    expect((await rig.app.inject({ url: '/oauth2/userinfo', headers: { cookie: session } })).statusCode).toBe(401);
    expect((await ask('POST', 'accounts/radio/reset-factors')).status).toBe(204);
    const { temporaryPassword } = (await ask('POST', 'accounts/noa.test/reset-password')).body;
    expect(
      await rig.access.signIn({ username: 'noa.test', password: temporaryPassword, network: 'x', requestId: 'r' }),
    ).toMatchObject({
      step: 'change-password',
    });
    radiologist = await sessionOf('radio');
  });

  it('are tied to Pro Santé Connect by their RPPS, each to one', async () => {
    const tied = await ask('PUT', 'accounts/noa.test/links/psc', { body: { subject: '99700990031' } });
    expect(tied.body.account.links).toEqual([{ source: 'openid/psc', subject: '899700990031', follows: false }]);
    expect((await ask('PUT', 'accounts/radio/links/psc', { body: { subject: '99700990031' } })).status).toBe(409);
    expect((await ask('PUT', 'accounts/radio/links/psc', { body: { subject: 'radio' } })).status).toBe(422);
    expect((await ask('PUT', 'accounts/radio/links/other', { body: { subject: 'x' } })).status).toBe(404);
    expect((await ask('DELETE', 'accounts/noa.test/links/psc')).status).toBe(204);
    expect((await ask('DELETE', 'accounts/noa.test/links/psc')).status).toBe(404);
    expect((await changes('noa.test')).slice(-2).map((facts) => facts.change)).toEqual(['tied', 'untied']);
  });

  it('of a directory keep the roles their groups give', async () => {
    await rig.access.ensureAccount({
      ...{ tenant: 'aa', login: 'annuaire', kind: 'person' as const, reference: 'Practitioner/annuaire' },
      ...{ display: 'A', roles: ['radiologist'] },
    });
    const link = { source: 'ldap/chu' as const, subject: 'x', login: 'annuaire', follows: true, linkedBy: 'ldap/chu' };
    await rig.database.transaction('aa', (sql) => insertLink(sql, 'aa', { ...link, linkedAt: rig.clock.now() }));
    expect((await ask('PATCH', 'accounts/annuaire', { body: { roles: ['quality'] } })).status).toBe(409);
    expect((await ask('POST', 'accounts/annuaire/reset-password')).status).toBe(409);
    expect((await ask('PATCH', 'accounts/annuaire', { body: { disabled: true } })).status).toBe(200);
  });
});

describe('the administration', () => {
  it('is for the session of an administrator only, and a refusal is in the trail', async () => {
    for (const as of [radiologist, auditor]) {
      expect((await ask('GET', 'accounts', { as })).status).toBe(403);
      expect((await ask('PATCH', 'accounts/radio', { as, body: { roles: ['administrator'] } })).status).toBe(403);
    }
    expect((await ask('GET', 'accounts', { as: '' })).status).toBe(401);
    const token = await rig.access.issueToken('chef', 60);
    const byToken = await rig.app.inject({ url: '/oauth2/accounts', headers: { authorization: `Bearer ${token}` } });
    expect(byToken.statusCode).toBe(403);
    expect((await rig.trail('subtype=administration&outcome=8')).length).toBeGreaterThan(0);
  });

  it('is not reached by a page of another site', async () => {
    const answer = await rig.app.inject({
      method: 'POST',
      url: '/oauth2/accounts/radio/end-sessions',
      headers: { cookie: admin },
    });
    expect(answer.statusCode).toBe(403);
  });

  it('does nothing to the administrator’s own account', async () => {
    expect((await ask('PATCH', 'accounts/chef', { body: { roles: ['radiologist'] } })).status).toBe(403);
    expect((await ask('PATCH', 'accounts/chef', { body: { disabled: true } })).status).toBe(403);
    expect((await ask('POST', 'accounts/chef/reset-factors')).status).toBe(403);
    expect((await ask('PATCH', 'accounts/chef2', { body: { disabled: true } })).status).toBe(200);
    expect((await ask('GET', 'accounts', { as: other })).status).toBe(401);
  });

  it('ends at the tenant: accounts of others do not exist', async () => {
    expect(JSON.stringify((await ask('GET', 'accounts')).body)).not.toContain('voisin');
    const foreign = await ask('PATCH', 'accounts/voisin', { body: { disabled: true } });
    const missing = await ask('PATCH', 'accounts/personne', { body: { disabled: true } });
    expect(foreign).toEqual(missing);
    expect(foreign.status).toBe(404);
  });

  it('gives nobody the administrator’s way to a patient', async () => {
    expect((await ask('PATCH', 'accounts/radio', { body: { roles: ['administrator', 'quality'] } })).status).toBe(422);
  });
});

describe('who held a technical account', () => {
  const holding = { holder: 'Mme Technique', company: 'Éditeur SA', reason: 'Mise en service du RIS' };

  beforeAll(async () => {
    await rig.access.ensureAccount({
      ...{
        tenant: 'aa',
        login: 'ris-1',
        kind: 'machine' as const,
        reference: 'Device/ris-1',
        display: 'RIS 1',
        roles: ['ris'],
      },
    });
  });

  it('is kept by administrators, one holder at a time, and read by auditors', async () => {
    const first = await ask('POST', 'technical-accounts/ris-1/holders', { body: holding });
    expect(first.status).toBe(201);
    rig.clock.advance(60_000);
    expect((await ask('POST', 'technical-accounts/ris-1/holders', { body: holding })).status).toBe(409);
    expect((await ask('POST', `technical-accounts/ris-1/holders/${first.body.id}/end`)).status).toBe(204);
    expect((await ask('POST', `technical-accounts/ris-1/holders/${first.body.id}/end`)).status).toBe(404);
    await ask('POST', 'technical-accounts/ris-1/holders', { body: { ...holding, holder: 'M. Suivant' } });
    auditor = await sessionOf('audit');
    const { accounts } = (await ask('GET', 'technical-accounts', { as: auditor })).body;
    const [ris] = accounts;
    expect(ris).toMatchObject({ login: 'ris-1', kind: 'machine' });
    expect(ris.holders).toMatchObject([
      { holder: 'M. Suivant', until: null, endedBy: null },
      { ...holding, recordedBy: 'chef', endedBy: 'chef' },
    ]);
    expect((await changes('ris-1')).map((facts) => facts.change)).toEqual(['holder', 'holder ended', 'holder']);
  });

  it('is neither rewritten nor deleted by the program', async () => {
    for (const statement of [
      `DELETE FROM technical_holder WHERE tenant = 'aa'`,
      `UPDATE technical_holder SET holder = 'x' WHERE tenant = 'aa'`,
    ]) {
      await expect(rig.database.query('aa', statement)).rejects.toThrow('permission denied');
    }
  });

  it('is not written by auditors, nor about people', async () => {
    expect((await ask('POST', 'technical-accounts/ris-1/holders', { as: auditor, body: holding })).status).toBe(403);
    expect((await ask('POST', 'technical-accounts/radio/holders', { body: holding })).status).toBe(404);
  });
});
