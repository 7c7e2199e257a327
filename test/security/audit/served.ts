/** The whole server, every route it registers, and what a request left in the trail, found by its id. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent } from '@medplum/fhirtypes';
import type { FastifyInstance } from 'fastify';
import { issueCredential } from '../../../src/access/credentials.ts';
import { storeClient } from '../../../src/access/smart/registration.ts';
import { systemContext } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import type { Server } from '../../../src/server.ts';
import { smallCt } from '../../support/synthetic-ct.ts';
import { openWholeServer } from '../surface/whole-server.ts';

export const study = '2.25.1001';

/** `session:<role>` and `token:<role>` are accounts of their own, made when first named; `client` is an app of the register. */
export interface Ask {
  /** Nobody when absent. */
  by?: string;
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer | object;
}

export interface Left {
  status: number;
  headers: Headers;
  text: string;
  /** Events of this request, as `words` says them. */
  events(): Promise<string[]>;
}

export interface Served {
  server: Server;
  /** `METHOD /address` of every route, as registered. */
  routes: ReadonlySet<string>;
  ask(request: Ask): Promise<Left>;
  close(): Promise<void>;
}

export async function openServed(): Promise<Served> {
  const routes = new Set<string>();
  const watch = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) routes.add(`${each} ${url}`);
    });
  };
  const page = await mkdtemp(join(tmpdir(), 'passerelle-page-'));
  await mkdir(join(page, 'assets'));
  await writeFile(join(page, 'index.html'), '<!doctype html>');
  await writeFile(join(page, 'assets', 'app-1.js'), '');
  subscribe('fastify.initialization', watch);
  const off = { LIMIT_ACCOUNT_RATE: 'off', LIMIT_ADDRESS_RATE: 'off' };
  const whole = await openWholeServer(off, { userInterface: page });
  unsubscribe('fastify.initialization', watch);
  const { server } = whole;
  const { database, store, access } = server;
  await database.addTenant('bb', 'Hospital B');
  const clock = { now: () => new Date() };
  await store.transaction(systemContext('aa', 'system:test', clock), async (tx) => {
    await tx.create({ resourceType: 'Patient', id: 'p1', identifier: [{ system: 'urn:x', value: '1' }] });
    const subject = { reference: 'Patient/p1' };
    await tx.create({ resourceType: 'Task', id: 't1', status: 'requested', intent: 'order', for: subject });
    await tx.create({ resourceType: 'Group', id: 'g1', type: 'person', actual: true, member: [{ entity: subject }] });
  });
  await storeClient(
    { database, now: new Date(), keyHosts: [], parametersOf: (store as RestStore).searchParameters },
    {
      ...{ tenant: 'aa', id: 'viewer', kind: 'public-app', display: 'Visionneuse', certificates: [] },
      ...{ scopes: ['openid', 'launch', 'launch/patient', 'user/*.rs', 'patient/*.rs'] },
      ...{ redirectUris: ['https://app.example/callback'], launchUri: 'https://app.example/launch' },
    },
  );
  const made = new Map<string, Promise<string>>();
  let asked = 0;

  /** Header of a caller: `kind:role`, or `kind:role#n` for one account more. */
  async function credentialOf(by: string): Promise<Record<string, string>> {
    const [kind, name = ''] = by.split(':');
    const role = name.split('#')[0]!;
    const login = `${kind}-${name.replace('#', '-')}`;
    let known = made.get(by);
    if (!known) {
      known = (async () => {
        const isMachine = role === 'ris' || role === 'pacs';
        await access.ensureAccount({
          ...{ tenant: 'aa', login, display: login, roles: [role] },
          kind: isMachine ? 'machine' : 'person',
          reference: `${isMachine ? 'Device' : 'Practitioner'}/${login}`,
          ...(kind === 'session' ? { password } : {}),
        });
        if (kind === 'token') return access.issueToken(login, 3_600);
        return issueCredential(database, {
          ...({ tenant: 'aa', login, kind: 'session', lifetimeMs: 3_600_000 } as const),
          now: new Date(),
        });
      })();
      made.set(by, known);
    }
    const secret = await known;
    return kind === 'token'
      ? { authorization: `Bearer ${secret}` }
      : { cookie: `passerelle=${secret}`, 'x-passerelle': 'ui' };
  }

  async function ask({ by, method = 'GET', path, headers = {}, body }: Ask): Promise<Left> {
    const id = `route-${++asked}`;
    const isPlain = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
    const answer = await fetch(server.httpUrl + path, {
      ...{ method, redirect: 'manual' },
      headers: {
        ...(by ? await credentialOf(by) : {}),
        ...(isPlain ? {} : { 'content-type': path.includes('/fhir') ? 'application/fhir+json' : 'application/json' }),
        'x-request-id': id,
        ...headers,
      },
      ...(body === undefined ? {} : { body: (isPlain ? body : JSON.stringify(body)) as string }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, events: () => eventsOf(id) };
  }

  async function eventsOf(id: string): Promise<string[]> {
    const found: string[] = [];
    for (const tenant of ['aa', 'bb', 'platform']) {
      while (await store.projectSome(tenant));
      const events = await store.search(tenant, 'AuditEvent', '_sort=-_lastUpdated&_count=200');
      for (const event of events.reverse())
        if (event.entity?.some(({ what }) => what?.identifier?.value === id)) found.push(words(event));
    }
    return found;
  }

  const served = { server, routes, ask };
  const stored = await ask({
    ...{ by: 'token:conformance', method: 'POST', path: '/dicomweb/studies' },
    ...stow(smallCt({ studyUid: study, slices: 1 })),
  });
  if (stored.status !== 200) throw new Error(`${stored.status} ${stored.text}`);
  return {
    ...served,
    async close() {
      await whole.close();
      await rm(page, { recursive: true });
    },
  };
}

export const password = 'Hirondelle-47-bleue';

export function stow(files: readonly Buffer[]): Pick<Ask, 'headers' | 'body'> {
  const parts = files.flatMap((file) => [Buffer.from('\r\n--part\r\nContent-Type: application/dicom\r\n\r\n'), file]);
  return {
    headers: {
      accept: 'application/dicom+json',
      'content-type': 'multipart/related; type="application/dicom"; boundary=part',
    },
    body: Buffer.concat([...parts, Buffer.from('\r\n--part--\r\n')]),
  };
}

/** `type/subtypes outcome who [patients] [(refused operation)]`: what the tables compare. */
function words({ type, subtype = [], outcome, outcomeDesc, agent, entity = [] }: AuditEvent): string {
  const who = agent.find(({ requestor }) => requestor)?.who;
  const patients = entity
    .filter(({ what, role }) => what?.reference?.startsWith('Patient/') && role?.code === '1')
    .map(({ what }) => what!.reference!.split('/')[1]);
  const person = who?.reference?.split('/').at(-1) ?? who?.display ?? '-';
  const operation = outcome === '8' && outcomeDesc?.startsWith('operation ') ? [`(${outcomeDesc})`] : [];
  return [`${type.code}/${subtype.map(({ code }) => code).join('+')}`, outcome, person, ...patients, ...operation].join(
    ' ',
  );
}
