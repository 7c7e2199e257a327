/** The claims of Pro Santé Connect, from a real OpenID provider that says them. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type Configuration } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openidRoutes } from '../../../src/access/openid/index.ts';
import type { OpenidSource } from '../../../src/config/index.ts';
import { openRig, type Rig } from '../support.ts';

const origin = 'http://passerelle.test';
const clientId = 'passerelle';
const clientSecret = 'secret-of-passerelle';

const exercise = (more: object = {}) => ({
  codeProfession: '10',
  codeCategorieProfessionnelle: 'C',
  codeSavoirFaire: 'SM44',
  activities: [{ codeModeExercice: 'S', numeroFinessSite: '690000001' }],
  ...more,
});
const professional = (nationalId: string, exercises: object[], more: object = {}) => ({
  SubjectNameID: nationalId,
  preferred_username: nationalId,
  given_name: 'Noa',
  family_name: 'TEST',
  SubjectRefPro: { codeCivilite: 'M', exercices: exercises },
  ...more,
});

/** Who signs in at the provider, and what it knows of them. */
const people: Record<string, object> = {
  noa: professional('899700990031', [exercise()]),
  alix: professional('899700990015', [exercise({ activities: [{ numeroFinessSite: '750000002' }] })]),
  student: professional('899700990049', [exercise({ codeCategorieProfessionnelle: 'E' })]),
  nurse: professional('899700990056', [exercise({ codeProfession: '60' })]),
  two: professional('899700990064', [exercise()], { preferred_username: '899700990072' }),
  employee: professional('3690000001/0012345', [
    exercise({ codeProfession: '98', activities: [{ numeroFinessSite: '690000001' }] }),
  ]),
};

interface Psc {
  issuer: string;
  /** Who is at the screen. */
  person: string;
  acr: string;
  server: Server;
}

async function openPsc(): Promise<Psc> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const psc: Psc = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    person: 'noa',
    acr: 'eidas1',
    server,
  };
  const configuration: Configuration = {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [`${origin}/oauth2/openid/psc/callback`],
        post_logout_redirect_uris: [`${origin}/`],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    acrValues: ['eidas1', 'eidas0'],
    scopes: ['openid', 'scope_all'],
    claims: {
      openid: ['sub', 'acr'],
      scope_all: ['SubjectNameID', 'preferred_username', 'given_name', 'family_name', 'SubjectRefPro'],
    },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    interactions: { url: (_context, { uid }) => `/screen/${uid}` },
    cookies: { keys: ['a key of the test'] },
    // Said, so that the provider does not say that they were not.
    ttl: { AccessToken: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 60 },
  };
  const provider = new Provider(psc.issuer, configuration);
  const answer = provider.callback();
  server.on('request', async (request, response) => {
    if (!request.url?.startsWith('/screen/')) return answer(request, response);
    const { grantId: known } = await provider.interactionDetails(request, response);
    const grant = known ? await provider.Grant.find(known) : new provider.Grant({ accountId: psc.person, clientId });
    grant?.addOIDCScope('openid scope_all');
    const grantId = (await grant?.save()) ?? '';
    const login = { accountId: psc.person, acr: psc.acr };
    await provider.interactionFinished(request, response, { login, consent: { grantId } });
  });
  return psc;
}

let psc: Psc;
let rig: Rig;

beforeAll(async () => {
  psc = await openPsc();
  const source: OpenidSource = {
    ...{ name: 'psc', label: 'Pro Santé Connect', tenant: 'aa', issuer: psc.issuer, discovery: undefined },
    ...{ clientId, secret: () => clientSecret, scope: 'openid scope_all', acrValues: ['eidas1'] },
    ...{ profile: 'pro-sante-connect', accounts: 'create', secondFactor: true },
    rules: [
      {
        exercise: { profession: '10', skill: 'SM44', categories: ['C', 'M'], finess: '690000001' },
        ...{ roles: ['radiologist'], establishments: ['nord'] },
      },
      {
        exercise: { profession: '10', skill: undefined, categories: ['C', 'M'], finess: undefined },
        ...{ roles: ['requester'], establishments: [] },
      },
    ],
  };
  rig = await openRig({
    identitySources: { ldap: [], openid: [source] },
    routes: async (app, { access }) => {
      await app.register(openidRoutes, { access, baseUrl: () => origin });
    },
  });
});
afterAll(async () => {
  await rig.close();
  psc.server.closeAllConnections();
  psc.server.close();
});

/** A browser at the provider: keeps its cookies and follows it until it leads to us. */
async function through(start: URL): Promise<URL> {
  const jar = new Map<string, string>();
  let at = start;
  for (let hop = 0; hop < 10 && at.origin !== origin; hop++) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(at, { redirect: 'manual', headers: cookie ? { cookie } : {} });
    for (const line of answer.headers.getSetCookie()) {
      const [name = '', ...value] = (line.split(';')[0] ?? '').split('=');
      jar.set(name, value.join('='));
    }
    await answer.body?.cancel();
    const location = answer.headers.get('location');
    if (!location) throw new Error(`the provider stopped at ${at.pathname} with ${answer.status}`);
    at = new URL(location, at);
  }
  return at;
}

async function signIn(person: string, returnTo = '/') {
  psc.person = person;
  const start = await rig.app.inject({ url: `/oauth2/openid/psc/start?return=${encodeURIComponent(returnTo)}` });
  const [own = ''] = String(start.headers['set-cookie']).split(';');
  const back = await through(new URL(String(start.headers.location)));
  const answer = await rig.app.inject({ url: `${back.pathname}${back.search}`, headers: { cookie: own } });
  const cookies = [answer.headers['set-cookie'] ?? []].flat().map((line) => line.split(';')[0] ?? '');
  const session = cookies.find((cookie) => /^passerelle=./.test(cookie));
  return { answer, cookies, session };
}

const userinfo = async (session: string | undefined) =>
  (await rig.app.inject({ url: '/oauth2/userinfo', headers: session ? { cookie: session } : {} })).json();

describe('signing in with Pro Santé Connect', () => {
  it('is offered to the sign-in page', async () => {
    const { body } = await rig.app.inject({ url: '/oauth2/methods' });
    expect(JSON.parse(body)).toMatchObject({
      openid: [{ name: 'psc', label: 'Pro Santé Connect', start: '/oauth2/openid/psc/start' }],
    });
  });

  it('opens a session as the professional of that RPPS, with what the activities are worth', async () => {
    const { answer, session } = await signIn('noa', '/dossier/1');
    expect(answer.body).toContain('content="0;url=/dossier/1"');
    const who = await userinfo(session);
    expect(who).toMatchObject({ tenant: 'aa', account: '99700990031', display: 'Noa TEST' });
    expect(who.roles.sort()).toEqual(['radiologist', 'requester']);
    const practitioner = await rig.store.read('aa', 'Practitioner', who.reference.split('/')[1]);
    expect(practitioner.identifier).toMatchObject([{ system: 'https://rpps.esante.gouv.fr', value: '99700990031' }]);
    const [event] = await rig.trail('type=110114&outcome=0');
    expect(event?.outcomeDesc).toBe('oidc');
  });

  it('gives only what the establishment of the activity gives', async () => {
    expect(await userinfo((await signIn('alix')).session)).toMatchObject({ roles: ['requester'] });
  });

  it.each(['student', 'nurse', 'employee', 'two'])('opens nothing for who no rule is about: %s', async (person) => {
    const { answer, session } = await signIn(person);
    expect(session).toBeUndefined();
    expect(answer.headers.location).toBe('/?connexion=refusee');
  });

  it('opens nothing below the level of assurance asked for', async () => {
    psc.acr = 'eidas0';
    const { session } = await signIn('noa');
    psc.acr = 'eidas1';
    expect(session).toBeUndefined();
  });

  it('ends the session there as well', async () => {
    const { cookies, session } = await signIn('noa');
    const cookie = [session, ...cookies.filter((one) => one.startsWith('passerelle-openid-token=psc.'))].join('; ');
    const ended = await rig.app.inject({
      method: 'POST',
      url: '/oauth2/openid/end-session',
      headers: { cookie, 'x-passerelle': 'ui' },
    });
    const redirect = new URL(ended.json().redirect);
    expect(redirect.origin).toBe(psc.issuer);
    expect(redirect.searchParams.get('post_logout_redirect_uri')).toBe(`${origin}/`);
    const screen = await fetch(redirect);
    expect(screen.status).toBe(200);
    expect(String(ended.headers['set-cookie'])).toContain('Max-Age=0');
  });

  it('says nothing of the session there to pages of other sites', async () => {
    const { cookies } = await signIn('noa');
    const { statusCode } = await rig.app.inject({
      method: 'POST',
      url: '/oauth2/openid/end-session',
      headers: { cookie: cookies.join('; ') },
    });
    expect(statusCode).toBe(403);
  });

  it('who says no at the provider is back at the sign-in page', async () => {
    const start = await rig.app.inject({ url: '/oauth2/openid/psc/start' });
    const [cookie = ''] = String(start.headers['set-cookie']).split(';');
    const state = new URL(String(start.headers.location)).searchParams.get('state');
    const answer = await rig.app.inject({
      url: `/oauth2/openid/psc/callback?error=access_denied&state=${state}`,
      headers: { cookie },
    });
    expect(answer.headers.location).toBe('/?connexion=annulee');
  });
});
