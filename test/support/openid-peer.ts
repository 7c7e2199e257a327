/** A hand-made OpenID provider for tests: it says exactly what it is told to, right or wrong. */
import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface TokenRequest {
  code: string;
  verifier: string;
  redirectUri: string;
}

export interface OpenidPeer {
  issuer: string;
  /** Claims of the next ID token on top of right ones; undefined takes one away. */
  claims: Record<string, unknown>;
  userinfo: Record<string, unknown>;
  /** Makes the ID token out of right claims; by default signs them with the key published. */
  sign: (claims: Record<string, unknown>) => Promise<string> | string;
  /** Merged into the metadata. */
  metadata: Record<string, unknown>;
  readonly asked: TokenRequest[];
  /** ID tokens shown to end a session. */
  readonly ended: string[];
  /** Status of the token endpoint. */
  tokenStatus: number;
  signWith: {
    otherKey(claims: Record<string, unknown>): Promise<string>;
    none(claims: Record<string, unknown>): string;
    /** HMAC whose key is the published public key, or any text. */
    hmac(claims: Record<string, unknown>, key?: string): string;
  };
  close(): Promise<void>;
}

export const clientId = 'passerelle';
export const clientSecret = 'secret-of-passerelle';
const accessToken = 'an-access-token';

export function atHash(token: string): string {
  return createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url');
}

export async function openOpenidPeer(): Promise<OpenidPeer> {
  const [ours, other] = [await generateKeyPair('RS256'), await generateKeyPair('RS256')];
  const publicKey = { ...(await exportJWK(ours.publicKey)), kid: 'ours', alg: 'RS256', use: 'sig' };
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const jwt = (claims: Record<string, unknown>) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'ours' });

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const send = (body: object, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    switch (new URL(request.url ?? '/', peer.issuer).pathname) {
      case '/.well-known/openid-configuration':
        return send({
          issuer: peer.issuer,
          authorization_endpoint: `${peer.issuer}/auth`,
          token_endpoint: `${peer.issuer}/token`,
          userinfo_endpoint: `${peer.issuer}/userinfo`,
          jwks_uri: `${peer.issuer}/jwks`,
          end_session_endpoint: `${peer.issuer}/end`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          ...peer.metadata,
        });
      case '/auth': {
        // Whoever comes is signed in already: back with a code, at once.
        const asked = new URL(request.url ?? '/', peer.issuer).searchParams;
        peer.claims = { ...peer.claims, nonce: asked.get('nonce') };
        const back = new URL(asked.get('redirect_uri') ?? '');
        back.search = new URLSearchParams({ code: 'a-code', state: asked.get('state') ?? '' }).toString();
        return response.writeHead(302, { location: back.href }).end();
      }
      case '/end': {
        const asked = new URL(request.url ?? '/', peer.issuer).searchParams;
        peer.ended.push(asked.get('id_token_hint') ?? '');
        return response.writeHead(302, { location: asked.get('post_logout_redirect_uri') ?? '/' }).end();
      }
      case '/jwks':
        return send({ keys: [publicKey] });
      case '/userinfo':
        return send({ sub: 'alix', ...peer.userinfo });
      case '/token': {
        const form = new URLSearchParams(Buffer.concat(chunks).toString());
        peer.asked.push({
          code: form.get('code') ?? '',
          verifier: form.get('code_verifier') ?? '',
          redirectUri: form.get('redirect_uri') ?? '',
        });
        if (peer.tokenStatus !== 200) return send({ error: 'invalid_grant' }, peer.tokenStatus);
        const now = Math.floor(Date.now() / 1000);
        const claims = {
          iss: peer.issuer,
          sub: 'alix',
          aud: clientId,
          iat: now,
          exp: now + 300,
          at_hash: atHash(accessToken),
          ...peer.claims,
        };
        const present = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
        return send({
          access_token: accessToken,
          token_type: 'Bearer',
          expires_in: 60,
          refresh_token: 'never-kept',
          id_token: await peer.sign(present),
        });
      }
      default:
        return send({}, 404);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const peer: OpenidPeer = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    claims: {},
    userinfo: {},
    sign: (claims) => jwt(claims).sign(ours.privateKey),
    metadata: {},
    asked: [],
    ended: [],
    tokenStatus: 200,
    signWith: {
      otherKey: (claims) => jwt(claims).sign(other.privateKey),
      none: (claims) => `${encode({ alg: 'none' })}.${encode(claims)}.`,
      hmac(claims, key = JSON.stringify(publicKey)) {
        const input = `${encode({ alg: 'HS256', kid: 'ours' })}.${encode(claims)}`;
        return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
      },
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return peer;
}
