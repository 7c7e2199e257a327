/** Writers that ask a FHIR server for everything at once, each by its own seed, and note what they are told. */
import { type HttpAnswer, type HttpClient, httpClient } from './http.ts';
import type { Observation } from './log.ts';
import {
  type Answered,
  type Ask,
  countUp,
  createIfNone,
  fhirPathPatch,
  patchMatch,
  put,
  putIfNew,
  read,
  remove,
  removeMatch,
  updateMatch,
  vread,
} from './requests.ts';

export interface MixOptions {
  /** Service base URL. */
  base: string;
  seed: number;
  writers: number;
  /** What the names of the writers begin with: those of one history must differ. */
  named?: string;
  /** Asked before each request of a writer. */
  goesOn(done: number): boolean;
}

const ids = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7'].map((id) => `Patient/${id}`);
export const keys = ['k0', 'k1', 'k2', 'k3'];

/** Everything the writers saw. Rejects when an answer is none the server may give. */
export async function runMix({ base, seed, writers, named = 'w', goesOn }: MixOptions): Promise<Observation[]> {
  const all = await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const client = httpClient(base);
      try {
        return await write(client, random(seed * 1000 + writer), `${named}${writer}`, goesOn);
      } finally {
        client.close();
      }
    }),
  );
  return all.flat();
}

type Random = () => number;

/** Mulberry32: the same numbers for the same seed. */
function random(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Writer {
  client: HttpClient;
  chance: Random;
  /** Version and count last seen of each resource. */
  seen: Map<string, { version: number; count: number }>;
  observations: Observation[];
}

async function write(
  client: HttpClient,
  chance: Random,
  name: string,
  goesOn: MixOptions['goesOn'],
): Promise<Observation[]> {
  const writer: Writer = { client, chance, seen: new Map(), observations: [] };
  for (let done = 0; goesOn(done); done++) {
    const token = `${name}-${done}`;
    const dice = chance();
    if (dice < 0.6) await alone(writer, choose(writer, token), token);
    else if (dice < 0.7) await readAndUpdate(writer, token);
    else if (dice < 0.78) await inBatch(writer, token);
    else await inTransaction(writer, token);
  }
  return writer.observations;
}

function pick<T>({ chance }: Writer, list: readonly T[]): T {
  return list[Math.floor(chance() * list.length)]!;
}

/** One request, leaning on what this writer saw last, which is often not true any more. */
function choose(writer: Writer, token: string): Ask {
  const ref = pick(writer, ids);
  const key = pick(writer, keys);
  const { version = 1, count = 0 } = writer.seen.get(ref) ?? {};
  const makers: (() => Ask)[] = [
    () => put(ref, { token, count: 0 }),
    () => put(ref, { token, count: 0 }, version),
    () => put(ref, { token, count: 0 }, version),
    () => put(ref, { token, count: 0 }, Math.max(1, version - 1)),
    () => putIfNew(ref, { token }),
    () => countUp(ref, token, count),
    () => countUp(ref, token, count),
    () => fhirPathPatch(ref, token),
    () => remove(ref),
    () => remove(ref, version),
    () => read(ref),
    () => read(ref),
    () => read(ref),
    () => read(ref, version),
    () => vread(ref, version),
    () => createIfNone(key, token),
    () => createIfNone(key, token),
    () => updateMatch(key, token),
    () => updateMatch(key, token),
    () => patchMatch(key, token),
    () => removeMatch(key),
  ];
  return pick(writer, makers)();
}

/** As a careful client does it. */
async function readAndUpdate(writer: Writer, token: string): Promise<void> {
  const ref = pick(writer, ids);
  await alone(writer, read(ref), `${token}.read`);
  const { version = 1, count = 0 } = writer.seen.get(ref) ?? {};
  await alone(writer, writer.chance() < 0.5 ? put(ref, { token }, version) : countUp(ref, token, count), token);
}

async function alone(writer: Writer, ask: Ask, token: string): Promise<void> {
  const { method, path, body, contentType, ifMatch, ifNoneMatch, ifNoneExist } = ask;
  const answer = await writer.client.send({
    method,
    path: path.replace('|', '%7C'),
    body,
    contentType,
    headers: {
      ...(ifMatch === undefined ? {} : { 'if-match': `W/"${ifMatch}"` }),
      ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }),
      ...(ifNoneExist === undefined ? {} : { 'if-none-exist': ifNoneExist }),
    },
  });
  const resource = answer.text === '' ? undefined : JSON.parse(answer.text);
  const isPatient = resource?.resourceType === 'Patient';
  const etag = /"(\d+)"/.exec(String(answer.headers.etag ?? ''))?.[1];
  note(writer, ask, token, answer, {
    status: answer.status,
    ...(isPatient ? { ref: `Patient/${resource.id}`, text: JSON.stringify(resource) } : {}),
    ...(etag ? { version: Number(etag) } : {}),
  });
}

/** @throws when the server may not answer so. */
function note(writer: Writer, ask: Ask, token: string, { start, end }: HttpAnswer, answered: Answered): void {
  const { kind, method, path, ifMatch, allowed } = ask;
  const name = `${token} ${method} ${path}${ifMatch === undefined ? '' : ` if-match ${ifMatch}`}`;
  if (!allowed.includes(answered.status) && answered.status !== 409)
    throw new Error(`${name} was answered ${answered.status}: ${answered.text ?? ''}`);
  const said = answered.status === 409 ? {} : ask.says(answered);
  record(writer, { name, kind, status: answered.status, token, start, end, ...said });
  remember(writer, answered);
}

function record(
  writer: Writer,
  observation: Omit<Observation, 'wrote' | 'read' | 'clock'> & Partial<Observation>,
): void {
  const clock = [performance.timeOrigin + observation.start, performance.timeOrigin + observation.end] as const;
  writer.observations.push({ wrote: [], read: [], clock, ...observation });
}

function remember({ seen }: Writer, { ref, text, version }: Answered): void {
  if (!ref || !text || version === undefined) return;
  seen.set(ref, { version, count: JSON.parse(text).multipleBirthInteger ?? 0 });
}

function entryOf({ method, path, body, contentType, ifMatch, ifNoneMatch, ifNoneExist }: Ask): object {
  const isJsonPatch = contentType !== undefined;
  const data = isJsonPatch ? Buffer.from(JSON.stringify(body)).toString('base64') : '';
  const resource = isJsonPatch ? { resourceType: 'Binary', contentType, data } : body;
  return {
    ...(resource ? { resource } : {}),
    request: {
      method,
      url: path,
      ...(ifMatch === undefined ? {} : { ifMatch: `W/"${ifMatch}"` }),
      ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
      ...(ifNoneExist === undefined ? {} : { ifNoneExist }),
    },
  };
}

interface ResponseEntry {
  resource?: { resourceType: string; id: string };
  response: { status: string; etag?: string; location?: string };
}

function answeredOf({ resource, response }: ResponseEntry): Answered {
  const etag = /"(\d+)"/.exec(response.etag ?? '')?.[1];
  const ref = resource?.resourceType === 'Patient' ? `Patient/${resource.id}` : undefined;
  const located = /(Patient\/[^/]+)\/_history/.exec(response.location ?? '')?.[1];
  return {
    status: Number(response.status.slice(0, 3)),
    ...((ref ?? located) ? { ref: ref ?? located } : {}),
    ...(ref ? { text: JSON.stringify(resource) } : {}),
    ...(etag ? { version: Number(etag) } : {}),
  };
}

async function bundle(
  writer: Writer,
  type: string,
  entry: object[],
): Promise<HttpAnswer & { entries?: ResponseEntry[] }> {
  const answer = await writer.client.send({
    method: 'POST',
    path: '',
    body: { resourceType: 'Bundle', type, entry },
    headers: { prefer: 'return=representation' },
  });
  return answer.status === 200 ? { ...answer, entries: JSON.parse(answer.text).entry } : answer;
}

async function inBatch(writer: Writer, token: string): Promise<void> {
  const asks = [0, 1, 2].map((index) => choose(writer, `${token}.${index}`));
  const answer = await bundle(writer, 'batch', asks.map(entryOf));
  if (!answer.entries) throw new Error(`${token} batch was answered ${answer.status}: ${answer.text}`);
  for (const [index, ask] of asks.entries())
    note(
      writer,
      { ...ask, kind: `batch: ${ask.kind}` },
      `${token}.${index}`,
      answer,
      answeredOf(answer.entries[index]!),
    );
}

/** Several resources at once, all or none. */
async function inTransaction(writer: Writer, token: string): Promise<void> {
  const [a, b, c] = shuffled(writer, ids) as [string, string, string];
  const key = pick(writer, keys);
  if (writer.chance() < 0.2) await alone(writer, read(a), `${token}.read`);
  const { version = 1 } = writer.seen.get(a) ?? {};
  const kinds: [kind: string, asks: Ask[], invalid?: true][] = [
    ['two updates', [put(a, { token }), put(b, { token })]],
    ['an update if-match and another', [put(a, { token }, version), put(b, { token })]],
    ['two reads', [read(a), read(b)]],
    ['an update and a read', [put(a, { token }), read(b)]],
    ['a deletion, an update and a read', [remove(a), put(b, { token }), read(c)]],
    [
      'a conditional create and an update that refers to it',
      [createIfNone(key, token), put(a, { token, link: 'urn' })],
    ],
    ['an update by criteria and a patch', [updateMatch(key, token), fhirPathPatch(a, token)]],
    ['an update and something invalid', [put(a, { token }), put(b, { token })], true],
  ];
  const [kind, asks, isInvalid] = pick(writer, kinds);
  const urn = 'urn:uuid:0c0a5e5e-7a5b-4b5e-9d8e-5d2f0a6b7c8d';
  const entries = asks.map((ask) => entryOf(ask) as { fullUrl?: string; resource?: Record<string, unknown> });
  if (asks[0]!.ifNoneExist) {
    entries[0]!.fullUrl = urn;
    Object.assign(entries[1]!.resource!, { link: [{ other: { reference: urn }, type: 'seealso' }] });
  }
  if (isInvalid) Object.assign(entries[1]!.resource!, { gender: 'unheard-of' });
  const answer = await bundle(writer, 'transaction', entries);
  const { status, start, end } = answer;
  const name = `${token} transaction of ${kind}`;
  const common = { name, kind: `transaction: ${kind}`, status, token, start, end };
  if (!answer.entries) {
    if (![404, 409, 410, 412, ...(isInvalid ? [400] : [])].includes(status))
      throw new Error(`${name} was answered ${status}: ${answer.text}`);
    const named = asks.flatMap(({ ifMatch, path }) => (ifMatch === undefined ? [] : [{ ref: path, version: ifMatch }]));
    record(writer, { ...common, ...(status === 412 && named[0] ? { ifMatch: named[0] } : {}) });
    return;
  }
  if (isInvalid) throw new Error(`${name} was accepted`);
  const answered = answer.entries.map(answeredOf);
  const said = asks.map((ask, index) => ask.says(answered[index]!));
  const target = asks[0]!.ifNoneExist ? answered[0]!.ref : undefined;
  record(writer, {
    ...common,
    ...Object.assign({}, ...said),
    wrote: said.flatMap(({ wrote = [] }) => wrote),
    read: said.flatMap(({ read: shown = [] }) => shown),
    ...(target ? { linked: { from: said[1]!.wrote![0]!, to: target } } : {}),
  });
  for (const one of answered) remember(writer, one);
}

function shuffled<T>({ chance }: Writer, list: readonly T[]): T[] {
  const copy = [...list];
  for (let index = copy.length - 1; index > 0; index--) {
    const other = Math.floor(chance() * (index + 1));
    [copy[index], copy[other]] = [copy[other]!, copy[index]!];
  }
  return copy;
}
