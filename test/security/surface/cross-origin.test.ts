/** Pages of other sites: closed unless named, never with credentials. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../../src/config/index.ts';
import { openWholeServer, type WholeServer } from './whole-server.ts';

const app = 'https://app.chu.example';
let whole: WholeServer;
beforeAll(async () => {
  whole = await openWholeServer({ CORS_ORIGINS: `${app}, https://autre.chu.example:8443` });
});
afterAll(() => whole.close());

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${whole.server.httpUrl}${path}`, init);
}

function preflight(path: string, origin: string): Promise<Response> {
  const headers = { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'authorization' };
  return ask(path, { method: 'OPTIONS', headers });
}

describe('an origin the deployment names', () => {
  it('may ask before it sends, without signing in', async () => {
    const answer = await preflight('/fhir/Patient/1', app);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe(app);
    expect(answer.headers.get('access-control-allow-methods')).toContain('PUT');
    expect(answer.headers.get('access-control-allow-headers')).toContain('Authorization');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  it('reads answers, refusals too, with what belongs to them', async () => {
    const answer = await ask('/fhir/Patient', { headers: { origin: app } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('access-control-allow-origin')).toBe(app);
    expect(answer.headers.get('access-control-expose-headers')).toContain('ETag');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect(answer.headers.get('vary')).toMatch(/Accept.*Origin/);
  });

  it('cannot sign anybody in', async () => {
    const answer = await preflight('/oauth2/login', app);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

it.each([
  'https://app.chu.example.evil.example',
  'https://evil.example',
  'http://app.chu.example',
  'https://app.chu.example:444',
  'null',
  'https://APP.chu.example',
])('the origin %s gets nothing', async (origin) => {
  for (const answer of [
    await preflight('/fhir/Patient', origin),
    await ask('/fhir/metadata', { headers: { origin } }),
  ]) {
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('access-control-allow-methods')).toBeNull();
  }
});

it('answers that differ by origin say so to caches, whoever asks', async () => {
  expect((await ask('/fhir/metadata')).headers.get('vary')).toContain('Origin');
});

it.each(['*', 'https://*.chu.example', 'https://chu.example/', 'http://chu.example', 'null'])(
  '%s cannot be allowed',
  (entry) => {
    expect(() => loadConfig({ CORS_ORIGINS: entry })).toThrow(ConfigError);
  },
);
