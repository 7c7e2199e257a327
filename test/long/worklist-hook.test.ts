import type { Bundle, ImagingStudy, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { type Caller, caseState, signIn, withToken } from '../../src/cli/demo/people.ts';
import { displaySeries } from '../../src/cli/demo/viewer.ts';
import { asked, numbersIn, openReceiver, type Receiver, told, topic } from '../fhir/subscriptions/support.ts';

const password = 'Nuit-de-garde-2026';
const text = (values: Record<string, string>) =>
  Object.entries(values).map(([name, valueString]) => ({ name, valueString }));

/** What `npm start` gives an integrator: the public interface alone, over HTTP. */
let server: ChildServer;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await openReceiver();
  server = await startChildServer({ DEMO_PASSWORD: password }, undefined, 'start');
}, 180_000);
afterAll(async () => {
  await server?.stop();
  await receiver?.close();
});

const bundles = () =>
  receiver.received
    .map(({ body }) => body)
    .filter((body) => told(body, 'type') === 'event-notification')
    .sort((one, other) => (numbersIn(one)[0] ?? 0) - (numbersIn(other)[0] ?? 0));
/** Versions of one case as they were told, in the order of their events. */
const versionsOf = (id: string): Task[] =>
  bundles().flatMap((body) =>
    ((JSON.parse(body) as Bundle).entry ?? []).flatMap(({ resource }) =>
      resource?.resourceType === 'Task' && resource.id === id ? [resource] : [],
    ),
  );
const until = async <T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> => {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never: ${what}`);
};
/** The states the client was told, without repetitions. */
const statesOf = (id: string): string[] =>
  versionsOf(id)
    .map(caseState)
    .filter((state, index, all) => state !== all[index - 1]);
const isTold = (id: string, state: string) =>
  until(`${state} told`, () => (statesOf(id).at(-1) === state ? true : undefined));

it('a client of the hospital follows the worklist by rest-hook: claim, release and signature come in order, each once', async () => {
  const client = withToken(server.httpUrl, await server.token('ris-demo'));
  const made = await client.http('/fhir/Subscription', {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(asked(topic('case-changed'), { endpoint: receiver.url, content: 'full-resource' })),
  });
  expect(made.status, await made.clone().text()).toBe(201);
  await until('the handshake', () => receiver.received.find(({ body }) => told(body, 'type') === 'handshake'));

  const reader: Caller = await signIn(server.httpUrl, 'radiologue', password);
  const [task] = await until('a request', async () => {
    const found = await reader.search<Task>('Task', { code: 'teleradiology-case', _sort: '_lastUpdated' });
    const waiting = found.filter((each) => caseState(each) === 'protocol-wanted');
    return waiting.length > 0 ? waiting : undefined;
  });
  const id = task?.id ?? '';
  // The simulated hospital does the exam and sends its images.
  await reader.operation(task!, 'protocol', text({ text: 'TDM sans injection.' }));
  await isTold(id, 'ready');

  await reader.operation(task!, 'claim');
  await isTold(id, 'reading');
  await reader.operation(task!, 'release');
  await isTold(id, 'ready');
  await reader.operation(task!, 'claim');
  const current = await reader.read<Task>('Task', id);
  const study = current.output?.find(({ type }) => type.coding?.[0]?.code === 'imaging-study')?.valueReference
    ?.reference;
  const images = await reader.read<ImagingStudy>('ImagingStudy', study?.split('/')[1] ?? '');
  const series = await displaySeries(reader, images.identifier?.[0]?.value?.replace('urn:oid:', '') ?? '');
  await reader.operation(
    task!,
    'displayed',
    series.map((valueString) => ({ name: 'series', valueString })),
  );
  await reader.operation(task!, 'phone-exchange', text({ with: 'Dr ALIX', summary: 'Résultat annoncé.' }));
  await reader.operation(
    task!,
    'sign',
    text({
      indication: 'Céphalée brutale.',
      technique: 'Acquisition hélicoïdale sans injection. PDL 890 mGy.cm.',
      results: 'Pas de saignement.',
      conclusion: 'Scanner normal.',
    }),
  );
  await isTold(id, 'delivered');

  const states = statesOf(id);
  const inOrder = ['protocoled', 'ready', 'reading', 'ready', 'reading', 'delivering', 'delivered'];
  expect(states.filter((state) => inOrder.includes(state))).toEqual(inOrder);
  const versions = versionsOf(id).map(({ meta }) => Number(meta?.versionId));
  expect(versions).toEqual([...versions].sort((one, other) => one - other));
  expect(new Set(versions).size).toBe(versions.length);
  const numbers = bundles().flatMap(numbersIn);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  expect(caseState(await client.read<Task>('Task', id))).toBe('delivered');
}, 180_000);
