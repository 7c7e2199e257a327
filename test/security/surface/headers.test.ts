/** Every registered route and every class of error carries the headers of the surface, in every form an answer can have. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWholeServer, type WholeServer } from './whole-server.ts';

let whole: WholeServer;
let token: string;
let pages: string;
const routes = new Map<string, Set<string>>();

const collect = (message: unknown) => {
  const { fastify } = message as { fastify: FastifyInstance };
  fastify.addHook('onRoute', ({ method, url }) => {
    routes.set(url, new Set([...(routes.get(url) ?? []), ...[method].flat()]));
  });
};

beforeAll(async () => {
  pages = await mkdtemp(join(tmpdir(), 'passerelle-pages-'));
  await mkdir(join(pages, 'assets'));
  await writeFile(join(pages, '.sources'), 'mark');
  await writeFile(join(pages, 'index.html'), '<!doctype html><title>Passerelle</title>');
  await writeFile(join(pages, 'assets', 'page-1a2b.js'), 'export {};');
  subscribe('fastify.initialization', collect);
  whole = await openWholeServer(
    { BASE_URL: 'https://passerelle.example', LIMIT_ACCOUNT_RATE: 'off' },
    { userInterface: pages },
  );
  unsubscribe('fastify.initialization', collect);
  token = await whole.token('conformance');
});
afterAll(async () => {
  await whole?.close();
  await rm(pages, { recursive: true, force: true });
});

interface Seen {
  status: number;
  headers: Headers;
  body: string;
}

async function ask(method: string, path: string, options: { headers?: Record<string, string>; body?: string } = {}) {
  const answer = await fetch(`${whole.server.httpUrl}${path}`, {
    method,
    redirect: 'manual',
    headers: options.headers ?? {},
    ...(options.body === undefined ? {} : { body: options.body }),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.text() };
}

function expectHeaders({ status, headers, body }: Seen, what: string): void {
  const value = (name: string) => headers.get(name) ?? '';
  const policy = value('content-security-policy');
  expect(policy, what).toContain("default-src 'none'");
  expect(policy.replace("'wasm-unsafe-eval'", ''), what).not.toMatch(/unsafe-|\*|https?:/);
  expect(policy, what).toMatch(/frame-ancestors '(self|none)'/);
  expect(value('x-content-type-options'), what).toBe('nosniff');
  expect(value('x-xss-protection'), what).toBe('0');
  expect(value('referrer-policy'), what).toBe('no-referrer');
  expect(value('permissions-policy'), what).toContain('camera=()');
  expect(value('cross-origin-opener-policy'), what).toBe('same-origin');
  expect(value('cross-origin-resource-policy'), what).toBe('same-origin');
  expect(value('strict-transport-security'), what).toMatch(/^max-age=31536000/);
  expect(value('cache-control'), what).toMatch(/no-store|no-cache|immutable|^public, max-age=86400$/);
  expect(headers.get('access-control-allow-origin'), what).toBeNull();
  expect(headers.get('server'), what).toBeNull();
  expect(headers.get('x-powered-by'), what).toBeNull();
  if (status >= 400) expect(value('cache-control'), what).toMatch(/no-store|no-cache/);
  if (value('content-type').startsWith('text/html')) {
    expect(body, what).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:/i);
  }
}

/** An address of the route, with something in the place of each parameter. */
function addressOf(url: string): string {
  const values: Record<string, string> = { study: '1.2.3', series: '1.2.3', instance: '1.2.3', tenant: 'aa' };
  return url.replace(/:(\w+)/g, (_, name: string) => values[name] ?? 'x').replace('*', 'Patient/x');
}

it('every route, signed in or not, as data or as a page', async () => {
  expect([...routes.keys()]).toEqual(
    expect.arrayContaining(['/oauth2/login', '/fhir/*', '/dicomweb/studies', '/.well-known/security.txt']),
  );
  const forms = [{ accept: 'application/json' }, { accept: 'text/html' }];
  // Signing out is a route, too.
  const walker = await whole.token('conformance');
  let walked = 0;
  for (const [url, methods] of routes) {
    for (const method of methods) {
      for (const form of forms) {
        for (const authorization of [undefined, `Bearer ${walker}`]) {
          const headers = { ...form, ...(authorization ? { authorization } : {}) };
          const seen = await ask(method, addressOf(url), { headers });
          expectHeaders(seen, `${method} ${url} ${form.accept} ${authorization ? 'signed in' : 'stranger'}`);
          walked++;
        }
      }
    }
  }
  expect(walked).toBeGreaterThan(200);
});

const json = { 'content-type': 'application/fhir+json' };
const classes: [name: string, status: number, ...request: Parameters<typeof ask>][] = [
  ['a body that is no JSON', 400, 'POST', '/fhir/Patient', { headers: json, body: '{' }],
  ['an unknown search parameter', 400, 'GET', '/fhir/Patient?nonsense=1', { headers: { prefer: 'handling=strict' } }],
  ['nobody signed in', 401, 'GET', '/fhir/Patient', { headers: { authorization: 'Bearer nobody' } }],
  ['an address that is none', 404, 'GET', '/fhir/nothing/at/all/here'],
  ['a method that is not taken', 405, 'DELETE', '/dicomweb/studies'],
  ['a form that is not served', 406, 'GET', '/fhir/Patient', { headers: { accept: 'image/png' } }],
  ['a body of another kind', 415, 'POST', '/fhir/Patient', { headers: { 'content-type': 'text/csv' }, body: 'a' }],
  [
    'a resource that is not valid',
    400,
    'POST',
    '/fhir/Patient',
    {
      headers: json,
      body: '{"resourceType":"Patient","gender":"x","birthDate":"no"}',
    },
  ],
  ['a page of the interface', 200, 'GET', '/dossier/1', { headers: { accept: 'text/html' } }],
  ['a script of the interface', 200, 'GET', '/assets/page-1a2b.js'],
  ['a hidden file beside the page', 404, 'GET', '/.sources'],
  ['a path out of the interface', 404, 'GET', '/assets/..%2f..%2fpackage.json'],
  ['an address that cannot be decoded', 400, 'GET', '/%E0%A4%A'],
  ['a parameter of a route that is too long', 414, 'GET', `/dicomweb/studies/${'1'.repeat(9_000)}`],
];

it.each(classes)('%s (%i)', async (name, status, method, path, { headers = {}, body } = {}) => {
  const answer = await ask(method, path, {
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  expect([name, answer.status]).toEqual([name, status]);
  expectHeaders(answer, name);
});

/** What no HTTP library would send. */
function raw(text: string): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const socket = connect(whole.server.httpPort, '127.0.0.1', () => socket.write(text));
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => {
      const [head = '', body = ''] = received.split('\r\n\r\n');
      const [start = '', ...lines] = head.split('\r\n');
      const headers = new Headers(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]));
      resolve({ status: Number(start.split(' ')[1]), headers, body });
    });
  });
}

it.each([
  ['no HTTP at all', 'hello\r\n\r\n', 400],
  ['an unknown method', 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ['headers beyond their size', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ['an address beyond its size', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\naa', 400],
  [
    'a length and chunks',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
])('a request that is %s', async (name, text, status) => {
  const answer = await raw(text);
  expect([name, answer.status]).toEqual([name, status]);
  expectHeaders(answer, name);
  expect(JSON.parse(answer.body)).toMatchObject({ resourceType: 'OperationOutcome' });
});

it('a page that somebody stored as a file is served without any right in our origin', async () => {
  const authorization = `Bearer ${token}`;
  const page = '<script>alert(document.cookie)</script>';
  const stored = await ask('POST', '/fhir/Binary', {
    headers: { authorization, 'content-type': 'text/html' },
    body: page,
  });
  const path = new URL(stored.headers.get('location')!).pathname.replace(/\/_history.*/, '');
  const served = await ask('GET', path, { headers: { authorization, accept: 'text/html,*/*' } });
  expect(served.status).toBe(200);
  expect(served.headers.get('content-security-policy')).toMatch(/^sandbox;/);
  expect(served.headers.get('content-disposition')).toBe(`attachment; filename="${path.split('/').at(-1)}"`);
  expectHeaders({ ...served, body: '' }, 'a stored page');
});

it('security.txt says whom to tell, where it belongs and until when it holds (RFC 9116)', async () => {
  const { headers, body } = await ask('GET', '/.well-known/security.txt');
  expect(headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(body).toMatch(/^Contact: (mailto|https|tel):\S+$/m);
  expect(body).toMatch(/^Canonical: https:\/\/passerelle\.example\/\.well-known\/security\.txt$/m);
  const days = (Date.parse(/^Expires: (.+)$/m.exec(body)![1]!) - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(30);
  expect(days).toBeLessThan(365);
});
