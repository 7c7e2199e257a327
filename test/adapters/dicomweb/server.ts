import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { type DicomwebOptions, dicomwebRoutes, maximumAddressPart } from '../../../src/adapters/dicomweb/index.ts';
import { type Context, establishmentSystem, FhirError, type ReadAccess } from '../../../src/fhir/index.ts';
import { openTestRoom, type TestRoom } from '../../imaging/room.ts';

/**
 * A listening DICOMweb service over a real imaging room; who calls is said by the bearer token: `<tenant>`, `<tenant>-nobody`, or
 * `<tenant>-of_<establishment>` for somebody who sees that establishment only.
 */
export interface TestService {
  room: TestRoom;
  /** `http://127.0.0.1:<port>/dicomweb` */
  url: string;
  origin: string;
  /** What was told to the audit trail. */
  audits: (ReadAccess & { tenant: string; interaction: string })[];
  /** Questions put to `authorize`. */
  authorized: { interaction: string; type?: string; id?: string }[];
  clock: { time: number };
  /** Tokens that are over. */
  ended: Set<string>;
  /** What the bearers of tokens see: the same objects while it is the same, as the access room's. */
  sights: Map<string, Pick<Context, 'establishments' | 'rows'>>;
  close(): Promise<void>;
}

export async function startTestService(): Promise<TestService> {
  const room = await openTestRoom();
  const audits: TestService['audits'] = [];
  const authorized: TestService['authorized'] = [];
  const ended = new Set<string>();
  const sights: TestService['sights'] = new Map();
  const sightOf = (token: string, establishment: string) => {
    const value = `${establishmentSystem}|${establishment}`;
    const sight = sights.get(token) ?? {
      establishments: [establishment],
      rows: { keys: [{ parameter: '_security', value }], whole: [] },
    };
    sights.set(token, sight);
    return sight;
  };
  const clock = { time: Date.parse('2026-01-15T03:00:00Z') };
  const guards: DicomwebOptions['guards'] = {
    recordActivity: async () => undefined,
    async authenticate({ headers }) {
      const token = /^Bearer (.+)$/.exec(String(headers.authorization ?? ''))?.[1];
      if (!token || ended.has(token)) throw new FhirError(401, 'login', 'Connexion requise.');
      const [tenant = '', role = 'reader'] = token.split('-');
      const establishment = /^of_(.+)$/.exec(role)?.[1];
      return {
        ...(establishment === undefined ? {} : sightOf(token, establishment)),
        tenant,
        actor: { reference: `Practitioner/${role}`, display: role, account: role, kind: 'person', roles: [role] },
      };
    },
    authorize(context, request) {
      authorized.push(request);
      if (context.actor.roles.includes('nobody'))
        throw new FhirError(403, 'forbidden', "Ce compte n'a pas accès aux images.");
    },
    isAllowed: (context) => !context.actor.roles.includes('nobody'),
    async auditRead(context, access) {
      audits.push({ ...access, tenant: context.tenant, interaction: context.interaction });
    },
  };
  const app = fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: maximumAddressPart } });
  const origin = () => `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  await app.register(dicomwebRoutes, {
    prefix: '/dicomweb',
    imaging: room.imaging,
    guards,
    clock: { now: () => new Date(clock.time) },
    baseUrl: origin,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    room,
    url: `${origin()}/dicomweb`,
    origin: origin(),
    audits,
    authorized,
    clock,
    ended,
    sights,
    close: async () => {
      await app.close();
      await room.close();
    },
  };
}

/** A request in the name of tenant `aa`'s reader. */
export function call(
  service: TestService,
  path: string,
  init: RequestInit & { token?: string } = {},
): Promise<Response> {
  return fetch(path.startsWith('http') ? path : `${service.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${init.token ?? 'aa'}`, ...(init.headers as Record<string, string>) },
  });
}

/** A multipart/related body of DICOM files. */
export function multipartBody(files: readonly Buffer[], boundary = 'test-boundary'): Buffer {
  return Buffer.concat([
    ...files.flatMap((file) => [
      Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
      file,
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}

export const multipartType = 'multipart/related; type="application/dicom"; boundary=test-boundary';

/** STOW-RS of some files. */
export function stow(
  service: TestService,
  files: readonly Buffer[],
  path = '/studies',
  token = 'aa',
): Promise<Response> {
  return call(service, path, {
    method: 'POST',
    token,
    headers: { 'content-type': multipartType, accept: 'application/dicom+json' },
    body: new Uint8Array(multipartBody(files)),
  });
}

/** Parts of a multipart answer, by its own boundary. */
export async function partsOfAnswer(response: Response): Promise<{ headers: Record<string, string>; body: Buffer }[]> {
  const boundary = /boundary=([^;]+)/.exec(response.headers.get('content-type') ?? '')?.[1] ?? '';
  const bytes = Buffer.from(await response.arrayBuffer());
  const delimiter = Buffer.from(`--${boundary}`);
  const found: { headers: Record<string, string>; body: Buffer }[] = [];
  let at = bytes.indexOf(delimiter);
  for (;;) {
    const start = at + delimiter.length + 2;
    const next = bytes.indexOf(Buffer.from(`\r\n--${boundary}`), start);
    if (next === -1) return found;
    const headEnd = bytes.indexOf('\r\n\r\n', start);
    const headers = bytes
      .toString('latin1', start, headEnd)
      .split('\r\n')
      .map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]);
    found.push({ headers: Object.fromEntries(headers), body: bytes.subarray(headEnd + 4, next) });
    at = next + 2;
  }
}

/** One object of a DICOM JSON answer. */
export type Item = Record<string, { vr: string; Value?: unknown[]; BulkDataURI?: string; InlineBinary?: string }>;

/** First value of an element. */
export function firstOf(item: Item | undefined, tag: string): unknown {
  return item?.[tag]?.Value?.[0];
}

/** Items of a sequence. */
export function itemsOf(item: Item | undefined, tag: string): Item[] {
  return (item?.[tag]?.Value ?? []) as Item[];
}
