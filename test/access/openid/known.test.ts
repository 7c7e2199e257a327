/** A provider that opens only the accounts an administrator tied to it: roles stay ours to say. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertLink } from '../../../src/access/federation/links.ts';
import { openidRoutes } from '../../../src/access/openid/index.ts';
import type { OpenidSource } from '../../../src/config/index.ts';
import { clientId, clientSecret, type OpenidPeer, openOpenidPeer } from '../../support/openid-peer.ts';
import { openRig, type Rig } from '../support.ts';

let peer: OpenidPeer;
let rig: Rig;

beforeAll(async () => {
  peer = await openOpenidPeer();
  const source: OpenidSource = {
    ...{ name: 'one', label: 'One', tenant: 'aa', issuer: peer.issuer, discovery: undefined, clientId },
    ...{ secret: () => clientSecret, scope: 'openid', acrValues: [], profile: 'openid', accounts: 'known' },
    ...{ secondFactor: false, rules: [] },
  };
  rig = await openRig({
    identitySources: { ldap: [], openid: [source] },
    routes: async (app, { access }) => {
      await app.register(openidRoutes, { access, baseUrl: () => 'http://passerelle.test' });
    },
  });
  for (const [login, role] of [
    ['alix.local', 'quality'],
    ['chef', 'administrator'],
  ] as const) {
    await rig.access.ensureAccount({
      ...{ tenant: 'aa', login, kind: 'person', reference: `Practitioner/${login}`, display: login, roles: [role] },
      password: 'Bonne-Phrase-2026',
    });
  }
});
afterAll(async () => {
  await rig.close();
  await peer.close();
});

const tie = (subject: string, login: string) =>
  rig.database.transaction('aa', (sql) =>
    insertLink(sql, 'aa', {
      ...{ source: 'openid/one', subject, login, follows: false, linkedBy: 'chef', linkedAt: rig.clock.now() },
    }),
  );

async function signIn(sub: string) {
  const start = await rig.app.inject({ url: '/oauth2/openid/one/start' });
  const [cookie = ''] = String(start.headers['set-cookie']).split(';');
  const asked = new URL(String(start.headers.location)).searchParams;
  peer.claims = { sub, nonce: asked.get('nonce') };
  peer.userinfo = { sub };
  const url = `/oauth2/openid/one/callback?code=c&state=${asked.get('state')}`;
  const answer = await rig.app.inject({ url, headers: { cookie } });
  const cookies = [answer.headers['set-cookie'] ?? []].flat().map((line) => line.split(';')[0] ?? '');
  return { answer, cookies };
}

describe('a provider for known people', () => {
  it('opens nothing for who is not tied, also with the name of an account', async () => {
    const { answer } = await signIn('alix.local');
    expect(answer.headers.location).toBe('/?connexion=refusee');
    expect((await rig.trail('type=110114&outcome=4')).at(-1)?.outcomeDesc).toBe('not tied to an account');
  });

  it('opens the account it was tied to, with the roles that account has', async () => {
    await tie('alix', 'alix.local');
    const { cookies } = await signIn('alix');
    const session = cookies.find((cookie) => /^passerelle=./.test(cookie)) ?? '';
    const who = await rig.app.inject({ url: '/oauth2/userinfo', headers: { cookie: session } });
    expect(who.json()).toMatchObject({ account: 'alix.local', roles: ['quality'] });
  });

  it('ends in the same second factor as a password: whoever needs one has a step to go', async () => {
    await tie('boss', 'chef');
    const { cookies, answer } = await signIn('boss');
    expect(cookies.some((cookie) => /^passerelle=./.test(cookie))).toBe(false);
    expect(cookies.some((cookie) => /^passerelle-sign-in=./.test(cookie))).toBe(true);
    expect(answer.body).toContain('content="0;url=/"');
  });

  it('opens nothing that an administrator shut off', async () => {
    await rig.access.setDisabled('alix.local', true);
    expect((await signIn('alix')).answer.headers.location).toBe('/?connexion=refusee');
  });
});
