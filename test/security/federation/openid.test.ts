/** Signing in through a provider, attacked: from the network, by another provider, by another browser, by the provider itself. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openidRoutes } from '../../../src/access/openid/index.ts';
import type { IdentitySources, OpenidSource } from '../../../src/config/index.ts';
import { openRig, type Rig } from '../../access/support.ts';
import { atHash, clientId, clientSecret, type OpenidPeer, openOpenidPeer } from '../../support/openid-peer.ts';

const origin = 'http://passerelle.test';
let peer: OpenidPeer;
let other: OpenidPeer;
let rig: Rig;

function sourceOf(name: string, issuer: string): OpenidSource {
  return {
    ...{ name, label: name, tenant: 'aa', issuer, discovery: undefined, clientId, secret: () => clientSecret },
    ...{ scope: 'openid', acrValues: [], profile: 'openid', accounts: 'create', secondFactor: false },
    rules: [{ claim: { name: 'sub', value: 'alix' }, roles: ['radiologist'], establishments: [] }],
  };
}

beforeAll(async () => {
  peer = await openOpenidPeer();
  other = await openOpenidPeer();
  const identitySources: IdentitySources = {
    ldap: [],
    openid: [sourceOf('one', peer.issuer), sourceOf('two', other.issuer)],
  };
  rig = await openRig({
    identitySources,
    routes: async (app, { access }) => {
      await app.register(openidRoutes, { access, baseUrl: () => origin });
    },
  });
});
afterAll(async () => {
  await rig.close();
  await peer.close();
  await other.close();
});

let rightly: Pick<OpenidPeer, 'sign' | 'tokenStatus'>;
beforeAll(() => {
  rightly = { sign: peer.sign, tokenStatus: peer.tokenStatus };
});
afterEach(() => {
  Object.assign(peer, rightly, { claims: {}, userinfo: {} });
});

/** A browser begins to sign in. */
async function begin(source = 'one', returnTo = '') {
  const query = returnTo ? `?return=${encodeURIComponent(returnTo)}` : '';
  const { headers } = await rig.app.inject({ url: `/oauth2/openid/${source}/start${query}` });
  const cookie = String(headers['set-cookie']).split(';')[0] ?? '';
  const asked = new URL(String(headers.location)).searchParams;
  return { cookie, state: asked.get('state') ?? '', nonce: asked.get('nonce') ?? '', asked };
}

/** It comes back with this answer. */
function comeBack(cookie: string, answer: Record<string, string>, source = 'one') {
  return rig.app.inject({
    url: `/oauth2/openid/${source}/callback?${new URLSearchParams(answer)}`,
    headers: cookie ? { cookie } : {},
  });
}

const opened = (answer: Awaited<ReturnType<typeof comeBack>>) =>
  [answer.headers['set-cookie'] ?? []].flat().some((cookie) => /^passerelle=./.test(cookie));

interface Change {
  claims?: Record<string, unknown>;
  userinfo?: Record<string, unknown>;
  sign?: OpenidPeer['sign'];
  tokenStatus?: number;
}

/** A whole sign-in in which the provider says what is right but for the change. */
async function attempt(change: () => Change = () => ({})) {
  const { cookie, state, nonce } = await begin();
  const { claims, ...rest } = change();
  Object.assign(peer, rest, { claims: { nonce, ...claims } });
  return comeBack(cookie, { code: 'a-code', state });
}

const seconds = (offset: number) => Math.floor(Date.now() / 1000) + offset;

describe('what a provider answers', () => {
  it('opens a session when everything is right', async () => {
    expect(opened(await attempt())).toBe(true);
  });

  it.each<[string, () => Change]>([
    ['a token without a signature', () => ({ sign: peer.signWith.none })],
    ['a token signed by another key', () => ({ sign: peer.signWith.otherKey })],
    ['a token signed with the public key as a secret', () => ({ sign: (claims) => peer.signWith.hmac(claims) })],
    [
      'a token signed with our client secret, which is not what the provider announces',
      () => ({ sign: (claims) => peer.signWith.hmac(claims, clientSecret) }),
    ],
    ['the nonce of another sign-in', () => ({ claims: { nonce: 'another' } })],
    ['no nonce', () => ({ claims: { nonce: undefined } })],
    ['a token for another client', () => ({ claims: { aud: 'somebody-else' } })],
    ['a token for several clients, made for another', () => ({ claims: { aud: [clientId, 'x'], azp: 'x' } })],
    ['a token of another issuer', () => ({ claims: { iss: other.issuer } })],
    ['a token of an issuer that only looks the same', () => ({ claims: { iss: `${peer.issuer}/` } })],
    ['a token that expired', () => ({ claims: { exp: seconds(-60) } })],
    ['a token of tomorrow', () => ({ claims: { nbf: seconds(86_400) } })],
    ['an access token that is not of this ID token', () => ({ claims: { at_hash: atHash('another') } })],
    ['userinfo about somebody else', () => ({ userinfo: { sub: 'noa' } })],
    ['a code that was used', () => ({ tokenStatus: 400 })],
  ])('opens nothing: %s', async (_what, change) => {
    const answer = await attempt(change);
    expect(opened(answer)).toBe(false);
    expect(answer.headers.location).toBe('/?connexion=refusee');
  });

  it('never reaches the trail with what was in it', async () => {
    await attempt(() => ({ claims: { nonce: 'another-secret-nonce' } }));
    const events = await rig.trail('type=110114&outcome=4');
    expect(events.length).toBeGreaterThan(0);
    expect(JSON.stringify(events)).not.toMatch(/another-secret-nonce|a-code|an-access-token/);
  });
});

describe('which answer belongs to which sign-in', () => {
  it('an answer without the cookie of this browser is not even shown to the provider', async () => {
    const { state } = await begin();
    const before = peer.asked.length;
    const answer = await comeBack('', { code: 'of-the-attacker', state });
    expect(answer.headers.location).toBe('/?connexion=interrompue');
    expect(peer.asked.length).toBe(before);
  });

  it('nor is the answer to another browser (login CSRF)', async () => {
    const [victim, attacker] = [await begin(), await begin()];
    const before = peer.asked.length;
    const answer = await comeBack(victim.cookie, { code: 'of-the-attacker', state: attacker.state });
    expect(answer.headers.location).toBe('/?connexion=interrompue');
    expect(peer.asked.length).toBe(before);
  });

  it('nor one that comes to the address of another provider (mix-up)', async () => {
    const { cookie, state } = await begin('one');
    const before = other.asked.length;
    const answer = await comeBack(cookie, { code: 'for-one', state }, 'two');
    expect(answer.headers.location).toBe('/?connexion=interrompue');
    expect(other.asked.length).toBe(before);
  });

  it('nor one that names another issuer (RFC 9207)', async () => {
    const { cookie, state, nonce } = await begin();
    peer.claims = { nonce };
    const before = peer.asked.length;
    const answer = await comeBack(cookie, { code: 'a-code', state, iss: other.issuer });
    expect(opened(answer)).toBe(false);
    expect(peer.asked.length).toBe(before);
  });

  it('the same answer twice is one session', async () => {
    const { cookie, state, nonce } = await begin();
    peer.claims = { nonce };
    expect(opened(await comeBack(cookie, { code: 'a-code', state }))).toBe(true);
    // Even from a provider that lets a code be used again.
    expect(opened(await comeBack(cookie, { code: 'a-code', state }))).toBe(false);
  });

  it('an answer that took longer than ten minutes is too late', async () => {
    const { cookie, state, nonce } = await begin();
    peer.claims = { nonce };
    rig.clock.advance(10 * 60_000 + 1);
    expect(opened(await comeBack(cookie, { code: 'a-code', state }))).toBe(false);
  });

  it('a cookie made up or cut opens nothing', async () => {
    const { cookie, state } = await begin();
    for (const forged of [
      cookie.slice(0, -8),
      `${cookie}AAAA`,
      'passerelle-openid=e30',
      `passerelle-openid=${'A'.repeat(5_000)}`,
    ]) {
      const answer = await comeBack(forged, { code: 'a-code', state });
      expect(opened(answer)).toBe(false);
    }
  });
});

describe('the way there', () => {
  it('carries PKCE, state and nonce of its own each time, and shows the verifier to the provider alone', async () => {
    const [first, second] = [await begin(), await begin()];
    expect(first.asked.get('code_challenge_method')).toBe('S256');
    expect(first.asked.get('redirect_uri')).toBe(`${origin}/oauth2/openid/one/callback`);
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(first.asked.get(name)).toMatch(/^[\w-]{43}$/);
      expect(first.asked.get(name)).not.toBe(second.asked.get(name));
    }
    await attempt();
    expect(peer.asked.at(-1)?.verifier).toMatch(/^[\w-]{43}$/);
  });

  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', '/\u0000', 'javascript:alert(1)', '/a\nb'])(
    'does not lead to %j afterwards',
    async (returnTo) => {
      const { cookie, state, nonce } = await begin('one', returnTo);
      peer.claims = { nonce };
      const answer = await comeBack(cookie, { code: 'a-code', state });
      expect(opened(answer)).toBe(true);
      expect(answer.body).toContain('content="0;url=/"');
    },
  );

  it('writes the address of a page of ours so that it stays an address', async () => {
    const { cookie, state, nonce } = await begin('one', '/dossier/"><script>x</script>');
    peer.claims = { nonce };
    const { body } = await comeBack(cookie, { code: 'a-code', state });
    expect(body).not.toContain('<script');
  });

  it('is not begun by a page of another site', async () => {
    const answer = await rig.app.inject({
      url: '/oauth2/openid/one/start',
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    expect(answer.headers.location).toBe('/');
  });

  it('does not use the metadata of another issuer', async () => {
    const imposter = await openOpenidPeer();
    imposter.metadata = { issuer: peer.issuer };
    const lured = await openRig({
      identitySources: { ldap: [], openid: [sourceOf('three', imposter.issuer)] },
      routes: async (app, { access }) => {
        await app.register(openidRoutes, { access, baseUrl: () => origin });
      },
    });
    const answer = await lured.app.inject({ url: '/oauth2/openid/three/start' });
    expect(answer.headers.location).toBe('/?connexion=indisponible');
    await lured.close();
    await imposter.close();
  });
});
