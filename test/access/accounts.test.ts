import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRig, type Rig } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig({ secure: true });
});
afterAll(() => rig.close());

const account = {
  tenant: 'aa',
  login: 'lou',
  kind: 'person' as const,
  reference: 'Practitioner/lou',
  display: 'Dr LOU TEST',
  roles: ['radiologist'],
};

const login = (username: string, password: string) =>
  rig.app.inject({ method: 'POST', url: '/oauth2/login', payload: { username, password } });

test('making an account again brings it to the new state and keeps a password that is not given', async () => {
  await rig.access.ensureAccount({ ...account, password: 'Hirondelle-47' });
  await rig.access.ensureAccount({ ...account, roles: ['coordinator'], display: 'LOU TEST' });
  const response = await login('lou', 'Hirondelle-47');
  expect(response.json()).toMatchObject({ roles: ['coordinator'], display: 'LOU TEST' });
  await rig.access.ensureAccount({ ...account, password: 'Martinet-2048' });
  expect((await login('lou', 'Hirondelle-47')).statusCode).toBe(401);
  expect((await login('lou', 'Martinet-2048')).statusCode).toBe(200);
  const [listed] = await rig.access.listAccounts('aa');
  expect(listed).not.toHaveProperty('passwordHash');
});

test('a session opened with other roles ends when the roles change', async () => {
  const answer = await login('lou', 'Martinet-2048');
  const headers = { cookie: String([answer.headers['set-cookie']].flat()[0]).split(';')[0]! };
  const whoAmI = async () => (await rig.app.inject({ url: '/oauth2/userinfo', headers })).statusCode;
  await rig.access.ensureAccount({ ...account, display: 'Pr LOU TEST' });
  expect(await whoAmI()).toBe(200);
  await rig.access.ensureAccount({ ...account, roles: ['radiologist', 'coordinator'] });
  expect(await whoAmI()).toBe(401);
});

test('over TLS the cookie is Secure and bound to this host', async () => {
  const response = await login('lou', 'Martinet-2048');
  expect(String(response.headers['set-cookie'])).toMatch(
    /^__Host-passerelle=.*; Path=\/; HttpOnly; SameSite=Strict; Secure;/,
  );
});

test('a login is one person’s on the whole platform', async () => {
  await expect(rig.access.ensureAccount({ ...account, tenant: 'bb' })).rejects.toMatchObject({ status: 409 });
  expect(await rig.access.listAccounts('bb')).toEqual([]);
});

test('an account that is malformed, has an unknown role or a weak password is refused by name', async () => {
  for (const [change, word] of [
    [{ login: 'a b' }, 'login'],
    [{ reference: 'Patient/1' }, 'reference'],
    [{ roles: [] }, 'roles'],
    [{ roles: ['system'] }, 'system'],
    [{ display: '' }, 'display'],
    [{ password: 'court' }, 'caractères'],
  ] as const) {
    await expect(rig.access.ensureAccount({ ...account, login: 'zoe', ...change })).rejects.toThrow(word);
  }
  await rig.access.ensureAccount({ ...account, login: 'demo1', password: 'demo', demonstration: true });
  expect((await login('demo1', 'demo')).statusCode).toBe(200);
});
