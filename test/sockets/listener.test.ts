import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createSecureContext, TLSSocket, connect as tlsConnect } from 'node:tls';
import { afterEach, expect, it } from 'vitest';
import { type Conversation, type Listener, type ListenerOptions, listen } from '../../src/sockets/index.ts';
import { selfSigned } from '../fhir/subscriptions/certificates.ts';

type Told = { details: Record<string, unknown>; message: string };

const clients: Socket[] = [];
const listeners: Listener[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const listener of listeners.splice(0)) await listener.close();
});

/** A protocol of lines: each is answered in capitals once `hold` has let it pass. */
async function start(options: Partial<ListenerOptions> = {}, hold: (line: string) => Promise<void> | void = () => {}) {
  const told: Told[] = [];
  const keep = (details: object, message: string) => told.push({ details: details as Told['details'], message });
  const limits = { connections: 20, closeMs: 10_000, ...options.limits };
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    name: { plain: 'LINE', secured: 'LINES' },
    log: { warn: keep, error: keep },
    serve: (socket, conversation) => serve(socket, conversation, hold),
    ...options,
    limits,
  });
  listeners.push(listener);
  return { listener, told };
}

async function serve(socket: Socket, conversation: Conversation, hold: (line: string) => Promise<void> | void) {
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      conversation.handling = true;
      await hold(chunk.toString());
      socket.write(chunk.toString().toUpperCase());
      conversation.handling = false;
      if (conversation.closing) break;
    }
  } catch {
    // The other side is gone: so is the conversation.
  }
  socket.end();
}

async function client(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  clients.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function say(socket: Socket, line: string): Promise<string> {
  socket.write(line);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

it('answers on any free port, each connection its own', async () => {
  const { listener } = await start();
  expect(await Promise.all(['a', 'b'].map(async (line) => say(await client(listener.port), line)))).toEqual(['A', 'B']);
});

it('a port that is taken is an error of the start, not of later', async () => {
  const { listener } = await start();
  await expect(start({ port: listener.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

it('one address has so many connections and no more, until one of them ends', async () => {
  const { listener, told } = await start({ limits: { connections: 20, connectionsOfOne: 2, closeMs: 1_000 } });
  const [first, second] = [await client(listener.port), await client(listener.port)];
  expect([await say(first, 'a'), await say(second, 'b')]).toEqual(['A', 'B']);
  await once(await client(listener.port), 'close');
  expect(told).toEqual([{ details: { connections: 2 }, message: 'one address has too many LINE connections' }]);
  first.end();
  await once(first, 'close');
  expect(await say(await client(listener.port), 'c')).toBe('C');
});

it('beyond all connections there may be, more are closed unheard', async () => {
  const { listener } = await start({ limits: { connections: 1, closeMs: 1_000 } });
  expect(await say(await client(listener.port), 'a')).toBe('A');
  await once(await client(listener.port), 'close');
});

it('a protocol that counts for itself is told of each connection once when it comes and once when it goes', async () => {
  const inside: string[] = [];
  const gone = gate();
  const { listener } = await start({
    entered: (address) => inside.push(`+${address}`),
    left: (address) => {
      inside.push(`-${address}`);
      gone.open();
    },
  });
  const socket = await client(listener.port);
  await say(socket, 'a');
  socket.end();
  await gone.opened;
  expect(inside).toEqual(['+127.0.0.1', '-127.0.0.1']);
});

it('closing lets what is being handled be answered, ends what is idle, and takes nobody more', async () => {
  const begun = gate();
  const release = gate();
  const { listener } = await start({}, (line) => {
    if (line !== 'slow') return;
    begun.open();
    return release.opened;
  });
  const idle = await client(listener.port);
  await say(idle, 'a');
  const busy = await client(listener.port);
  const answer = say(busy, 'slow');
  await begun.opened;
  let closed = false;
  const closing = listener.close().then(() => {
    closed = true;
  });
  await once(idle, 'close');
  await expect(client(listener.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(closed).toBe(false);
  release.open();
  expect(await answer).toBe('SLOW');
  await closing;
});

it('closing waits no longer than it may for what never ends', async () => {
  const begun = gate();
  const { listener } = await start({ limits: { connections: 20, closeMs: 20 } }, () => {
    begun.open();
    return new Promise(() => {});
  });
  const socket = await client(listener.port);
  socket.write('forever');
  await begun.opened;
  await Promise.all([once(socket, 'close'), listener.close()]);
});

it('over TLS, new connections get the certificate that replaced the first, and open ones stay', async () => {
  const [first, second] = [selfSigned(['localhost']), selfSigned(['localhost'])];
  const followed: Parameters<NonNullable<ListenerOptions['tls']>['certificate']['follow']>[0][] = [];
  const certificate = { options: () => first, follow: (server: (typeof followed)[0]) => void followed.push(server) };
  const { listener } = await start({ tls: { certificate, asksClients: false } });
  const secure = async (ca: string) => {
    const socket = tlsConnect({ port: listener.port, host: '127.0.0.1', servername: 'localhost', ca });
    clients.push(socket);
    await once(socket, 'secureConnect');
    return socket;
  };
  const open = await secure(first.cert);
  followed[0]?.setSecureContext(second);
  expect(await say(await secure(second.cert), 'new')).toBe('NEW');
  await expect(secure(first.cert)).rejects.toThrow();
  expect(await say(open, 'old')).toBe('OLD');
});

it('over TLS, clients are asked for a certificate where the protocol wants one, and an unknown one is its to judge', async () => {
  const certificate = { options: () => selfSigned(['localhost']), follow: () => {} };
  const shown = gate();
  let subject: unknown;
  const { listener } = await start({
    tls: { certificate, asksClients: true },
    serve: async (socket) => {
      if (socket instanceof TLSSocket) subject = socket.getPeerCertificate().subject?.CN;
      shown.open();
      socket.end();
    },
  });
  const { cert, key } = selfSigned(['scanner']);
  const secureContext = createSecureContext({ cert, key });
  const socket = tlsConnect({ port: listener.port, host: '127.0.0.1', rejectUnauthorized: false, secureContext });
  clients.push(socket);
  await shown.opened;
  expect(subject).toBe('scanner');
});

it('over TLS, a handshake that fails is in the log, and others are served', async () => {
  const own = selfSigned(['localhost']);
  const certificate = { options: () => own, follow: () => {} };
  const { listener, told } = await start({ tls: { certificate, asksClients: false } });
  const plain = await client(listener.port);
  plain.write('this is no handshake\r\n\r\n');
  await once(plain, 'close');
  expect(told.map(({ message }) => message)).toEqual(['LINES handshake failed']);
  const socket = tlsConnect({ port: listener.port, host: '127.0.0.1', servername: 'localhost', ca: own.cert });
  clients.push(socket);
  expect(await say(socket, 'a')).toBe('A');
});
