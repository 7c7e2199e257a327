import { Agent, get, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fastify from 'fastify';
import { expect, it } from 'vitest';
import { stopInTurn } from '../../src/orderly-stop.ts';
import { letConnectionsGo } from '../../src/sockets/index.ts';

it('a server that closes does not wait for a connection that is kept alive after the answer it was about to give', async () => {
  const app = fastify();
  letConnectionsGo(app);
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  app.get('/', async () => {
    arrived.resolve();
    await released.promise;
    return 'there';
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  const answered = new Promise<IncomingHttpHeaders>((resolve, reject) => {
    get({ agent, host: '127.0.0.1', port }, (answer) => {
      answer.resume().once('end', () => resolve(answer.headers));
    }).once('error', reject);
  });
  await arrived.promise;
  const closed = app.close();
  released.resolve();
  expect(await answered).toMatchObject({ connection: 'keep-alive' });
  await closed;
  agent.destroy();
}, 15_000);

it('a body that goes on coming is not waited for longer than the patience there is', async () => {
  const app = fastify();
  letConnectionsGo(app, 100);
  const arrived = Promise.withResolvers<void>();
  app.addHook('onRequest', async () => arrived.resolve());
  app.post('/', async () => 'whole');
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const upload = connect(port, '127.0.0.1');
  upload.on('error', () => undefined);
  const ended = new Promise((resolve) => upload.once('close', resolve));
  upload.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n');
  const drip = setInterval(() => upload.write('a'), 10);
  await arrived.promise;
  await app.close();
  await ended;
  clearInterval(drip);
}, 10_000);

it('a part that does not stop keeps no other from stopping', async () => {
  const stopped: string[] = [];
  const told: string[] = [];
  const parts = [
    async () => void stopped.push('listener'),
    async () => {
      throw new Error('no database');
    },
    () => void stopped.push('database'),
  ];
  await stopInTurn(parts, { error: (_, message) => told.push(message) });
  expect([stopped, told]).toEqual([['listener', 'database'], ['a part of the server did not stop as it should']]);
});
