import type { Parameters, Resource } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { asked, focusesIn, numbersIn, openRig, order, type Rig, told, topic } from './support.ts';

let rig: Rig;
let patient: Rig;
let impatient: Rig;
const clients: WebSocket[] = [];
beforeAll(async () => {
  patient = await openRig({ socketLimits: { connectionsOfOne: 3, standingMs: 0 } });
  impatient = await openRig({
    socketLimits: { patienceMs: 500, strangerMs: 400, unboundOfOne: 3, standingMs: 3_600_000 },
  });
});
beforeEach(() => {
  rig = patient;
});
afterEach(async () => {
  rig.refused = () => false;
  rig.closed.clear();
  rig.ended.clear();
  for (const client of clients.splice(0)) client.terminate();
});
afterAll(() => Promise.all([patient.close(), impatient.close()]));

interface Client {
  socket: WebSocket;
  messages: string[];
  closed: Promise<{ code: number; reason: string }>;
}

function connect(options: { as?: string; origin?: string; autoPong?: boolean } = {}): Promise<Client> {
  const headers = {
    ...(options.as ? { authorization: `Bearer aa.${options.as}` } : {}),
    ...(options.origin ? { origin: options.origin } : {}),
  };
  const socket = new WebSocket(`${rig.url.replace('http', 'ws')}/fhir/ws`, {
    headers,
    autoPong: options.autoPong ?? true,
  });
  clients.push(socket);
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(data.toString()));
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve({ socket, messages, closed }));
    socket.on('error', reject);
  });
}

async function get(path: string, account = 'ris'): Promise<{ status: number; body: Resource }> {
  const response = await fetch(`${rig.url}/fhir/${path}`, { headers: { authorization: `Bearer aa.${account}` } });
  return { status: response.status, body: (await response.json()) as Resource };
}

async function tokenOf(id: string, account = 'ris'): Promise<string> {
  const { body } = await get(`Subscription/${id}/$get-ws-binding-token`, account);
  return (body as Parameters).parameter!.find(({ name }) => name === 'token')!.valueString!;
}

async function delivered(id: string): Promise<number> {
  const { rows } = await rig.database.query<{ delivered: string }>(
    'aa',
    'SELECT delivered FROM subscription_feed WHERE tenant = $1 AND id = $2',
    ['aa', id],
  );
  return Number(rows[0]!.delivered);
}

const live = (criteria: string, more: object = {}) => asked(criteria, { type: 'websocket', ...more });

test('R4: bind is answered by bound, and a match by ping, for who signed in as the owner', async () => {
  const id = await rig.activate(live('ServiceRequest?status=active'));
  const client = await connect({ as: 'ris' });
  client.socket.send(`bind ${id}`);
  await rig.until(() => client.messages.length === 1);
  await rig.write(order());
  await rig.until(() => client.messages.length === 2);
  expect(client.messages).toEqual([`bound ${id}`, `ping ${id}`]);
});

test('nobody binds without signing in, nor to what is somebody else’s or unknown, and is told no difference', async () => {
  const id = await rig.activate(live('ServiceRequest?'));
  const stranger = await connect();
  stranger.socket.send(`bind ${id}`);
  await rig.until(() => stranger.messages.length === 1);
  expect(JSON.parse(stranger.messages[0]!).issue[0].code).toBe('login');
  const other = await connect({ as: 'noa' });
  other.socket.send(`bind ${id}`);
  other.socket.send('bind no-such-id');
  other.socket.send('unbind');
  await rig.until(() => other.messages.length === 3);
  expect(rig.audited.filter(({ outcome }) => outcome === 'refused')).toMatchObject([
    { account: 'noa', target: { type: 'Subscription', id } },
    { account: 'noa', target: { type: 'Subscription', id: 'no-such-id' } },
  ]);
  const [notMine, unknown, word] = other.messages.map((text) => JSON.parse(text).issue[0]);
  expect(notMine).toEqual(unknown);
  expect(word.code).toBe('not-supported');
});

test('with a token: a handshake, then events in order with what was asked for', async () => {
  const id = await rig.activate(live(topic('request-received'), { content: 'id-only', maxCount: 2 }));
  const client = await connect();
  client.socket.send(`bind-with-token ${await tokenOf(id)}`);
  await rig.until(() => client.messages.length === 1);
  expect(told(client.messages[0]!, 'type')).toBe('handshake');
  const made = [await rig.write(order()), await rig.write(order()), await rig.write(order())];
  await rig.until(() => client.messages.length === 3);
  expect(client.messages.slice(1).flatMap(numbersIn)).toEqual([1, 2, 3]);
  expect(client.messages.slice(1).flatMap(focusesIn)).toEqual(
    made.map((resource) => `${rig.url}/fhir/ServiceRequest/${resource.id}`),
  );
});

test('what happened while nobody was connected is sent at the next connection, and what was read is not sent again', async () => {
  const id = await rig.activate(live(topic('request-received'), { content: 'empty' }));
  await rig.write(order());
  const first = await connect();
  first.socket.send(`bind-with-token ${await tokenOf(id)}`);
  await rig.until(async () => (await delivered(id)) === 1);
  first.socket.close();
  await first.closed;
  await rig.write(order());
  const second = await connect();
  second.socket.send(`bind-with-token ${await tokenOf(id)}`);
  await rig.until(async () => (await delivered(id)) === 2);
  expect(second.messages.slice(1).flatMap(numbersIn)).toEqual([2]);
});

test('made again under its id while its client is connected, it tells what happens from then on', async () => {
  const wanted = live(topic('request-received'), { content: 'empty' });
  const id = await rig.activate(wanted);
  const client = await connect();
  client.socket.send(`bind-with-token ${await tokenOf(id)}`);
  await rig.write(order());
  await rig.write(order());
  await rig.until(async () => (await delivered(id)) === 2);
  await rig.store.transaction(rig.as('ris'), (tx) => tx.delete('Subscription', id));
  await rig.activate({ ...wanted, id });
  await rig.write(order());
  await rig.until(async () => (await delivered(id)) === 1);
  expect(client.messages.slice(1).flatMap(numbersIn)).toEqual([1, 2, 1]);
});

test('every connection of the owner is told everything, each in order', async () => {
  const id = await rig.activate(live(topic('request-received'), { content: 'empty' }));
  const [one, two] = [await connect(), await connect()];
  for (const client of [one, two]) client.socket.send(`bind-with-token ${await tokenOf(id)}`);
  await rig.until(() => one.messages.length === 1 && two.messages.length === 1);
  await rig.write(order());
  await rig.write(order());
  await rig.until(() => [one, two].every(({ messages }) => messages.slice(1).flatMap(numbersIn).length === 2));
  for (const { messages } of [one, two]) expect(messages.slice(1).flatMap(numbersIn)).toEqual([1, 2]);
});

test('a client that does not read is sent a few notifications and closed; another goes on with what it did not answer for', async () => {
  rig = impatient;
  const id = await rig.activate(live(topic('request-received'), { content: 'empty', maxCount: 1 }));
  const slow = await connect({ autoPong: false });
  slow.socket.send(`bind-with-token ${await tokenOf(id)}`);
  await rig.until(() => slow.messages.length === 1);
  for (let n = 0; n < 12; n++) await rig.write(order());
  await rig.until(() => slow.messages.length > 1);
  await rig.subscriptions.sweep();
  expect(await slow.closed).toMatchObject({ code: 1006 });
  expect(slow.messages.length - 1).toBeLessThanOrEqual(8);
  expect(await delivered(id)).toBe(0);
  const next = await connect();
  next.socket.send(`bind-with-token ${await tokenOf(id)}`);
  await rig.until(async () => (await delivered(id)) === 12);
  expect(next.messages.slice(1).flatMap(numbersIn)).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
});

test('a token is its owner’s, for an hour; then the connection ends', async () => {
  const id = await rig.activate(live(topic('request-received'), { content: 'empty' }));
  expect((await get(`Subscription/${id}/$get-ws-binding-token`, 'noa')).status).toBe(404);
  const { body } = await get(`Subscription/$get-ws-binding-token?id=${id}`);
  const values = Object.fromEntries(
    (body as Parameters).parameter!.map(({ name, valueString, valueDateTime, valueUrl }) => [
      name,
      valueString ?? valueDateTime ?? valueUrl,
    ]),
  );
  expect(values).toEqual({
    token: expect.stringMatching(/^aa\.[\w-]{43}$/),
    expiration: new Date(rig.clock.now().getTime() + 3_600_000).toISOString(),
    subscription: id,
    'websocket-url': `${rig.url.replace('http', 'ws')}/fhir/ws`,
  });
  const client = await connect();
  client.socket.send(`bind-with-token: ${values.token}`);
  await rig.until(() => client.messages.length === 1);
  rig.clock.advance(3_600_000);
  await rig.subscriptions.sweep();
  expect(await client.closed).toMatchObject({ code: 1008, reason: 'the token is over: ask for another' });
  const late = await connect();
  late.socket.send(`bind-with-token ${values.token}`);
  await rig.until(() => late.messages.length === 1);
  expect(JSON.parse(late.messages[0]!).issue[0].code).toBe('login');
});

test('access withdrawn while connected: the resource is no longer named; the account shut off: the session is over', async () => {
  const id = await rig.activate(live(topic('request-received'), { content: 'id-only' }));
  const client = await connect({ as: 'ris' });
  client.socket.send(`bind ${id}`);
  await rig.until(() => client.messages.length === 1);
  rig.refused = (_context, request) => request.interaction === 'read';
  const hidden = await rig.write(order());
  await rig.until(() => client.messages.length === 2);
  expect(numbersIn(client.messages[1]!)).toEqual([1]);
  expect(client.messages[1]).not.toContain(hidden.id);
  rig.refused = () => false;
  rig.closed.add('ris');
  await rig.write(order());
  await rig.until(() => client.socket.readyState === WebSocket.CLOSED);
  expect(await client.closed).toMatchObject({ code: 1008, reason: 'the session is over' });
  expect(client.messages).toHaveLength(2);
});

test('a token ends with the session it was asked for in: an idle line is closed, and it opens no other', async () => {
  const id = await rig.activate(live(topic('request-received'), { content: 'id-only' }));
  const token = await tokenOf(id);
  const [one, two] = [await connect(), await connect({ as: 'ris' })];
  one.socket.send(`bind-with-token ${token}`);
  two.socket.send(`bind ${id}`);
  await rig.until(() => one.messages.length === 1 && two.messages.length === 1);
  rig.ended.add('aa.ris');
  await rig.until(() => [one, two].every(({ socket }) => socket.readyState === WebSocket.CLOSED));
  for (const { closed } of [one, two])
    expect(await closed).toMatchObject({ code: 1008, reason: 'the session is over' });
  const late = await connect();
  late.socket.send(`bind-with-token ${token}`);
  await rig.until(() => late.messages.length === 1);
  expect(JSON.parse(late.messages[0]!).issue[0].code).toBe('login');
});

test('what happens after the session ended is not sent, however soon it happens', async () => {
  rig = impatient;
  const id = await rig.activate(live(topic('request-received'), { content: 'id-only' }));
  const client = await connect();
  client.socket.send(`bind-with-token ${await tokenOf(id)}`);
  await rig.until(() => client.messages.length === 1);
  rig.ended.add('aa.ris');
  await rig.write(order());
  await rig.until(() => client.socket.readyState === WebSocket.CLOSED);
  expect(client.messages).toHaveLength(1);
});

test('off parks the line; asked for again, it goes on', async () => {
  const id = await rig.activate(live(topic('request-received'), { content: 'empty' }));
  const client = await connect();
  client.socket.send(`bind-with-token ${await tokenOf(id)}`);
  await rig.until(() => client.messages.length === 1);
  const active = await rig.store.read('aa', 'Subscription', id);
  await rig.write({ ...active, status: 'off' });
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(client.messages).toHaveLength(1);
  await rig.write({ ...active, status: 'requested' });
  await rig.until(() => client.messages.length === 2);
  expect(numbersIn(client.messages[1]!)).toEqual([1]);
});

test('a silent line gets heartbeats', async () => {
  const id = await rig.activate(live(topic('request-received'), { content: 'empty', heartbeat: 60 }));
  const client = await connect();
  client.socket.send(`bind-with-token ${await tokenOf(id)}`);
  await rig.until(() => client.messages.length === 1);
  rig.clock.advance(59_000);
  await rig.subscriptions.sweep();
  rig.clock.advance(1_000);
  await rig.until(() => client.messages.length === 2);
  expect(told(client.messages[1]!, 'type')).toBe('heartbeat');
});

test('a page of somebody else that made the browser connect is nobody', async () => {
  const id = await rig.activate(live('ServiceRequest?'));
  // The double of the guards knows no cookies: an Origin with a header of its own is a client, one without is a browser.
  const client = await connect({ origin: 'https://evil.example' });
  client.socket.send(`bind ${id}`);
  await rig.until(() => client.messages.length === 1);
  expect(JSON.parse(client.messages[0]!).issue[0].code).toBe('login');
});

test('who binds nothing in time is shut out', async () => {
  rig = impatient;
  const closed: string[] = [];
  const [stranger, idle] = [await connect(), await connect({ as: 'ris' })];
  const gone = [stranger, idle].map(async (client, index) => {
    expect(await client.closed).toMatchObject({ code: 1008, reason: 'nothing was bound' });
    closed.push(['stranger', 'signed in'][index]!);
  });
  await Promise.all(gone);
  expect(closed).toEqual(['stranger', 'signed in']);
});

test('who binds nothing takes few places, and those who bound theirs keep them', async () => {
  rig = impatient;
  const id = await rig.activate(live(topic('request-received'), { content: 'empty' }));
  const bound = await connect();
  bound.socket.send(`bind-with-token ${await tokenOf(id)}`);
  await rig.until(() => bound.messages.length === 1);
  const waiting = await Promise.all([connect({ as: 'ris' }), connect({ as: 'ris' }), connect({ as: 'ris' })]);
  const refused = await connect({ as: 'ris' });
  expect(await refused.closed).toMatchObject({
    code: 1013,
    reason: 'too many connections on which nothing is bound',
  });
  waiting[0].socket.close();
  await waiting[0].closed;
  const next = await connect();
  next.socket.send(`bind-with-token ${await tokenOf(id)}`);
  await rig.until(() => next.messages.length === 1);
  expect(bound.socket.readyState).toBe(WebSocket.OPEN);
});

test('who sends too much or opens too many lines is shut out', async () => {
  const id = await rig.activate(live(topic('request-received'), { content: 'empty' }));
  const [loud, binary] = [await connect(), await connect()];
  loud.socket.send('x'.repeat(5_000));
  binary.socket.send(Buffer.from('bind 1'));
  expect(await loud.closed).toMatchObject({ code: 1009 });
  expect(await binary.closed).toMatchObject({ code: 1008 });
  const token = await tokenOf(id);
  const four = [await connect(), await connect(), await connect(), await connect()];
  for (const { socket, messages } of four) {
    socket.send(`bind-with-token ${token}`);
    await rig.until(() => messages.length === 1);
  }
  expect(JSON.parse(four[3]!.messages[0]!).issue[0].code).toBe('throttled');
});
