import { Agent, get, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { expect, it } from 'vitest';
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
