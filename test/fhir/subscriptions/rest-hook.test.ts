import type { Bundle, DiagnosticReport, Patient, ServiceRequest, Task } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { validateResource } from '../../../src/fhir/index.ts';
import {
  asked,
  focusesIn,
  numbersIn,
  openReceiver,
  openRig,
  order,
  type Receiver,
  type Rig,
  statusOf,
  told,
  topic,
} from './support.ts';

let rig: Rig;
const receivers: Receiver[] = [];
beforeAll(async () => {
  rig = await openRig();
});
afterEach(async () => {
  rig.refused = () => false;
  rig.closed.clear();
  rig.audited.length = 0;
  for (const receiver of receivers.splice(0)) await receiver.close();
  const known = await rig.store.search('aa', 'Subscription', '');
  for (const { id } of known) await rig.store.transaction(rig.as('ris'), (tx) => tx.delete('Subscription', id!));
});
afterAll(() => rig.close());

async function receiver(): Promise<Receiver> {
  const opened = await openReceiver();
  receivers.push(opened);
  return opened;
}

test('without a payload the endpoint gets an empty POST for each resource that matches, and nothing for others', async () => {
  const hook = await receiver();
  await rig.activate(asked('ServiceRequest?status=active', { endpoint: hook.url }));
  await rig.write(order());
  await rig.write(order({ status: 'draft' }));
  await rig.write({ resourceType: 'Patient' });
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(hook.received.map(({ method, path, body }) => ({ method, path, body }))).toEqual([
    { method: 'POST', path: '/hook', body: '' },
    { method: 'POST', path: '/hook', body: '' },
  ]);
});

test('with a payload the resource is put below the endpoint, as the version that matched, in JSON or XML', async () => {
  const [json, xml] = [await receiver(), await receiver()];
  await rig.activate(asked('ServiceRequest?status=active', { endpoint: json.url, payload: 'application/fhir+json' }));
  await rig.activate(asked('ServiceRequest?status=active', { endpoint: xml.url, payload: 'application/fhir+xml' }));
  const first = await rig.write(order());
  await rig.write({ ...first, note: [{ text: 'second' }] } as never);
  await rig.write({ ...first, status: 'revoked' } as never);
  await rig.subscriptions.sweep();
  expect(json.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
    `PUT /hook/ServiceRequest/${first.id}`,
    `PUT /hook/ServiceRequest/${first.id}`,
  ]);
  expect(json.received.map(({ body }) => (JSON.parse(body) as ServiceRequest).meta?.versionId)).toEqual(['1', '2']);
  expect(json.received[0]!.headers['content-type']).toBe('application/fhir+json; charset=utf-8');
  expect(xml.received[1]!.body).toMatch(/^(<\?xml[^>]*>)?\s*<ServiceRequest xmlns="http:\/\/hl7.org\/fhir">.*second/s);
});

test('a deletion, and a change that leaves the criteria, are not told by R4', async () => {
  const hook = await receiver();
  await rig.activate(asked('ServiceRequest?status=active', { endpoint: hook.url }));
  const { id } = await rig.write(order());
  await rig.store.transaction(rig.as('ris'), (tx) => tx.delete('ServiceRequest', id));
  await rig.subscriptions.sweep();
  expect(hook.received).toHaveLength(1);
});

test('a topic is active once its endpoint took the handshake', async () => {
  const hook = await receiver();
  const id = await rig.activate(asked(topic('request-received'), { endpoint: hook.url, content: 'id-only' }));
  const [handshake] = hook.received;
  expect(told(handshake!.body, 'type')).toBe('handshake');
  expect(told(handshake!.body, 'status')).toBe('requested');
  expect(told(handshake!.body, 'events-since-subscription-start')).toBe('0');
  const bundle = JSON.parse(handshake!.body) as Bundle;
  expect(bundle.type).toBe('history');
  expect(validateResource(bundle)).toEqual([]);
  expect(bundle.entry![0]!.request).toEqual({ method: 'GET', url: `${rig.url}/fhir/Subscription/${id}/$status` });
});

test('an endpoint that refuses the handshake puts the subscription into error, and asking again brings it back', async () => {
  const hook = await receiver();
  hook.answer = () => 503;
  const { id } = await rig.write(asked(topic('request-received'), { endpoint: hook.url, content: 'empty' }));
  await rig.until(async () => (await rig.status(id)) === 'error');
  const broken = await rig.store.read('aa', 'Subscription', id);
  expect(broken.error).toBe('the endpoint answered HTTP 503');
  await rig.write(order());
  hook.answer = () => 200;
  hook.received.length = 0;
  await rig.write({ ...broken, status: 'requested', error: undefined } as never);
  await rig.until(async () => (await rig.status(id)) === 'active');
  await rig.subscriptions.sweep();
  // What happened meanwhile was recorded and follows.
  expect(hook.received.map(({ body }) => told(body, 'type'))).toEqual(['handshake', 'event-notification']);
  expect(numbersIn(hook.received[1]!.body)).toEqual([1]);
});

test('notifications say as much as was asked for: nothing, which resource, or the resource', async () => {
  const [empty, idOnly, full] = [await receiver(), await receiver(), await receiver()];
  await rig.activate(asked(topic('request-received'), { endpoint: empty.url, content: 'empty' }));
  await rig.activate(asked(topic('request-received'), { endpoint: idOnly.url, content: 'id-only' }));
  await rig.activate(asked(topic('request-received'), { endpoint: full.url, content: 'full-resource' }));
  const { id } = await rig.write(order());
  await rig.subscriptions.sweep();
  const [none, named, whole] = [empty, idOnly, full].map(({ received }) => received.at(-1)!.body) as [
    string,
    string,
    string,
  ];
  for (const text of [none, named, whole]) {
    expect(validateResource(JSON.parse(text))).toEqual([]);
    expect(told(text, 'events-since-subscription-start')).toBe('1');
    expect(numbersIn(text)).toEqual([1]);
  }
  expect((JSON.parse(none) as Bundle).entry).toHaveLength(1);
  expect(focusesIn(none)).toEqual([undefined]);
  expect(told(none, 'topic')).toBeUndefined();
  expect(focusesIn(named)).toEqual([`${rig.url}/fhir/ServiceRequest/${id}`]);
  expect((JSON.parse(named) as Bundle).entry![1]).toEqual({
    fullUrl: `${rig.url}/fhir/ServiceRequest/${id}`,
    request: { method: 'POST', url: 'ServiceRequest' },
    response: { status: '201' },
  });
  expect(told(whole, 'topic')).toBe(topic('request-received'));
  expect((JSON.parse(whole) as Bundle).entry![1]!.resource).toMatchObject({ resourceType: 'ServiceRequest', id });
});

test('topics fire on the change they define: a report on its signature and each amendment, a case on every change', async () => {
  const hook = await receiver();
  await rig.activate(asked(topic('report-available'), { endpoint: hook.url, content: 'id-only' }));
  const draft: DiagnosticReport = { resourceType: 'DiagnosticReport', status: 'partial', code: { text: 'CR' } };
  const report = await rig.write(draft);
  await rig.write({ ...report, status: 'final' });
  await rig.write({ ...report, status: 'final', conclusion: 'the same state again' });
  await rig.write({ ...report, status: 'amended' });
  await rig.write({ ...report, status: 'corrected' });
  await rig.subscriptions.sweep();
  expect(hook.received.slice(1).flatMap(({ body }) => numbersIn(body))).toEqual([1, 2, 3]);

  const cases = await receiver();
  const filters = ['owner=Practitioner/noa', 'Task.priority=urgent'];
  await rig.activate(asked(topic('case-changed'), { endpoint: cases.url, content: 'id-only', filters }));
  const task: Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    priority: 'urgent',
    owner: { reference: 'Practitioner/noa' },
    code: { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/task-code', code: 'teleradiology-case' }] },
  };
  const mine = await rig.write(task);
  await rig.write({ ...task, owner: { reference: 'Practitioner/else' } });
  await rig.write({ ...task, priority: 'routine' });
  await rig.write({ ...task, code: { text: 'something else' } });
  await rig.write({ ...mine, status: 'in-progress' });
  await rig.subscriptions.sweep();
  const focus = `${rig.url}/fhir/Task/${mine.id}`;
  expect(cases.received.slice(1).flatMap(({ body }) => focusesIn(body))).toEqual([focus, focus]);
});

test('a notification holds at most as many events as asked for, in order of their numbers', async () => {
  const hook = await receiver();
  await rig.activate(asked(topic('request-received'), { endpoint: hook.url, content: 'empty', maxCount: 2 }));
  for (let n = 0; n < 5; n++) await rig.write(order());
  await rig.subscriptions.sweep();
  expect(hook.received.slice(1).map(({ body }) => numbersIn(body))).toEqual([[1, 2], [3, 4], [5]]);
});

test('events of writers at the same time get numbers without gaps, and each resource tells its versions in order', async () => {
  const hook = await receiver();
  await rig.activate(asked(topic('case-changed'), { endpoint: hook.url, content: 'full-resource', maxCount: 7 }));
  const code = {
    coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/task-code', code: 'teleradiology-case' }],
  };
  const writer = async (n: number) => {
    const task = await rig.write({
      resourceType: 'Task',
      id: `t${n % 4}`,
      status: 'requested',
      intent: 'order',
      code,
    } as Task);
    for (let round = 0; round < 4; round++) await rig.write(task);
  };
  const writing = Promise.all(Array.from({ length: 8 }, (_, n) => writer(n)));
  const sweeping = (async () => {
    for (let n = 0; n < 20; n++) await rig.subscriptions.sweep();
  })();
  await Promise.all([writing, sweeping]);
  await rig.subscriptions.sweep();
  const bundles = hook.received.slice(1).map(({ body }) => body);
  expect(bundles.flatMap(numbersIn)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  const versions = new Map<string, number[]>();
  for (const text of bundles) {
    for (const { resource } of (JSON.parse(text) as Bundle).entry!.slice(1)) {
      versions.set(resource!.id!, [...(versions.get(resource!.id!) ?? []), Number(resource!.meta!.versionId)]);
    }
  }
  expect(versions.size).toBe(4);
  for (const seen of versions.values()) expect(seen).toEqual(Array.from({ length: 10 }, (_, n) => n + 1));
});

test('a failed notification is repeated with growing delay under the same numbers, and those behind it wait', async () => {
  const hook = await receiver();
  await rig.activate(asked(topic('request-received'), { endpoint: hook.url, content: 'empty', maxCount: 1 }));
  hook.received.length = 0;
  hook.answer = () => 500;
  await rig.write(order());
  await rig.write(order());
  await rig.subscriptions.sweep();
  for (const waitMs of [1_000, 2_000, 4_000]) {
    const before = hook.received.length;
    rig.clock.advance(waitMs - 1);
    await rig.subscriptions.sweep();
    expect(hook.received).toHaveLength(before);
    rig.clock.advance(1);
    await rig.subscriptions.sweep();
    expect(hook.received).toHaveLength(before + 1);
  }
  expect(hook.received.map(({ body }) => numbersIn(body))).toEqual([[1], [1], [1], [1]]);
  hook.answer = () => 200;
  rig.clock.advance(8_000);
  await rig.subscriptions.sweep();
  expect(hook.received.slice(4).map(({ body }) => numbersIn(body))).toEqual([[1], [2]]);
});

test('made again under its id while a notification is on its way, it misses nothing of what happens then', async () => {
  const hook = await receiver();
  const wanted = asked(topic('request-received'), { endpoint: hook.url, content: 'empty' });
  const id = await rig.activate(wanted);
  hook.received.length = 0;
  hook.answer = async () => {
    hook.answer = undefined;
    await rig.store.transaction(rig.as('ris'), (tx) => tx.delete('Subscription', id));
    await rig.write({ ...wanted, id });
    await rig.write(order());
    return 200;
  };
  await rig.write(order());
  const notices = () => hook.received.filter(({ body }) => told(body, 'type') === 'event-notification');
  await rig.until(() => notices().length === 2);
  expect(notices().map(({ body }) => numbersIn(body))).toEqual([[1], [1]]);
});

test('a subscription that fails for a day goes into error with its reason and says so; asked for again, nothing is missing', async () => {
  const hook = await receiver();
  const id = await rig.activate(asked('ServiceRequest?', { endpoint: hook.url, payload: 'application/fhir+json' }));
  hook.answer = () => 404;
  const first = await rig.write(order());
  await rig.subscriptions.sweep();
  rig.clock.advance(24 * 3_600_000);
  await rig.subscriptions.sweep();
  expect(await rig.status(id)).toBe('error');
  const broken = await rig.store.read('aa', 'Subscription', id);
  expect(broken.error).toBe('the endpoint answered HTTP 404');
  const second = await rig.write(order());
  const before = hook.received.length;
  await rig.subscriptions.sweep();
  expect(hook.received).toHaveLength(before);
  hook.answer = () => 200;
  await rig.write({ ...broken, status: 'requested' });
  await rig.until(async () => (await rig.status(id)) === 'active');
  await rig.subscriptions.sweep();
  expect(hook.received.slice(before).map(({ path }) => path.split('/').at(-1))).toEqual([first.id, second.id]);
});

test('endpoints of one owner that all hang keep nobody else waiting, and each is served in the end', async () => {
  const [hanging, live] = [await receiver(), await receiver()];
  const count = 18;
  for (let n = 0; n < count; n++) await rig.activate(asked('ServiceRequest?status=active', { endpoint: hanging.url }));
  const other = await rig.activate(asked('ServiceRequest?status=active', { endpoint: live.url }), 'noa');
  let release: (status: number) => void = () => undefined;
  const released = new Promise<number>((resolve) => {
    release = resolve;
  });
  hanging.answer = () => released;
  const arrived = new Promise<void>((resolve) => {
    live.answer = () => {
      resolve();
      return 200;
    };
  });
  await rig.write(order());
  const sweeping = rig.subscriptions.sweep();
  await arrived;
  expect(hanging.received.length).toBeLessThan(count);
  release(200);
  await sweeping;
  expect(hanging.received).toHaveLength(count);
  await rig.store.transaction(rig.as('noa'), (tx) => tx.delete('Subscription', other));
});

test('an endpoint that is gone for good (410) is not asked again', async () => {
  const hook = await receiver();
  const id = await rig.activate(asked('ServiceRequest?', { endpoint: hook.url }));
  hook.answer = () => 410;
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(await rig.status(id)).toBe('error');
});

test('what happens while it is off is parked and leaves when it is asked for again', async () => {
  const hook = await receiver();
  const id = await rig.activate(asked(topic('request-received'), { endpoint: hook.url, content: 'empty' }));
  hook.received.length = 0;
  const active = await rig.store.read('aa', 'Subscription', id);
  await rig.write({ ...active, status: 'off' });
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(hook.received).toEqual([]);
  await rig.write({ ...active, status: 'requested' });
  await rig.until(() => hook.received.length === 2);
  expect(numbersIn(hook.received[1]!.body)).toEqual([1]);
});

test('at its end it goes off and records nothing more', async () => {
  const hook = await receiver();
  const end = new Date(rig.clock.now().getTime() + 60_000).toISOString();
  const id = await rig.activate(asked('ServiceRequest?', { endpoint: hook.url }, { end }));
  rig.clock.advance(60_000);
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(await rig.status(id)).toBe('off');
  expect(hook.received).toEqual([]);
  const { rows } = await rig.database.query('aa', 'SELECT FROM subscription_event WHERE subscription = $1', [id]);
  expect(rows).toEqual([]);
});

test('heartbeats leave when nothing else did for their period', async () => {
  const hook = await receiver();
  await rig.activate(asked(topic('request-received'), { endpoint: hook.url, content: 'empty', heartbeat: 60 }));
  hook.received.length = 0;
  rig.clock.advance(59_000);
  await rig.subscriptions.sweep();
  expect(hook.received).toEqual([]);
  rig.clock.advance(1_000);
  await rig.subscriptions.sweep();
  await rig.write(order());
  rig.clock.advance(59_000);
  await rig.subscriptions.sweep();
  rig.clock.advance(59_000);
  await rig.subscriptions.sweep();
  rig.clock.advance(1_000);
  await rig.subscriptions.sweep();
  expect(hook.received.map(({ body }) => told(body, 'type'))).toEqual(['heartbeat', 'event-notification', 'heartbeat']);
  expect(told(hook.received[2]!.body, 'events-since-subscription-start')).toBe('1');
});

test('headers leave as they were written', async () => {
  const hook = await receiver();
  await rig.activate(
    asked('ServiceRequest?', { endpoint: hook.url, header: ['Authorization: Bearer s3cret', 'X-Site: a"b'] }),
  );
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(hook.received[0]!.headers).toMatchObject({ authorization: 'Bearer s3cret', 'x-site': 'a"b' });
  expect(rig.logged.join()).not.toContain('s3cret');
});

test('values of headers are sealed in the database, those from before are when the server starts', async () => {
  const hook = await receiver();
  const id = await rig.activate(
    asked('ServiceRequest?', { endpoint: hook.url, header: ['Authorization: Bearer t0ken'] }),
  );
  const values = async () => {
    const { rows } = await rig.database.query<{ value: string }>(
      'aa',
      'SELECT value FROM subscription_secret WHERE tenant = $1 AND subscription = $2',
      ['aa', id],
    );
    return rows.map(({ value }) => value);
  };
  expect(await values()).toEqual([expect.stringMatching(/^v1\.[^.]+\.[\w-]+$/)]);
  await rig.database.query('aa', 'UPDATE subscription_secret SET value = $3 WHERE tenant = $1 AND subscription = $2', [
    ...['aa', id],
    'Bearer older',
  ]);
  await rig.subscriptions.start();
  expect(await values()).toEqual([expect.stringMatching(/^v1\.[^.]+\.[\w-]+$/)]);
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(hook.received[0]!.headers).toMatchObject({ authorization: 'Bearer older' });
});

test('a notification shows what its owner may read when it leaves, and every delivery is in the audit trail', async () => {
  const hook = await receiver();
  const id = await rig.activate(asked(topic('request-received'), { endpoint: hook.url, content: 'full-resource' }));
  const first = await rig.write(order());
  await rig.subscriptions.sweep();
  const seen = rig.audited.find(({ resources }) => resources.length > 0);
  expect(seen).toMatchObject({ account: 'ris', outcome: 'success', target: { type: 'Subscription', id } });
  expect(seen!.resources.map((resource) => resource.id)).toEqual([first.id]);
  const second = await rig.write(order());
  rig.refused = (_context, request) => request.interaction === 'read' && request.id === second.id;
  await rig.subscriptions.sweep();
  const last = hook.received.at(-1)!.body;
  expect(numbersIn(last)).toEqual([2]);
  expect(focusesIn(last)).toEqual([undefined]);
  expect(last).not.toContain(second.id);
});

test('R4 tells nothing at all of a resource its owner may not read any more', async () => {
  const hook = await receiver();
  await rig.activate(asked('ServiceRequest?', { endpoint: hook.url }));
  const hidden = await rig.write(order());
  rig.refused = (_context, request) => request.interaction === 'read' && request.id === hidden.id;
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(hook.received).toHaveLength(1);
});

test('when the account of the owner is shut off, the subscription stops with that reason', async () => {
  const hook = await receiver();
  const id = await rig.activate(asked('ServiceRequest?', { endpoint: hook.url }));
  rig.closed.add('ris');
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(hook.received).toEqual([]);
  expect((await rig.store.read('aa', 'Subscription', id)).error).toBe(
    'The account that made this Subscription is closed',
  );
});

test('a delivery that cannot be audited does not leave', async () => {
  const hook = await receiver();
  await rig.activate(asked('ServiceRequest?', { endpoint: hook.url }));
  const push = rig.audited.push;
  rig.audited.push = () => {
    throw new Error('trail full');
  };
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(hook.received).toEqual([]);
  rig.audited.push = push;
  await rig.subscriptions.sweep();
  expect(hook.received).toHaveLength(1);
});

test('a subscription made in the same transaction as what it waits for is told of it', async () => {
  const hook = await receiver();
  await rig.store.transaction(rig.as('ris'), async (tx) => {
    await tx.create(asked('Patient?', { endpoint: hook.url }));
    await tx.create<Patient>({ resourceType: 'Patient' });
  });
  await rig.until(() => hook.received.length === 1);
});

test('a transaction that rolls back tells nothing', async () => {
  const hook = await receiver();
  await rig.activate(asked('ServiceRequest?', { endpoint: hook.url }));
  const failing = rig.store.transaction(rig.as('ris'), async (tx) => {
    await tx.create(order());
    throw new Error('refused');
  });
  await expect(failing).rejects.toThrow('refused');
  await rig.subscriptions.sweep();
  expect(hook.received).toEqual([]);
});

test('what nobody took for thirty days is forgotten, and the missing numbers say so', async () => {
  const hook = await receiver();
  const id = await rig.activate(asked(topic('request-received'), { endpoint: hook.url, content: 'empty' }));
  hook.received.length = 0;
  const active = await rig.store.read('aa', 'Subscription', id);
  await rig.write({ ...active, status: 'off' });
  await rig.write(order());
  rig.clock.advance(31 * 24 * 3_600_000);
  const node = await rig.node();
  await node.subscriptions.start();
  await node.subscriptions.sweep();
  await node.close();
  await rig.write(order());
  await rig.write({ ...active, status: 'requested' });
  await rig.until(() => hook.received.length === 2);
  expect(numbersIn(hook.received[1]!.body)).toEqual([2]);
  expect(statusOf(hook.received[1]!.body).resourceType).toBe('Parameters');
});
