import { afterAll, beforeAll, expect, test } from 'vitest';
import { authorization, consentPage, decide, exchange, redirectUri, signIn } from '../../access/smart/app.ts';
import { keysOf, makeKey, openSmartRig, type SmartRig } from '../../access/smart/support.ts';

let rig: SmartRig;
let cookie: string;
let stranger: string;
beforeAll(async () => {
  rig = await openSmartRig();
  cookie = await signIn(rig, 'noa', 'aa', ['conformance']);
  stranger = await signIn(rig, 'zoe', 'bb', ['conformance']);
  const app = {
    kind: 'public-app',
    scopes: ['user/*.rs', 'offline_access', 'launch'],
    redirectUris: [redirectUri],
  } as const;
  await rig.addClient({ id: 'app', ...app });
  await rig.addClient({ id: 'other', ...app });
  await rig.addClient({ id: 'machine', ...keysOf(await makeKey()) });
});
afterAll(() => rig.close());

function authorize(query: Record<string, string>, method: 'GET' | 'POST' = 'GET') {
  return method === 'POST'
    ? rig.post('/oauth2/authorize', query)
    : rig.app.inject(`/oauth2/authorize?${new URLSearchParams(query)}`);
}

async function codeFor(clientId = 'app', scope = 'user/Patient.rs offline_access') {
  const { query, verifier } = authorization(clientId, scope);
  const back = await decide(rig, query, cookie);
  return { code: back.searchParams.get('code') ?? '', verifier };
}

test.each([
  'https://app.example/callback/',
  'https://app.example/callback/../evil',
  'https://app.example/callback?x=1',
  'https://app.example/callback#x',
  'https://app.example/Callback',
  'https://app.example:443/callback',
  'https://app.example/call%62ack',
  'https://app.example/',
  'https://app.example.evil.test/callback',
  'https://evil.test/https://app.example/callback',
  'https://app.example@evil.test/callback',
  'https://app.example\\@evil.test/callback',
  '//app.example/callback',
  'http://app.example/callback',
  'javascript:alert(1)//https://app.example/callback',
  'https://app.example/callback\r\nset-cookie: x=1',
  ' https://app.example/callback',
])('nobody is sent to %j', async (address) => {
  for (const method of ['GET', 'POST'] as const) {
    const answer = await authorize({ ...authorization('app', 'user/Patient.rs').query, redirect_uri: address }, method);
    expect(answer.statusCode).toBe(400);
    expect(answer.headers.location).toBeUndefined();
    expect(answer.body).not.toContain('evil');
  }
});

test('an unknown app, a machine, an app that is shut off: a page says so, without sending anybody anywhere', async () => {
  for (const id of ['unknown', 'machine', '<script>', "app'--"]) {
    const answer = await authorize({ ...authorization('app', 'user/Patient.rs').query, client_id: id });
    expect([answer.statusCode, answer.headers.location]).toEqual([400, undefined]);
    expect(answer.body).not.toContain('<script');
  }
});

test.each([
  ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }],
  ['plain PKCE', { code_challenge_method: 'plain' }],
  ['PKCE without its method', { code_challenge_method: undefined }],
  ['a short challenge', { code_challenge: 'abc' }],
  ['an implicit token', { response_type: 'token' }],
  ['a hybrid', { response_type: 'code id_token' }],
  ['no state', { state: undefined }],
  ['another audience', { aud: 'https://evil.test/fhir' }],
  ['no audience', { aud: undefined }],
  ['system scopes', { scope: 'system/*.rs' }],
  ['no scope we know', { scope: 'admin' }],
  ['a fragment answer', { response_mode: 'fragment' }],
  ['a request object', { request: 'eyJ' }],
  ['a request elsewhere', { request_uri: 'https://evil.test/r' }],
  ['a launch without its parameter', { scope: 'launch user/Patient.rs' }],
  ['a launch parameter without its scope', { launch: 'x' }],
  ['no person asked', { prompt: 'none' }],
])('%s goes back to the app as an error, without a code', async (_name, wrong) => {
  const { query } = authorization('app', 'user/Patient.rs', wrong);
  const answer = await authorize(query);
  expect(answer.statusCode).toBe(303);
  const back = new URL(String(answer.headers.location));
  expect(back.origin + back.pathname).toBe(redirectUri);
  expect(back.searchParams.has('error')).toBe(true);
  expect(back.searchParams.has('code')).toBe(false);
  // And the step after it checks again.
  const { answer: later } = await consentPage(rig, query, cookie);
  expect(new URL(String(later.headers.location ?? 'https://none/')).searchParams.has('code')).toBe(false);
});

test('a parameter sent twice is refused, so that nobody reads the other one', async () => {
  const query = new URLSearchParams(authorization('app', 'user/Patient.rs').query);
  const answer = await rig.app.inject(
    `/oauth2/authorize?${query}&redirect_uri=${encodeURIComponent('https://evil.test/')}`,
  );
  expect([answer.statusCode, answer.headers.location]).toEqual([400, undefined]);
});

test('a code works once; used again it ends the tokens it gave', async () => {
  const { code, verifier } = await codeFor();
  const tokens = await exchange(rig, 'app', { code, verifier });
  expect(tokens.status).toBe(200);
  const get = () =>
    rig.app.inject({ url: '/fhir/Patient', headers: { authorization: `Bearer ${tokens.access_token}` } });
  expect((await get()).statusCode).toBe(200);
  expect(await exchange(rig, 'app', { code, verifier })).toMatchObject({ status: 400, error: 'invalid_grant' });
  expect((await get()).statusCode).toBe(401);
  const refresh = { grant_type: 'refresh_token', client_id: 'app', refresh_token: tokens.refresh_token };
  expect((await rig.post('/oauth2/token', refresh)).json().error).toBe('invalid_grant');
  expect(await rig.told()).toContain('8 reused code or refresh token');
});

test('of ten exchanges at once one succeeds, and then none of its tokens lives', async () => {
  const grant = await codeFor();
  const answers = await Promise.all(Array.from({ length: 10 }, () => exchange(rig, 'app', grant)));
  expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
});

test('a code is nothing without its verifier, its app, its redirect address and its minute', async () => {
  const wrong = 'A'.repeat(43);
  const stolen = await codeFor();
  expect(await exchange(rig, 'app', { ...stolen, verifier: wrong })).toMatchObject({ error: 'invalid_grant' });
  // Who guessed once has no second try.
  expect(await exchange(rig, 'app', stolen)).toMatchObject({ error: 'invalid_grant' });
  const other = await codeFor();
  expect(await exchange(rig, 'other', other)).toMatchObject({ error: 'invalid_grant' });
  const elsewhere = await codeFor();
  expect(await exchange(rig, 'app', elsewhere, { redirect_uri: 'https://app.example/' })).toMatchObject({
    error: 'invalid_grant',
  });
  const bare = await codeFor();
  expect(await exchange(rig, 'app', { ...bare, verifier: '' })).toMatchObject({ error: 'invalid_request' });
  const late = await codeFor();
  rig.clock.advance(60_001);
  expect(await exchange(rig, 'app', late)).toMatchObject({ error: 'invalid_grant' });
  const asToken = await codeFor();
  const get = await rig.app.inject({ url: '/fhir/Patient', headers: { authorization: `Bearer ${asToken.code}` } });
  expect(get.statusCode).toBe(401);
});

test('an app of one hospital gets nobody of another, and a code in another tenant’s name finds nothing', async () => {
  const { query } = authorization('app', 'user/Patient.rs');
  const { answer } = await consentPage(rig, query, stranger);
  expect(new URL(String(answer.headers.location)).searchParams.get('error')).toBe('access_denied');
  const grant = await codeFor();
  const moved = { ...grant, code: grant.code.replace(/^aa\./, 'bb.') };
  expect(await exchange(rig, 'app', moved)).toMatchObject({ error: 'invalid_grant' });
});

test('a decision counts only from the page that was shown, in the session it was shown to', async () => {
  const { query } = authorization('app', 'user/Patient.rs');
  const { request, proof } = await consentPage(rig, query, cookie);
  const eve = await signIn(rig, 'eve', 'aa', ['conformance']);
  const post = (form: Record<string, string>, headers: Record<string, string>) =>
    rig.post('/oauth2/consent', form, headers);
  const form = { request, proof, decision: 'accept' };
  expect((await post({ ...form, proof: 'x'.repeat(43) }, { cookie })).statusCode).toBe(403);
  expect((await post(form, { cookie: eve })).statusCode).toBe(403);
  // The request may not be another than the one that was shown.
  const more = `${request.replace('user%2FPatient.rs', 'user%2F*.rs')}`;
  expect(more).not.toBe(request);
  expect((await post({ ...form, request: more }, { cookie })).statusCode).toBe(403);
  expect((await post(form, { cookie, origin: 'https://evil.test' })).statusCode).toBe(403);
  expect((await post(form, { cookie, 'sec-fetch-site': 'cross-site' })).statusCode).toBe(403);
  // Nobody signed in, or an app in the person's name: no decision.
  expect((await post(form, {})).headers.location).toMatch(/^\/autorisation\?/);
  const token = await rig.access.issueToken('noa', 3_600);
  expect((await post(form, { authorization: `Bearer ${token}` })).headers.location).toMatch(/^\/autorisation\?/);
  expect((await post(form, { cookie })).statusCode).toBe(303);
});

test('no page of these can be framed, and none carries a referrer, a script or what an app wrote', async () => {
  const { query } = authorization('app', 'user/Patient.rs', { state: '"><script>alert(1)</script>' });
  for (const answer of [await authorize(query), (await consentPage(rig, query, cookie)).answer]) {
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['x-frame-options']).toBe('DENY');
    expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(answer.body).not.toContain('<script');
  }
});
