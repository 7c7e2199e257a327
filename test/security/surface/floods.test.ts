/** Clients that ask too much, too slowly or never finish asking: on real sockets. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect, type Socket } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createLimits } from '../../../src/access/index.ts';
import type { LimitSettings } from '../../../src/config/index.ts';
import { openWholeServer, type WholeServer } from './whole-server.ts';

let whole: WholeServer;
let application: FastifyInstance | undefined;
const collect = (message: unknown) => {
  application = (message as { fastify: FastifyInstance }).fastify;
};

beforeAll(async () => {
  subscribe('fastify.initialization', collect);
  whole = await openWholeServer({ LIMIT_ACCOUNT_RATE: '1,5', LIMIT_ADDRESS_RATE: '1,20' });
  unsubscribe('fastify.initialization', collect);
});
const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});
afterAll(() => whole.close());

/** Through a proxy: who sits on the machine itself is not limited. */
const proxied = { 'x-forwarded-for': '192.0.2.7' };

it('an account gets its burst, then an OperationOutcome that says when to come back; others are served on', async () => {
  const one = { authorization: `Bearer ${await whole.token('ris')}`, ...proxied };
  const ask = (path: string, headers: Record<string, string>) => fetch(`${whole.server.httpUrl}${path}`, { headers });
  for (let count = 0; count < 5; count++) expect((await ask('/fhir/Patient?_count=1', one)).status).not.toBe(429);
  const refused = await ask('/fhir/Patient?_count=1', one);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(await refused.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'throttled' }] });
  // The same account by another door.
  const images = await ask('/dicomweb/studies', one);
  expect([images.status, images.headers.get('retry-after')]).toEqual([429, '1']);
  expect((await ask('/oauth2/userinfo', one)).status).toBe(429);

  const other = { authorization: `Bearer ${await whole.token('conformance')}`, ...proxied };
  expect((await ask('/fhir/Patient?_count=1', other)).status).toBe(200);
});

it('an address that knocks without an account is slowed down too, the machine itself is not', async () => {
  const statuses: number[] = [];
  for (let count = 0; count < 40; count++) {
    statuses.push((await fetch(`${whole.server.httpUrl}/fhir/Patient`, { headers: proxied })).status);
  }
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  expect((await fetch(`${whole.server.httpUrl}/fhir/metadata`)).status).toBe(200);
});

const generous: LimitSettings = {
  accountRate: undefined,
  addressRate: undefined,
  accountConcurrency: 100,
  addressConcurrency: 100,
  addressConnections: 100,
  bodyRate: 500,
};

async function serve(settings: Partial<LimitSettings>, slowWindowMs?: number) {
  const limits = createLimits(
    { ...generous, ...settings },
    { behindProxy: false, secure: false, ...(slowWindowMs ? { slowWindowMs } : {}) },
  );
  const app = fastify();
  apps.push(app);
  await app.register(limits.plugin);
  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  app.get('/slow', async () => {
    entered.resolve();
    await gate.promise;
    return {};
  });
  // Answers before it has read the body, and never reads the rest, as a route does that stops at a limit.
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => {
      payload.once('data', () => payload.pause());
      done(null, payload);
    });
    scope.post('/early', async (_request, reply) => reply.code(413).send({}));
  });
  app.post('/', async (request) => ({ length: JSON.stringify(request.body).length }));
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    close: () => app.close(),
    release: gate.resolve,
    entered: entered.promise,
  };
}

it('requests at once are counted while they are answered, and only then', async () => {
  const { url, release, entered } = await serve({ addressConcurrency: 1 });
  const first = fetch(`${url}/slow`, { headers: proxied });
  await entered;
  expect((await fetch(`${url}/slow`, { headers: proxied })).status).toBe(429);
  release();
  expect((await first).status).toBe(200);
  await expect.poll(async () => (await fetch(`${url}/slow`, { headers: proxied })).status).toBe(200);
});

function open(port: number, text: string): { socket: Socket; closed: Promise<string> } {
  const socket = connect(port, '127.0.0.1', () => socket.write(text));
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString();
  });
  socket.on('error', () => undefined);
  return { socket, closed: new Promise((resolve) => socket.on('close', () => resolve(received))) };
}

it('one address has so many connections and no more', async () => {
  const { port } = await serve({ addressConnections: 2 });
  const held = [open(port, ''), open(port, '')];
  await Promise.all(held.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))));
  expect(await open(port, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n').closed).toBe('');
  for (const { socket } of held) socket.destroy();
});

it('a body that comes an octet at a time is given up with 408, one that comes fast enough is not', async () => {
  const { port, url } = await serve({ bodyRate: 10_000 }, 50);
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"';
  const { socket, closed } = open(port, head);
  const dripping = setInterval(() => socket.write('a'), 10);
  const answer = await closed;
  clearInterval(dripping);
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toContain('OperationOutcome');
  const body = JSON.stringify('a'.repeat(99_998));
  const whole = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  expect(await whole.json()).toEqual({ length: 100_000 });
});

it('a body that goes on after its answer holds neither its connection nor a server that stops', async () => {
  const head = 'POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n';
  const slow = await serve({}, 50);
  const first = open(slow.port, `${head}${'a'.repeat(200_000)}`);
  expect(await first.closed).toMatch(/^HTTP\/1\.1 413 /);
  const patient = await serve({}, 3_600_000);
  const second = open(patient.port, `${head}${'a'.repeat(200_000)}`);
  await new Promise((resolve) => second.socket.once('data', resolve));
  await patient.close();
  await second.closed;
});

it('headers that never end are not waited for', async () => {
  expect(application!.server.headersTimeout).toBe(20_000);
  // Twenty seconds are long in a test; what ends them is the same.
  application!.server.headersTimeout = 200;
  const { socket, closed } = open(whole.server.httpPort, 'GET / HTTP/1.1\r\nHost: x\r\n');
  const dripping = setInterval(() => socket.write('X-A: b\r\n'), 50);
  expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
  clearInterval(dripping);
}, 15_000);

it('a caller who leaves while we look up who asks takes no place for ever', async () => {
  const limits = createLimits({ ...generous, accountConcurrency: 1 }, { behindProxy: false, secure: false });
  const asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  const caller = { tenant: 'aa', actor: { account: 'night' } } as Awaited<
    ReturnType<Parameters<typeof limits.guard>[0]['authenticate']>
  >;
  let isSlow = true;
  const guards = limits.guard({
    async authenticate(_request: object) {
      asked.resolve();
      if (isSlow) await answered.promise;
      return caller;
    },
  });
  const app = fastify();
  apps.push(app);
  await app.register(limits.plugin);
  const left = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  app.get('/', async (request, reply) => {
    reply.raw.once('close', left.resolve);
    await guards.authenticate(request).finally(done.resolve);
    return {};
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  const gone = open(port, 'GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n');
  await asked.promise;
  gone.socket.destroy();
  await left.promise;
  isSlow = false;
  answered.resolve();
  await done.promise;
  expect((await fetch(`http://127.0.0.1:${port}/`, { headers: proxied })).status).toBe(200);
});
