/** The talk about a case over HTTP, as people who signed in: what their policies let them read, write, and fetch. */
import type { Bundle, Communication, OperationOutcome, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemContext } from '../../../src/fhir/index.ts';
import { type ClamdPeer, eicar, startClamdPeer } from '../surface/clamd-peer.ts';
import { openWholeServer, type WholeServer } from '../surface/whole-server.ts';
import { askedFor, taskIdOf } from './asked-for.ts';

let whole: WholeServer;
let clamd: ClamdPeer;
let url: string;
let task: Task;
const password = 'Hirondelle-47-Sud';
const category = 'https://fhir.passerelle.example/CodeSystem/communication-category';
const clock = { now: () => new Date() };

const people = {
  demandeur: { role: 'requester', organizationId: 'nord' },
  manipulateur: { role: 'technologist', organizationId: 'nord' },
  radiologue: { role: 'radiologist', organizationId: 'nord' },
  coordonnateur: { role: 'coordinator', organizationId: undefined },
  qualite: { role: 'quality', organizationId: 'nord' },
  ailleurs: { role: 'technologist', organizationId: 'sud' },
} as const;
type Person = keyof typeof people;
const cookies = new Map<Person, string>();

beforeAll(async () => {
  clamd = await startClamdPeer();
  whole = await openWholeServer({ CLAMD_HOST: '127.0.0.1', CLAMD_PORT: String(clamd.port) });
  const { server } = whole;
  url = server.httpUrl;
  const system = systemContext('aa', 'system:test', clock);
  await server.store.transaction(system, async (tx) => {
    for (const id of ['nord', 'sud', 'plateforme'])
      await tx.update({
        resourceType: 'Organization',
        id,
        name: id,
        identifier: [{ system: 'https://finess.esante.gouv.fr', value: `33009999${id.length}` }],
      });
    await tx.update({ resourceType: 'Device', id: 'passerelle', owner: { reference: 'Organization/plateforme' } });
    for (const id of Object.keys(people)) await tx.update({ resourceType: 'Practitioner', id, name: [{ family: id }] });
  });
  for (const [login, { role, organizationId }] of Object.entries(people)) {
    await server.access.ensureAccount({
      ...{ tenant: 'aa', login, kind: 'person', display: login, roles: [role], password },
      reference: `Practitioner/${login}`,
      ...(organizationId ? { organizationId } : {}),
    } as Parameters<typeof server.access.ensureAccount>[0]);
    const answer = await fetch(`${url}/oauth2/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-passerelle': 'ui' },
      body: JSON.stringify({ username: login, password }),
    });
    expect(answer.status, login).toBe(200);
    cookies.set(
      login as Person,
      answer.headers
        .getSetCookie()
        .map((cookie) => cookie.split(';')[0])
        .join('; '),
    );
  }
  task = await opened();
}, 60_000);
afterAll(async () => {
  await whole?.close();
  await clamd?.close();
});

interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
  bytes: Buffer;
}

async function ask<T>(
  who: Person,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  const answer = await fetch(`${url}/fhir/${path}`, {
    method,
    headers: {
      cookie: cookies.get(who) ?? '',
      'x-passerelle': 'ui',
      'content-type': 'application/fhir+json',
      ...headers,
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const json = answer.headers.get('content-type')?.includes('json') ? JSON.parse(bytes.toString() || '{}') : {};
  return { status: answer.status, headers: answer.headers, body: json as T, bytes };
}

/** A case asked for by the requester over plain FHIR. */
async function opened(): Promise<Task> {
  const answer = await ask<Bundle>('demandeur', 'POST', '', askedFor);
  expect(answer.status, answer.bytes.toString()).toBe(200);
  const id = taskIdOf(answer.body);
  return (await ask<Task>('demandeur', 'GET', `Task/${id}`)).body;
}

const said = (text: string, more: Partial<Communication> = {}): Communication => ({
  resourceType: 'Communication',
  status: 'completed',
  category: [{ coding: [{ system: category, code: 'message' }] }],
  about: [{ reference: `Task/${task.id}` }],
  payload: [{ contentString: text }],
  ...more,
});
const talk = async (who: Person) =>
  (
    await ask<Bundle>(
      who,
      'GET',
      `Communication?based-on=${task.focus?.reference}&category=${encodeURIComponent(`${category}|message`)}`,
    )
  ).body.entry ?? [];

describe('a message over HTTP', () => {
  it('is written by the four roles of the case and read by them; by nobody else', async () => {
    for (const who of ['demandeur', 'manipulateur', 'radiologue', 'coordonnateur'] as const) {
      const answer = await ask<Communication>(who, 'POST', 'Communication', said(`de ${who}`));
      expect(answer.status, `${who} ${answer.bytes}`).toBe(201);
      expect(answer.body.sender?.reference).toBe(`Practitioner/${who}`);
    }
    for (const who of ['demandeur', 'manipulateur', 'radiologue', 'coordonnateur'] as const)
      expect(await talk(who), who).toHaveLength(4);
    expect(await talk('ailleurs')).toEqual([]);
    expect([403, 422]).toContain((await ask('ailleurs', 'POST', 'Communication', said('intrus'))).status);
    expect((await ask('qualite', 'POST', 'Communication', said('intrus'))).status).toBe(403);
  });

  it('sent again after a lost answer is the same message', async () => {
    const message = said('une fois', {
      identifier: [{ system: 'https://fhir.passerelle.example/sid/message', value: 'k-1' }],
    });
    const unless = { 'if-none-exist': 'identifier=https://fhir.passerelle.example/sid/message|k-1' };
    const first = await ask<Communication>('manipulateur', 'POST', 'Communication', message, unless);
    const again = await ask<Communication>('manipulateur', 'POST', 'Communication', message, unless);
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body.id).toBe(first.body.id);
  });

  it('is never changed: a PUT, a PATCH and a DELETE are refused to everybody', async () => {
    const { body } = await ask<Communication>('demandeur', 'POST', 'Communication', said('tel quel'));
    for (const who of ['demandeur', 'radiologue', 'coordonnateur'] as const) {
      const changed = { ...body, payload: [{ contentString: 'autre' }] };
      expect([403, 405, 422], who).toContain((await ask(who, 'PUT', `Communication/${body.id}`, changed)).status);
      expect([403, 405, 422], who).toContain((await ask(who, 'DELETE', `Communication/${body.id}`)).status);
    }
    expect((await ask<Communication>('demandeur', 'GET', `Communication/${body.id}`)).body.payload).toEqual(
      body.payload,
    );
  });

  it('is marked read by each reader', async () => {
    const { body } = await ask<Communication>('demandeur', 'POST', 'Communication', said('à lire'));
    const read = await ask<Communication>('manipulateur', 'POST', `Communication/${body.id}/$read`);
    expect(read.status).toBe(200);
    expect((await ask('radiologue', 'POST', `Task/${task.id}/$read-messages`)).status).toBe(200);
    expect((await ask('ailleurs', 'POST', `Communication/${body.id}/$read`)).status).toBe(404);
    const stored = await ask<Communication>('demandeur', 'GET', `Communication/${body.id}`);
    expect(stored.body.extension).toHaveLength(3);
  });
});

describe('a file in a message over HTTP', () => {
  const pdf = Buffer.from('%PDF-1.4 ordonnance');
  const withFile = (data: Buffer) =>
    said('', {
      payload: [
        { contentAttachment: { contentType: 'application/pdf', title: 'a.pdf', data: data.toString('base64') } },
      ],
    });

  it('is fetched by who reads the message, a technologist too, and by nobody else', async () => {
    const { status, body } = await ask<Communication>('demandeur', 'POST', 'Communication', withFile(pdf));
    expect(status).toBe(201);
    const fetched = await ask('manipulateur', 'GET', `Communication/${body.id}/$attachment?part=0`, undefined, {
      accept: '*/*',
    });
    expect(fetched.status).toBe(200);
    expect(fetched.headers.get('content-type')).toContain('application/pdf');
    expect(fetched.headers.get('content-disposition')).toBe('attachment');
    expect(fetched.bytes.equals(pdf)).toBe(true);
    expect((await ask('ailleurs', 'GET', `Communication/${body.id}/$attachment?part=0`)).status).toBe(404);
    expect((await ask('manipulateur', 'GET', body.payload?.[0]?.contentAttachment?.url ?? '')).status).toBe(403);
  });

  it('that is infected is refused, and the message with it', async () => {
    const before = (await talk('demandeur')).length;
    const answer = await ask<OperationOutcome>(
      'demandeur',
      'POST',
      'Communication',
      withFile(Buffer.concat([pdf, eicar])),
    );
    expect(answer.status).toBe(422);
    expect(answer.body.issue[0]?.details?.text).toContain('logiciel malveillant');
    expect(await talk('demandeur')).toHaveLength(before);
  });
});
