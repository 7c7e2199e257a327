import { existsSync, readFileSync } from 'node:fs';
import type { Bundle, CapabilityStatement, Resource, Subscription } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FhirError } from '../../../src/fhir/index.ts';
import {
  asked,
  focusesIn,
  numbersIn,
  openReceiver,
  openRig,
  order,
  type Receiver,
  type Rig,
  told,
  topic,
} from './support.ts';

let rig: Rig;
let hook: Receiver;
beforeAll(async () => {
  rig = await openRig();
  hook = await openReceiver();
});
afterEach(() => {
  rig.refused = () => false;
  hook.received.length = 0;
  hook.answer = () => 200;
});
afterAll(async () => {
  await hook.close();
  await rig.close();
});

async function rest(method: string, path: string, options: { as?: string; body?: object; accept?: string } = {}) {
  const response = await fetch(`${rig.url}/fhir/${path}`, {
    method,
    headers: {
      authorization: `Bearer aa.${options.as ?? 'ris'}`,
      ...(options.accept ? { accept: options.accept } : {}),
      ...(options.body ? { 'content-type': 'application/fhir+json' } : {}),
    },
    ...(options.body ? { body: JSON.stringify(options.body) } : {}),
  });
  const text = await response.text();
  return { status: response.status, text, body: (text.startsWith('{') ? JSON.parse(text) : undefined) as never };
}

async function refusal(subscription: Subscription): Promise<string> {
  const error = await rig.write(subscription).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FhirError);
  expect((error as FhirError).status).toBe(422);
  return (error as FhirError).outcome.issue[0]!.expression![0]!;
}

describe('what is refused when it is asked for', () => {
  test.each([
    ['a type that does not exist', 'Nonsense?a=b'],
    ['no criteria', '?status=active'],
    ['an unknown parameter', 'ServiceRequest?colour=blue'],
    ['a chain, which needs another resource', 'ServiceRequest?subject:Patient.name=moreau'],
    ['a reverse chain', 'Patient?_has:Observation:patient:code=1'],
    ['a sort', 'ServiceRequest?_sort=authored'],
    ['an include', 'ServiceRequest?_include=ServiceRequest:subject'],
    ['the audit trail, which every notification adds to', 'AuditEvent?'],
    ['subscriptions themselves', 'Subscription?status=error'],
    ['an unknown topic', 'https://fhir.passerelle.example/SubscriptionTopic/nothing'],
    ['a version of a topic that is not served', `${topic('case-changed')}|9.9`],
    ['something endless', `ServiceRequest?identifier=${'x'.repeat(5_000)}`],
  ])('%s', async (_what, criteria) => {
    expect(await refusal(asked(criteria, { endpoint: hook.url }))).toBe('Subscription.criteria');
  });

  test.each(['message', 'sms'] as const)('the channel %s, by name', async (type) => {
    expect(await refusal(asked('ServiceRequest?', { type, endpoint: hook.url }))).toBe('Subscription.channel.type');
  });

  test('a channel of somebody’s own', async () => {
    const subscription = asked('ServiceRequest?', { endpoint: hook.url });
    const url = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-channel-type';
    Object.assign(subscription.channel, { _type: { extension: [{ url, valueCoding: { code: 'zulip' } }] } });
    expect(await refusal(subscription)).toBe('Subscription.channel.type');
  });

  test.each([
    [{ payload: 'text/html' }, 'payload'],
    [{ payload: 'application/fhir+json; fhirVersion=5.0' }, 'payload'],
    [{ content: 'everything' }, 'payload'],
    [{ heartbeat: 1 }, 'extension'],
    [{ endpoint: 'http://subscriber.example/' }, 'endpoint'],
    [{ endpoint: 'https://user:password@subscriber.example/' }, 'endpoint'],
    [{ endpoint: 'https://10.0.0.1/' }, 'endpoint'],
    [{ endpoint: 'nowhere' }, 'endpoint'],
    [{ header: ['no colon'] }, 'header'],
    [{ header: ['Host: elsewhere.example'] }, 'header'],
    [{ header: ['X-A: b\r\nX-C: d'] }, 'header'],
    [{ filters: ['colour=blue'] }, undefined],
  ])('%j', async (channel, element) => {
    const expression = await refusal(asked(topic('request-received'), { endpoint: hook.url, ...channel }));
    expect(expression).toBe(element ? `Subscription.channel.${element}` : 'Subscription.criteria');
  });

  test('what its owner may not search', async () => {
    rig.refused = (_context, request) => request.interaction === 'search-type' && request.type === 'Patient';
    await expect(rig.write(asked('Patient?', { endpoint: hook.url }))).rejects.toMatchObject({ status: 403 });
  });

  test('to be active by one’s own word', async () => {
    const active = asked('ServiceRequest?', { endpoint: hook.url }, { status: 'active' });
    await expect(rig.write(active)).rejects.toMatchObject({ status: 422 });
  });

  test('nothing refused leaves a trace', async () => {
    const { rows } = await rig.database.query('aa', 'SELECT FROM subscription_feed');
    expect(rows).toEqual([]);
  });
});

test('only its owner changes or deletes it', async () => {
  const id = await rig.activate(asked('ServiceRequest?', { endpoint: hook.url }));
  const stored = await rig.store.read('aa', 'Subscription', id);
  for (const change of [{ status: 'off' as const }, { criteria: 'Patient?' }])
    await expect(rig.write({ ...stored, ...change }, 'noa')).rejects.toMatchObject({ status: 403 });
  const deleting = rig.store.transaction(rig.as('noa'), (tx) => tx.delete('Subscription', id));
  await expect(deleting).rejects.toMatchObject({ status: 403 });
  await rig.store.transaction(rig.as('ris'), (tx) => tx.delete('Subscription', id));
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(hook.received).toEqual([]);
});

test('headers: the owner reads them as written, everybody else sealed, and no other way shows them', async () => {
  const secret = 'Authorization: Bearer "s3cret" & more';
  const made = await rest('POST', 'Subscription', {
    body: asked('ServiceRequest?', { endpoint: hook.url, header: [secret] }),
  });
  const { id } = made.body as Subscription;
  expect(made.status).toBe(201);
  const own = await rest('GET', `Subscription/${id}`);
  expect((own.body as Subscription).channel.header).toEqual([secret]);
  const xml = await rest('GET', `Subscription/${id}`, { accept: 'application/fhir+xml' });
  expect(xml.text).toContain('<header value="Authorization: Bearer &#34;s3cret&#34; &#38; more"/>');
  const others = await rest('GET', `Subscription/${id}`, { as: 'noa' });
  const sealed = (others.body as Subscription).channel.header![0]!;
  expect(sealed).toMatch(/^Authorization: sealed:[0-9a-f]{32}$/);
  for (const path of [
    `Subscription/${id}`,
    'Subscription',
    `Subscription/${id}/_history`,
    `Subscription/${id}/_history/1`,
  ])
    expect((await rest('GET', path, { as: 'noa' })).text).not.toContain('s3cret');
  const { rows } = await rig.database.query('aa', 'SELECT content FROM fhir.subscription WHERE id = $1', [id]);
  expect(rows[0]!.content).not.toContain('s3cret');

  // Written back sealed by its owner, the value stays; in a Subscription of somebody else it is worth nothing.
  const read = others.body as Subscription;
  expect(
    (await rest('PUT', `Subscription/${id}`, { body: { ...read, status: 'requested', reason: 'changed' } })).status,
  ).toBe(200);
  await rig.until(async () => (await rig.status(id!)) === 'active');
  await rig.write(order());
  await rig.subscriptions.sweep();
  expect(hook.received[0]!.headers.authorization).toBe('Bearer "s3cret" & more');
  const stolen = await rest('POST', 'Subscription', {
    as: 'noa',
    body: asked('ServiceRequest?', { endpoint: hook.url, header: [sealed] }),
  });
  expect(stolen.status).toBe(422);
  expect(rig.logged.join()).not.toContain('s3cret');
});

test('headers of a conditional create that finds one already are kept nowhere', async () => {
  const body = asked('ServiceRequest?', { endpoint: hook.url, header: ['Authorization: Bearer once'] });
  const tagged = { ...body, meta: { tag: [{ system: 'urn:test', code: 'once' }] } };
  const createIfNone = () =>
    rig.store.transaction(rig.as('ris'), (tx) => tx.createIfNone(tagged, '_tag=urn:test|once'));
  const kept = async (id?: string) =>
    (
      await rig.database.query<{ subscription: string | null }>(
        'aa',
        'SELECT subscription FROM subscription_secret WHERE tenant = $1 AND (subscription = $2 OR subscription IS NULL)',
        ['aa', id],
      )
    ).rows;
  const { resource, created } = await createIfNone();
  expect(created).toBe(true);
  expect(await createIfNone()).toMatchObject({ created: false, resource: { id: resource.id } });
  expect(await kept(resource.id)).toEqual([{ subscription: resource.id }]);
});

test('$status tells where a subscription is, one or several, of some status', async () => {
  const id = await rig.activate(asked(topic('request-received'), { endpoint: hook.url, content: 'id-only' }));
  const broken = await rig.activate(asked(topic('request-received'), { endpoint: hook.url, content: 'id-only' }));
  hook.answer = () => 500;
  await rig.write(order());
  await rig.subscriptions.sweep();
  const one = (await rest('GET', `Subscription/${id}/$status`)).body as Bundle;
  expect(one).toMatchObject({ type: 'searchset', total: 1 });
  const text = JSON.stringify(one);
  expect(told(text, 'type')).toBe('query-status');
  expect(told(text, 'status')).toBe('active');
  expect(told(text, 'events-since-subscription-start')).toBe('1');
  expect(text).toContain('the endpoint answered HTTP 500');
  const two = (await rest('GET', `Subscription/$status?id=${id}&id=${broken}&status=active`)).body as Bundle;
  expect(two.total).toBe(2);
  expect(((await rest('GET', `Subscription/$status?id=${id}&status=off`)).body as Bundle).total).toBe(0);
  expect((await rest('GET', 'Subscription/unknown/$status')).status).toBe(404);
});

test('$status of all tells those that this server does not take any more, too', async () => {
  // Accepted by a server with a mail server; this one has none.
  const mailing = await rig.node({ mailer: { send: async () => undefined } });
  const mail = asked(topic('request-received'), { type: 'email', endpoint: 'mailto:garde@example.org' });
  const { id } = await mailing.store.transaction(rig.as('ris'), (tx) => tx.create(mail));
  const other = await rig.activate(asked(topic('request-received'), { endpoint: hook.url, content: 'id-only' }));
  const { status, text } = await rest('GET', 'Subscription/$status');
  expect(status).toBe(200);
  expect(text).toContain(`Subscription/${other}`);
  expect(text).toContain(`Subscription/${id}`);
  expect(text).toContain('no mail server is configured');
  await mailing.close();
});

test('$events gives past events again, by number, to the owner, as much as asked for and as the caller may read now', async () => {
  const id = await rig.activate(asked(topic('request-received'), { endpoint: hook.url, content: 'id-only' }));
  const made: Resource[] = [];
  for (let n = 0; n < 4; n++) made.push(await rig.write(order()));
  const all = await rest('GET', `Subscription/${id}/$events`);
  expect(numbersIn(all.text)).toEqual([1, 2, 3, 4]);
  expect(told(all.text, 'type')).toBe('query-event');
  expect((all.body as Bundle).type).toBe('history');
  const some = await rest(
    'GET',
    `Subscription/${id}/$events?eventsSinceNumber=2&eventsUntilNumber=3&content=full-resource`,
  );
  expect(numbersIn(some.text)).toEqual([2, 3]);
  expect((some.body as Bundle).entry!.slice(1).map(({ resource }) => resource?.id)).toEqual([made[1]!.id, made[2]!.id]);
  rig.refused = (_context, request) => request.interaction === 'read' && request.id === made[0]!.id;
  expect(focusesIn((await rest('GET', `Subscription/${id}/$events?eventsUntilNumber=2`)).text)).toEqual([
    undefined,
    `${rig.url}/fhir/ServiceRequest/${made[1]!.id}`,
  ]);
  expect((await rest('GET', `Subscription/${id}/$events`, { as: 'noa' })).status).toBe(403);
  expect((await rest('GET', `Subscription/${id}/$events?eventsSinceNumber=-1`)).status).toBe(400);
});

test('the capability statement names the topics, the profile, the operations and the WebSocket', async () => {
  const statement = (await rest('GET', 'metadata')).body as CapabilityStatement;
  const [server] = statement.rest!;
  const subscription = server!.resource!.find(({ type }) => type === 'Subscription')!;
  expect(subscription.extension!.map(({ valueCanonical }) => valueCanonical)).toEqual(
    ['case-changed', 'critical-communication', 'message-sent', 'report-available', 'request-received'].map(topic),
  );
  expect(subscription.operation!.map(({ name }) => name).sort()).toEqual(
    expect.arrayContaining(['events', 'get-ws-binding-token', 'status']),
  );
  expect(server!.extension).toContainEqual({
    url: 'http://hl7.org/fhir/StructureDefinition/capabilitystatement-websocket',
    valueUri: `${rig.url.replace('http', 'ws')}/fhir/ws`,
  });
  for (const name of ['case-changed', 'critical-communication', 'message-sent', 'report-available', 'request-received'])
    expect((await rest('GET', `Basic/${name}`)).status).toBe(200);
});

const example = '../shared/fixtures/fhir-r4/resources/Subscription/Subscription-example-error.json';
test.skipIf(!existsSync(example))(
  'the official example is taken as it is and read back equal by who wrote it',
  async () => {
    const subscription = JSON.parse(readFileSync(example, 'utf8')) as Subscription;
    expect((await rest('PUT', `Subscription/${subscription.id}`, { body: subscription })).status).toBe(201);
    const { meta: _, ...back } = (await rest('GET', `Subscription/${subscription.id}`)).body as Subscription;
    expect(back).toEqual(subscription);
  },
);
