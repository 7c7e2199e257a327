import type { Subscription, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FhirProblem } from '../../src/ui/fhir/problem.ts';
import { type FeedParts, notificationKind, openTopicFeed, type TopicFeed } from '../../src/ui/live/topic-feed.ts';
import { openRig, type Rig, topic } from '../fhir/subscriptions/support.ts';

let rig: Rig;
/** Waits that run are called off or run by hand. */
let waits: { ms: number; work(): void }[] = [];
let sockets: WebSocket[] = [];
let refuse: FhirProblem | undefined;
const feeds: TopicFeed[] = [];
beforeAll(async () => {
  rig = await openRig();
});
beforeEach(() => {
  for (const feed of feeds.splice(0)) feed.close();
  waits = [];
  sockets = [];
  refuse = undefined;
});
afterAll(async () => {
  for (const feed of feeds) feed.close();
  await rig.close();
});

const headers = { authorization: 'Bearer aa.noa', 'content-type': 'application/fhir+json' };
const send = async (path: string, init: RequestInit = {}) => {
  const answer = await fetch(`${rig.url}/fhir/${path}`, { ...init, headers });
  if (!answer.ok) throw new FhirProblem(answer.status, []);
  return answer.status === 204 ? undefined : answer.json();
};
const parts: FeedParts = {
  client: {
    create: async (resource) => {
      if (refuse) throw refuse;
      return (await send(resource.resourceType, { method: 'POST', body: JSON.stringify(resource) })) as typeof resource;
    },
    read: async (type, id) => (await send(`${type}/${id}`)) as never,
    remove: async (type, id) => void (await send(`${type}/${id}`, { method: 'DELETE' })),
  },
  openLine(events) {
    const socket = new WebSocket(`${rig.url.replace('http', 'ws')}/fhir/ws`, { headers });
    sockets.push(socket);
    socket.on('open', () => events.opened());
    socket.on('message', (data) => events.message(data.toString()));
    socket.on('close', () => events.closed());
    socket.on('error', () => undefined);
    return { send: (text) => socket.send(text), close: () => socket.close() };
  },
  later(ms, work) {
    const wait = { ms, work };
    waits.push(wait);
    return () => {
      waits = waits.filter((one) => one !== wait);
    };
  },
  now: () => rig.clock.now(),
};
/** Runs what waits for so long. */
const pass = (ms: number) => {
  const due = waits.filter((wait) => wait.ms === ms);
  waits = waits.filter((wait) => wait.ms !== ms);
  for (const { work } of due) work();
};
const heard = { changes: 0, states: [] as boolean[] };
function open(): TopicFeed {
  heard.changes = 0;
  heard.states = [];
  const feed = openTopicFeed(topic('case-changed'), parts, {
    onChange: () => heard.changes++,
    onState: (isLive) => heard.states.push(isLive),
  });
  feeds.push(feed);
  return feed;
}
const live = (feed: TopicFeed) =>
  rig.until(() => {
    pass(500);
    return feed.isLive();
  });
const theirs = async (): Promise<Subscription[]> => rig.store.search('aa', 'Subscription', 'status=active,requested');
const aCase = (id: string): Task => ({
  ...{ resourceType: 'Task', id, status: 'received', intent: 'order' },
  code: { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/task-code', code: 'teleradiology-case' }] },
});

it('a screen is told of every change of a case over a Subscription of its own, and of nothing else', async () => {
  const feed = open();
  await live(feed);
  // What changed before the line was there is looked at once.
  expect(heard).toEqual({ changes: 1, states: [true] });
  await rig.write(aCase('live-1'));
  await rig.until(() => heard.changes === 2);
  await rig.write({ resourceType: 'Task', id: 'other', status: 'received', intent: 'order' } as Task);
  await rig.write({ ...aCase('live-1'), status: 'accepted' });
  await rig.until(() => heard.changes === 3);
});

it('a line that is lost is said at once, its Subscription ended, and another one made', async () => {
  const feed = open();
  await live(feed);
  const [before] = await theirs();
  sockets[0]!.terminate();
  await rig.until(() => !feed.isLive());
  await rig.until(async () => !(await theirs()).some(({ id }) => id === before?.id));
  pass(1_000);
  await live(feed);
  expect(heard).toEqual({ changes: 2, states: [true, false, true] });
  await rig.write(aCase('live-2'));
  await rig.until(() => heard.changes === 3);
});

it('a line on which nothing is heard counts as lost, and one that grows old is made anew', async () => {
  const feed = open();
  await live(feed);
  pass(75_000);
  expect(feed.isLive()).toBe(false);
  pass(1_000);
  await live(feed);
  pass(105 * 60_000);
  expect(feed.isLive()).toBe(false);
  pass(0);
  await live(feed);
});

it('who is refused asks again much later, and who is not reached soon, then less and less often', async () => {
  refuse = new FhirProblem(403, []);
  const refused = open();
  await rig.until(() => waits.some(({ ms }) => ms === 300_000));
  refused.close();
  expect(waits).toEqual([]);
  refuse = new FhirProblem(0, []);
  open();
  for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
    await rig.until(() => waits.some((wait) => wait.ms === ms));
    pass(ms);
  }
});

it('a screen that is left ends its Subscription', async () => {
  const feed = open();
  await live(feed);
  const [own] = await theirs();
  feed.close();
  await rig.until(async () => !(await theirs()).some(({ id }) => id === own?.id));
  expect(feed.isLive()).toBe(false);
});

it('what is no notification is none', () => {
  for (const text of [
    '',
    'ping x',
    '{}',
    '[]',
    'null',
    '{"resourceType":"OperationOutcome","issue":[]}',
    '{"resourceType":"Bundle"}',
  ])
    expect(notificationKind(text)).toBeUndefined();
});
