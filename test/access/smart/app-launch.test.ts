import * as openid from 'openid-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noa } from '../support.ts';
import { authorization, consentPage, decide, exchange, fhirUrl, openApp, redirectUri, signIn } from './app.ts';
import { keysOf, makeKey, openSmartRig, type SmartRig, tokenUrl } from './support.ts';

const scopes = ['openid', 'fhirUser', 'offline_access', 'launch', 'launch/patient', 'user/*.cruds', 'patient/*.rs'];
let rig: SmartRig;
let cookie: string;
beforeAll(async () => {
  rig = await openSmartRig();
  cookie = await signIn(rig, 'noa', 'aa', ['conformance']);
  await rig.addClient({
    ...{ id: 'viewer', kind: 'public-app', display: 'Visionneuse <3D>', scopes, redirectUris: [redirectUri] },
    launchUri: 'https://app.example/launch?theme=dark',
  });
  await rig.store.transaction(rig.context({ ...noa, roles: ['conformance'] }, 'create'), async (tx) => {
    for (const id of ['p1', 'p2']) {
      await tx.create({
        resourceType: 'Patient',
        id,
        name: [{ family: `TEST-${id}`, given: ['Ève'] }],
        birthDate: '1980-02-01',
      });
      await tx.create({
        resourceType: 'Observation',
        id: `o-${id}`,
        status: 'final',
        code: { text: 'poids' },
        subject: { reference: `Patient/${id}` },
      });
      await tx.create({
        resourceType: 'Task',
        id: `t-${id}`,
        status: 'requested',
        intent: 'order',
        for: { reference: `Patient/${id}` },
      });
    }
  });
});
afterAll(() => rig.close());

const get = (token: string, path: string) =>
  rig.app.inject({ url: path, headers: { authorization: `Bearer ${token}` } });

/** Everything from the app's wish to its tokens. */
async function tokensFor(scope: string, decision?: Record<string, string>, more: Record<string, string> = {}) {
  const { query, verifier } = authorization('viewer', scope, more);
  const back = await decide(rig, query, cookie, decision);
  expect(back.searchParams.get('state')).toBe(query.state);
  return exchange(rig, 'viewer', { code: back.searchParams.get('code') ?? '', verifier });
}

test('an independent client library discovers us, sends the person, and gets tokens, an identity and refreshed tokens', async () => {
  const app = await openApp(rig, 'viewer');
  const verifier = openid.randomPKCECodeVerifier();
  const state = openid.randomState();
  const nonce = openid.randomNonce();
  const address = openid.buildAuthorizationUrl(app, {
    redirect_uri: redirectUri,
    scope: 'openid fhirUser offline_access user/Patient.rs',
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...{ state, nonce, aud: fhirUrl },
  });
  // The browser follows the page that goes on by itself.
  const first = await rig.app.inject(address.pathname + address.search);
  const next = /url=(\/oauth2\/consent[^"]*)"/.exec(first.body)?.[1]?.replaceAll('&#38;', '&') ?? '';
  const query = Object.fromEntries(new URLSearchParams(next.slice(next.indexOf('?') + 1)));
  const back = await decide(rig, query, cookie);
  const tokens = await openid.authorizationCodeGrant(app, back, {
    pkceCodeVerifier: verifier,
    expectedState: state,
    expectedNonce: nonce,
    idTokenExpected: true,
  });
  expect(tokens.claims()).toMatchObject({ sub: 'noa', fhirUser: `${fhirUrl}/Practitioner/noa` });
  expect((await get(tokens.access_token, '/fhir/Patient')).statusCode).toBe(200);
  expect((await get(tokens.access_token, '/fhir/Task')).statusCode).toBe(403);
  const again = await openid.refreshTokenGrant(app, tokens.refresh_token ?? '');
  expect(again.access_token).not.toBe(tokens.access_token);
  expect((await get(again.access_token, '/fhir/Patient')).statusCode).toBe(200);
  await openid.tokenRevocation(app, again.access_token);
  expect((await get(again.access_token, '/fhir/Patient')).statusCode).toBe(401);
});

test('a confidential app proves itself with its key, by the library too', async () => {
  const key = await makeKey('ES384', 'app-key');
  await rig.addClient({
    ...{ id: 'viewer-c', kind: 'confidential-app', scopes: ['user/Patient.rs'], redirectUris: [redirectUri] },
    ...keysOf(key),
  });
  const proof = openid.PrivateKeyJwt(
    { key: key.privateKey, kid: key.kid },
    {
      [openid.modifyAssertion]: (_header, payload) => {
        const seconds = Math.floor(rig.clock.now().getTime() / 1000);
        Object.assign(payload, { aud: tokenUrl, iat: seconds, nbf: seconds, exp: seconds + 60 });
      },
    },
  );
  const app = await openApp(rig, 'viewer-c', proof);
  const { query, verifier } = authorization('viewer-c', 'user/Patient.rs');
  const back = await decide(rig, query, cookie);
  expect(await exchange(rig, 'viewer-c', { code: back.searchParams.get('code') ?? '', verifier })).toMatchObject({
    status: 401,
    error: 'invalid_client',
  });
  const tokens = await openid.authorizationCodeGrant(app, back, {
    pkceCodeVerifier: verifier,
    expectedState: query.state!,
  });
  const told = await openid.tokenIntrospection(app, tokens.access_token);
  expect(told).toMatchObject({ active: true, client_id: 'viewer-c', scope: 'user/Patient.rs', username: 'noa' });
});

test('the page says who asks for what, in French, escaped and without any script', async () => {
  const { query } = authorization('viewer', 'openid user/Patient.rs patient/Observation.r offline_access');
  const { answer } = await consentPage(rig, query, cookie);
  expect(answer.body).toContain('Visionneuse &#60;3D&#62;');
  expect(answer.body).toContain('lire, rechercher : patients');
  expect(answer.body).toContain('lire : observations de ce patient seulement');
  expect(answer.body).toContain('Durée de cette autorisation : 30 jours,');
  const short = await consentPage(rig, authorization('viewer', 'user/Patient.rs').query, cookie);
  expect(short.answer.body).toContain('Durée de cette autorisation : 5 minutes,');
  expect(answer.body).not.toMatch(/<script|style=|onclick/i);
  expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
  expect(answer.headers['content-security-policy']).toContain("form-action 'self' https://app.example");
  expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'");
});

test('who is not signed in is sent to sign in and comes back', async () => {
  const { query } = authorization('viewer', 'user/Patient.rs');
  const answer = await rig.app.inject(`/oauth2/consent?${new URLSearchParams(query)}`);
  expect(answer.statusCode).toBe(303);
  const suite = new URL(String(answer.headers.location), 'http://x').searchParams.get('suite');
  expect(suite).toBe(`/oauth2/consent?${new URLSearchParams(query)}`);
});

test('a refusal goes back to the app, and is in the trail', async () => {
  const { query } = authorization('viewer', 'user/Patient.rs');
  const back = await decide(rig, query, cookie, { decision: 'refuse' });
  expect(back.searchParams.get('error')).toBe('access_denied');
  expect(await rig.told()).toContain('8 The person refused');
});

test('the person chooses a patient among those they find, and the app sees nobody else', async () => {
  const { query } = authorization('viewer', 'launch/patient patient/*.rs');
  const { answer } = await consentPage(rig, { ...query, search: 'test-p1' }, cookie);
  expect(answer.body).toContain('TEST-p1 Ève, né(e) le 01/02/1980');
  expect(answer.body).not.toContain('TEST-p2');
  const tokens = await tokensFor('launch/patient patient/*.rs', { decision: 'accept', patient: 'p1' });
  expect(tokens).toMatchObject({ status: 200, patient: 'p1' });
  const seen = async (path: string) => (await get(tokens.access_token, path)).statusCode;
  expect([await seen('/fhir/Patient/p1'), await seen('/fhir/Observation/o-p1'), await seen('/fhir/Task/t-p1')]).toEqual(
    [200, 200, 200],
  );
  expect([await seen('/fhir/Patient/p2'), await seen('/fhir/Observation/o-p2'), await seen('/fhir/Task/t-p2')]).toEqual(
    [404, 404, 404],
  );
  expect(await seen('/fhir/Observation/o-p2/_history/1')).toBe(404);
  for (const search of [
    'Patient',
    'Observation',
    'Task?_include=Task:patient',
    'Patient?_revinclude=Observation:subject',
    '?_type=Patient,Observation',
  ]) {
    const body = (await get(tokens.access_token, `/fhir/${search}`)).body;
    expect(body).toContain('p1');
    expect(body).not.toContain('p2');
  }
  // Scopes for reading change nothing.
  const changed = await rig.app.inject({
    ...{ method: 'PUT', url: '/fhir/Patient/p1', payload: { resourceType: 'Patient', id: 'p1' } },
    headers: { authorization: `Bearer ${tokens.access_token}`, 'content-type': 'application/fhir+json' },
  });
  expect(changed.statusCode).toBe(403);
});

test('our pages open an app on a case: it learns the patient and the case, once, for this person', async () => {
  const launch = await rig.post(
    '/oauth2/launch',
    { client_id: 'viewer', task: 't-p2', intent: 'lecture' },
    { cookie, 'x-passerelle': '1', 'x-request-id': 'opened' },
  );
  expect(launch.statusCode).toBe(200);
  const opened = (await rig.trail('patient=Patient/p2')).filter((event) => JSON.stringify(event).includes('"opened"'));
  expect(opened).toMatchObject([{ outcome: '0' }]);
  const address = new URL(launch.json().url);
  expect(address.searchParams.get('iss')).toBe(fhirUrl);
  expect(address.searchParams.get('theme')).toBe('dark');
  const value = String(address.searchParams.get('launch'));
  const tokens = await tokensFor('launch patient/Patient.rs patient/Task.rs', undefined, { launch: value });
  expect(tokens).toMatchObject({
    status: 200,
    patient: 'p2',
    intent: 'lecture',
    fhirContext: [{ reference: 'Task/t-p2' }],
  });
  expect((await get(tokens.access_token, '/fhir/Patient/p1')).statusCode).toBe(404);
  const { query } = authorization('viewer', 'launch patient/Patient.rs', { launch: value });
  const { answer } = await consentPage(rig, query, cookie);
  expect(new URL(String(answer.headers.location)).searchParams.get('error')).toBe('access_denied');
});

test('our pages list the apps that can be opened, those of another tenant and those shut off left out', async () => {
  const apps = await rig.app.inject({ url: '/oauth2/launch', headers: { cookie } });
  expect(apps.json()).toEqual({ applications: [{ id: 'viewer', name: 'Visionneuse <3D>' }] });
  expect((await rig.app.inject({ url: '/oauth2/launch' })).statusCode).toBe(401);
});

test('a launch needs the page’s header, a case the person sees, and an app that can be opened', async () => {
  const form = { client_id: 'viewer', task: 't-p1' };
  expect((await rig.post('/oauth2/launch', form, { cookie })).statusCode).toBe(403);
  const ours = { cookie, 'x-passerelle': '1' };
  expect((await rig.post('/oauth2/launch', { ...form, task: 'none' }, ours)).json().error).toBe('invalid_request');
  expect(await rig.trail('entity=Task/none')).toMatchObject([{ outcome: '4' }]);
  expect((await rig.post('/oauth2/launch', { ...form, patient: 'p2' }, ours)).json().error).toBe('invalid_request');
  expect((await rig.post('/oauth2/launch', { ...form, client_id: 'viewer-c' }, ours)).json().error).toBe(
    'invalid_request',
  );
  expect((await rig.post('/oauth2/launch', form)).statusCode).toBe(401);
});

test('without offline_access there is no refresh token, and consents end after thirty days', async () => {
  expect(await tokensFor('user/Patient.rs')).not.toHaveProperty('refresh_token');
  const { refresh_token: token } = await tokensFor('user/Patient.rs offline_access');
  rig.clock.advance(30 * 24 * 3_600_000 + 1);
  const answer = await rig.post('/oauth2/token', {
    grant_type: 'refresh_token',
    client_id: 'viewer',
    refresh_token: token,
  });
  expect(answer.json().error).toBe('invalid_grant');
  cookie = await signIn(rig, 'noa', 'aa', ['conformance']);
});

test('a token shows nothing that its person does not see', async () => {
  const eva = await signIn(rig, 'eva');
  const { query } = authorization('viewer', 'launch/patient patient/*.rs');
  const { request, proof } = await consentPage(rig, query, eva);
  const answer = await rig.post(
    '/oauth2/consent',
    { request, proof, decision: 'accept', patient: 'p1' },
    { cookie: eva },
  );
  expect(answer.statusCode).toBe(400);
  expect((await consentPage(rig, { ...query, search: 'test-p1' }, eva)).answer.body).not.toContain('1980');
});
