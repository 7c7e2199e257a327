import fastify from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accessRoutes } from '../../src/access/index.ts';
import { FhirError } from '../../src/fhir/index.ts';
import { openRig, type Rig } from './support.ts';

const password = 'Hirondelle-47';
let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  const common = { tenant: 'aa', kind: 'person' as const, display: 'Dr NOA TEST', roles: ['radiologist'] };
  await rig.access.ensureAccount({ ...common, login: 'noa', reference: 'Practitioner/noa', password });
  await rig.access.ensureAccount({ ...common, login: 'gone', reference: 'Practitioner/gone', password });
  await rig.access.ensureAccount({ ...common, login: 'ada', reference: 'Practitioner/ada', password, tenant: 'bb' });
  await rig.access.ensureAccount({
    ...common,
    login: 'ris-a',
    kind: 'machine',
    reference: 'Device/ris-a',
    display: 'RIS A',
    roles: ['ris'],
  });
});
afterAll(() => rig.close());

/** Every test signs in from an address of its own, so that the delays of one do not hit another. */
function login(username: string, secret: string, address: string) {
  return rig.app.inject({
    method: 'POST',
    url: '/oauth2/login',
    payload: { username, password: secret },
    remoteAddress: address,
  });
}

async function session(username = 'noa', address = '192.0.2.10'): Promise<string> {
  const response = await login(username, password, address);
  return String(response.headers['set-cookie']).split(';')[0]!;
}

const request = (headers: Record<string, string>, method = 'GET') => ({ headers, ip: '192.0.2.1', id: 'r', method });

test('a right name and password open a session whose cookie scripts and other sites cannot use', async () => {
  const response = await login(' NOA ', password, '192.0.2.11');
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({
    tenant: 'aa',
    account: 'noa',
    display: 'Dr NOA TEST',
    reference: 'Practitioner/noa',
    roles: ['radiologist'],
  });
  const cookie = String(response.headers['set-cookie']);
  expect(cookie.split(',')[0]).toMatch(/^passerelle=aa\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
  expect(response.headers['cache-control']).toBe('no-store');
  const info = await rig.app.inject({ url: '/oauth2/userinfo', headers: { cookie: cookie.split(';')[0]! } });
  expect(info.json()).toMatchObject(response.json());
});

test('a login name finds its tenant, and the session acts there only', async () => {
  const cookie = await session('ada', '192.0.2.12');
  expect(await rig.access.authenticate(request({ cookie }))).toMatchObject({ tenant: 'bb', actor: { account: 'ada' } });
  const stolen = cookie.replace('=bb.', '=aa.');
  await expect(rig.access.authenticate(request({ cookie: stolen }))).rejects.toMatchObject({ status: 401 });
});

test('wrong password, unknown name, machine and disabled account get the same answer', async () => {
  await rig.access.setDisabled('gone', true);
  const answers = [
    await login('noa', 'wrong', '192.0.2.13'),
    await login('nobody', password, '192.0.2.13'),
    await login('ris-a', password, '192.0.2.13'),
    await login('gone', password, '192.0.2.13'),
  ];
  for (const answer of answers) {
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toEqual({
      error: 'invalid_credentials',
      message: 'Identifiant ou mot de passe incorrect.',
    });
    expect(answer.headers['set-cookie']).toBeUndefined();
  }
});

test('the secret of a session is nowhere in the database', async () => {
  const cookie = await session('noa', '192.0.2.14');
  const secret = cookie.split('=')[1]!;
  const { rows } = await rig.database.query<{ text: string }>('aa', 'SELECT credential::text AS text FROM credential');
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(row.text).not.toContain(secret.split('.')[1]);
});

test('after four mistakes each further one doubles the wait, for a name that exists and one that does not', async () => {
  for (const [name, address] of [
    ['victim', '192.0.2.20'],
    ['phantom', '192.0.2.21'],
  ] as const) {
    if (name === 'victim') {
      await rig.access.ensureAccount({
        tenant: 'aa',
        login: name,
        kind: 'person',
        reference: 'Practitioner/victim',
        display: 'Dr LOU TEST',
        roles: ['radiologist'],
        password,
      });
    }
    for (let mistake = 1; mistake <= 5; mistake += 1) {
      expect((await login(name, 'wrong', address)).statusCode, `${name} ${mistake}`).toBe(401);
    }
    for (const waitSeconds of [1, 2, 4]) {
      const early = await login(name, password, address);
      expect(early.statusCode).toBe(429);
      expect(early.headers['retry-after']).toBe(String(waitSeconds));
      rig.clock.advance(waitSeconds * 1000);
      expect((await login(name, 'wrong', address)).statusCode).toBe(401);
    }
    rig.clock.advance(15 * 60_000);
  }
  expect((await login('victim', password, '192.0.2.20')).statusCode).toBe(200);
  expect((await login('victim', 'wrong', '192.0.2.20')).statusCode).toBe(401);
  expect((await login('victim', password, '192.0.2.20')).statusCode).toBe(200);
});

test('guesses sent at the same time are all counted', async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, () => login('parallel', 'wrong', '192.0.2.30')));
  const codes = answers.map((answer) => answer.statusCode);
  expect(codes.filter((code) => code === 401)).toHaveLength(5);
  expect(codes.filter((code) => code === 429)).toHaveLength(7);
});

test('one address trying many names is slowed down too', async () => {
  const codes: number[] = [];
  for (let n = 0; n < 33; n += 1) codes.push((await login(`name${n}`, 'wrong', '192.0.2.40')).statusCode);
  expect(codes.slice(0, 31).every((code) => code === 401)).toBe(true);
  expect(codes.slice(31)).toEqual([429, 429]);
});

test('a request that changes something with a cookie needs the header of our pages; a token does not', async () => {
  const cookie = await session('noa', '192.0.2.15');
  await expect(rig.access.authenticate(request({ cookie }, 'POST'))).rejects.toMatchObject({ status: 403 });
  await expect(rig.access.authenticate({ headers: { cookie }, ip: '192.0.2.1', id: 'r' })).rejects.toMatchObject({
    status: 403,
  });
  await rig.access.authenticate(request({ cookie, 'x-passerelle': 'ui' }, 'POST'));
  const token = await rig.access.issueToken('ris-a', 60);
  await rig.access.authenticate(request({ authorization: `Bearer ${token}` }, 'POST'));
});

test('a session ends when unused for half an hour, and after twelve hours however used', async () => {
  const cookie = await session('noa', '192.0.2.16');
  rig.clock.advance(29 * 60_000);
  await rig.access.authenticate(request({ cookie }));
  rig.clock.advance(29 * 60_000);
  await rig.access.authenticate(request({ cookie }));
  rig.clock.advance(31 * 60_000);
  await expect(rig.access.authenticate(request({ cookie }))).rejects.toMatchObject({ status: 401 });
  const used = await session('noa', '192.0.2.16');
  for (let quarter = 0; quarter < 47; quarter += 1) {
    rig.clock.advance(15 * 60_000);
    await rig.access.authenticate(request({ cookie: used }));
  }
  rig.clock.advance(15 * 60_000);
  await expect(rig.access.authenticate(request({ cookie: used }))).rejects.toMatchObject({ status: 401 });
});

test('signing out ends the session at once, and can be repeated', async () => {
  const cookie = await session('noa', '192.0.2.17');
  await rig.access.authenticate(request({ cookie }));
  const headers = { cookie, 'x-passerelle': 'ui' };
  const forged = await rig.app.inject({ method: 'POST', url: '/oauth2/logout', headers: { cookie } });
  expect(forged.statusCode).toBe(403);
  await rig.access.authenticate(request({ cookie }));
  const out = await rig.app.inject({ method: 'POST', url: '/oauth2/logout', headers });
  expect(out.statusCode).toBe(204);
  expect(String(out.headers['set-cookie'])).toContain('Max-Age=0');
  expect(out.headers['clear-site-data']).toBe('"cache", "storage"');
  await expect(rig.access.authenticate(request({ cookie }))).rejects.toMatchObject({ status: 401 });
  expect((await rig.app.inject({ method: 'POST', url: '/oauth2/logout', headers })).statusCode).toBe(204);
});

test('a token is a machine’s or a person’s, ends at its time, and ends when its account is shut off', async () => {
  const token = await rig.access.issueToken('noa', 60);
  const bearer = request({ authorization: `Bearer ${token}` });
  expect(await rig.access.authenticate(bearer)).toMatchObject({
    tenant: 'aa',
    actor: { reference: 'Practitioner/noa' },
  });
  await expect(rig.access.authenticate(request({ cookie: `passerelle=${token}` }))).rejects.toMatchObject({
    status: 401,
  });
  rig.clock.advance(60_000);
  await expect(rig.access.authenticate(bearer)).rejects.toMatchObject({ status: 401 });
  const other = request({ authorization: `Bearer ${await rig.access.issueToken('ris-a', 60)}` });
  await rig.access.authenticate(other);
  await rig.access.setDisabled('ris-a', true);
  await expect(rig.access.authenticate(other)).rejects.toMatchObject({ status: 401 });
  await expect(rig.access.issueToken('ris-a', 60)).rejects.toMatchObject({ status: 404 });
  await expect(rig.access.issueToken('nobody', 60)).rejects.toMatchObject({ status: 404 });
});

test('no credential, garbage or an overlong one is 401 and not an error of ours', async () => {
  for (const headers of [
    {},
    { authorization: 'Bearer x' },
    { authorization: 'Basic bm9hOng=' },
    { authorization: `Bearer aa.${'x'.repeat(100_000)}` },
    { authorization: `Bearer ';--.${'x'.repeat(43)}` },
    { cookie: 'passerelle=' },
  ]) {
    await expect(rig.access.authenticate(request(headers as Record<string, string>))).rejects.toMatchObject({
      status: 401,
    });
  }
  const info = await rig.app.inject('/oauth2/userinfo');
  expect([info.statusCode, info.headers['www-authenticate']]).toEqual([401, 'Bearer']);
});

test('sign-in, its failure and sign-out are in the trail of the account’s tenant; unknown names in the platform’s, unnamed', async () => {
  const cookie = await session('noa', '198.51.100.1');
  rig.clock.advance(1_000);
  await rig.app.inject({
    method: 'POST',
    url: '/oauth2/logout',
    headers: { cookie, 'x-passerelle': 'ui' },
    remoteAddress: '198.51.100.1',
  });
  rig.clock.advance(1_000);
  await login('noa', 'wrong-Secret-9', '198.51.100.1');
  await login('my-Secret-7', 'x', '198.51.100.1');
  const mine = (await rig.trail('type=110114&agent=Practitioner/noa')).filter((event) =>
    event.agent.some((agent) => agent.network?.address === '198.51.100.1'),
  );
  expect(mine.map((event) => [event.subtype?.[0]?.code, event.outcome])).toEqual([
    ['110122', '0'],
    ['110123', '0'],
    ['110122', '4'],
  ]);
  const platform = await rig.trail('type=110114', 'platform');
  expect(platform.length).toBeGreaterThan(0);
  const text = JSON.stringify([...mine, ...platform]);
  expect(text).not.toMatch(/my-secret-7|wrong-Secret-9|Hirondelle/i);
});

test('a malformed login is refused in French without saying more', async () => {
  for (const payload of [
    '{',
    '{}',
    '{"username":1,"password":[]}',
    JSON.stringify({ username: 'a', password: 'x'.repeat(5000) }),
  ]) {
    const response = await rig.app.inject({
      method: 'POST',
      url: '/oauth2/login',
      headers: { 'content-type': 'application/json' },
      payload,
    });
    expect(response.statusCode).toBeGreaterThanOrEqual(400);
    expect(response.statusCode).toBeLessThan(500);
    expect(response.json().error).toBe('invalid_request');
  }
});

test('a page of another site cannot make the browser forget its session', async () => {
  // The cookie does not come along from there (SameSite=Strict); the answer must not take it away all the same.
  const forged = await rig.app.inject({ method: 'POST', url: '/oauth2/logout' });
  expect(forged.headers['set-cookie']).toBeUndefined();
});

test('a name that cannot be one is refused like any other', async () => {
  for (const name of ['a\u0000b', '\ud800', "' OR 1=1"]) {
    expect((await login(name, password, '192.0.2.51')).statusCode, JSON.stringify(name)).toBe(401);
  }
});

test('a new password ends the sessions opened with the old one, the same one given again does not', async () => {
  const account = {
    tenant: 'aa',
    login: 'lou',
    kind: 'person' as const,
    reference: 'Practitioner/lou',
    display: 'Dr LOU TEST',
    roles: ['radiologist'],
  };
  await rig.access.ensureAccount({ ...account, password });
  const cookie = await session('lou', '192.0.2.52');
  const token = await rig.access.issueToken('lou', 60);
  await rig.access.ensureAccount({ ...account, password });
  await rig.access.authenticate(request({ cookie }));
  await rig.access.ensureAccount({ ...account, password: 'Martinet-noir-58' });
  await expect(rig.access.authenticate(request({ cookie }))).rejects.toMatchObject({ status: 401 });
  await rig.access.authenticate(request({ authorization: `Bearer ${token}` }));
});

test('an address that is blocked leaves no row for each name it tries', async () => {
  const rows = async () => {
    const found = await rig.database.query<{ count: string }>('platform', 'SELECT count(*) FROM login_throttle');
    return Number(found.rows[0]?.count);
  };
  for (let n = 0; n < 31; n += 1) await login(`guess${n}`, 'wrong', '192.0.2.53');
  const before = await rows();
  for (let n = 0; n < 10; n += 1) expect((await login(`more${n}`, 'wrong', '192.0.2.53')).statusCode).toBe(429);
  expect(await rows()).toBe(before);
});

test('the trail keeps a piece of an overlong request id', async () => {
  await rig.app.inject({
    method: 'POST',
    url: '/oauth2/login',
    headers: { 'x-request-id': 'long-id-'.repeat(800) },
    payload: { username: 'noa', password: 'wrong' },
    remoteAddress: '192.0.2.54',
  });
  const events = JSON.stringify(await rig.trail('type=110114'));
  expect(events).toContain('long-id-');
  expect(events).not.toContain('long-id-'.repeat(17));
});

test('a trail that takes nothing more is an unavailable service, not a missing header', async () => {
  const full = {
    ...rig.access,
    signIn: () => Promise.reject(new FhirError(503, 'throttled', 'The audit trail is full')),
  };
  const app = fastify();
  await app.register(accessRoutes, { access: full });
  const answer = await app.inject({ method: 'POST', url: '/oauth2/login', payload: { username: 'a', password: 'b' } });
  expect([answer.statusCode, answer.json().message]).toEqual([503, 'Service momentanément indisponible.']);
  await app.close();
});
