/** A thin FHIR R4 REST client for the browser: session cookie, CSRF header, typed answers, errors as FhirProblem. */
import type { Bundle, ExtractResource, Parameters, Resource, ResourceType } from '@medplum/fhirtypes';
import type { ServerClock } from '../time/server-clock.ts';
import { FhirProblem, issuesOf } from './problem.ts';

export interface FhirClient {
  read<K extends ResourceType>(type: K, id: string, signal?: AbortSignal): Promise<ExtractResource<K>>;
  /** @param query everything after the `?`, already encoded. */
  search(type: ResourceType, query: string, signal?: AbortSignal): Promise<Bundle>;
  /** `GET Type/id/$name`: an operation that changes nothing. */
  ask<R extends Resource>(path: string, signal?: AbortSignal): Promise<R>;
  /** The same of every tenant the person works in, for operations that are offered so. */
  askEverywhere<R extends Resource>(path: string, signal?: AbortSignal): Promise<R>;
  /** @param unless search that finds it when it was created already: sent again after a lost answer, it is not created twice. */
  create<R extends Resource>(resource: R, unless?: string): Promise<R>;
  /** Posts a transaction: all of it, or nothing. */
  transaction(bundle: Bundle): Promise<Bundle>;
  /** Also from a page that is being left. */
  remove(type: ResourceType, id: string): Promise<void>;
  /** Path of the WebSocket of subscriptions. */
  socket: string;
  /** `POST Type/id/$name` with the version seen, when given. */
  operate<R extends Resource>(path: string, parameters: Parameters, version?: string): Promise<R>;
  /** `PUT Type/id` of the version that was read: refused (412) when it changed meanwhile. */
  update<R extends Resource>(resource: R): Promise<R>;
  /** Bytes of a Binary as they are, from a literal reference or an absolute URL of this server. */
  bytes(url: string, contentType: string): Promise<Blob>;
  /** What a `GET` operation answers that is no resource. */
  content(path: string): Promise<Blob>;
  /** The same search over every tenant the person works in; `fullUrl` says where each resource is. */
  searchEverywhere(type: ResourceType, query: string, signal?: AbortSignal): Promise<Bundle>;
  /** Path of the DICOMweb service, without a slash at the end. */
  dicomweb: string;
  /** The same client in another tenant. */
  inTenant(tenant: string): FhirClient;
  /** `GET` of a JSON document outside `/fhir` (OAuth, DICOMweb). */
  json<T>(path: string, accept: string, signal?: AbortSignal): Promise<T>;
  /** `POST` of a JSON document outside `/fhir`; the answer's JSON, if any. */
  post<T>(path: string, body: unknown): Promise<T | undefined>;
}

const fhirJson = 'application/fhir+json';

/**
 * @param clock is told the server's time at each answer.
 * @param root of the addresses of a tenant, `/t/[tenant]`; the person's own when empty.
 */
export function createFhirClient(clock: ServerClock, root = ''): FhirClient {
  const base = `${root}/fhir`;
  const get = <T>(path: string, accept: string, signal?: AbortSignal): Promise<T> =>
    send(clock, path, { headers: { Accept: accept }, ...(signal ? { signal } : {}) }).then(jsonOf<T>);

  const write = <R extends Resource>(
    method: 'POST' | 'PUT',
    path: string,
    body: Resource,
    version?: string,
    unless?: string,
  ) =>
    send(clock, path, {
      method,
      headers: {
        Accept: fhirJson,
        'Content-Type': fhirJson,
        'X-Passerelle': 'ui',
        ...(version ? { 'If-Match': `W/"${version}"` } : {}),
        ...(unless ? { 'If-None-Exist': unless } : {}),
      },
      body: JSON.stringify(body),
    }).then((answer) => jsonOf<R>(answer));

  return {
    read: (type, id, signal) => get(`${base}/${type}/${encodeURIComponent(id)}`, fhirJson, signal),
    search: (type, query, signal) => get(`${base}/${type}?${query}`, fhirJson, signal),
    searchEverywhere: (type, query, signal) => get(`/t/all/fhir/${type}?${query}`, fhirJson, signal),
    dicomweb: `${root}/dicomweb`,
    inTenant: (tenant) => createFhirClient(clock, `/t/${encodeURIComponent(tenant)}`),
    ask: (path, signal) => get(`${base}/${path}`, fhirJson, signal),
    askEverywhere: (path, signal) => get(`/t/all/fhir/${path}`, fhirJson, signal),
    create: (resource, unless) => write('POST', `${base}/${resource.resourceType}`, resource, undefined, unless),
    transaction: (bundle) => write('POST', base, bundle),
    remove: (type, id) =>
      send(clock, `${base}/${type}/${encodeURIComponent(id)}`, {
        method: 'DELETE',
        headers: { 'X-Passerelle': 'ui' },
        keepalive: true,
      }).then(() => undefined),
    socket: `${base}/ws`,
    operate: <R extends Resource>(path: string, parameters: Parameters, version?: string) =>
      write<R>('POST', `${base}/${path}`, parameters, version),
    update: (resource) =>
      write(
        'PUT',
        `${base}/${resource.resourceType}/${encodeURIComponent(resource.id ?? '')}`,
        resource,
        resource.meta?.versionId,
      ),
    bytes: (url, contentType) =>
      send(clock, binaryPath(url, base), { headers: { Accept: contentType } }).then((answer) => answer.blob()),
    content: (path) => send(clock, `${base}/${path}`, { headers: { Accept: '*/*' } }).then((answer) => answer.blob()),
    json: get,
    post: async <T>(path: string, body: unknown) => {
      const answer = await send(clock, path, {
        method: 'POST',
        headers: { Accept: 'application/json', 'Content-Type': 'application/json', 'X-Passerelle': 'ui' },
        body: JSON.stringify(body),
      });
      const text = await answer.text();
      return text === '' ? undefined : (JSON.parse(text) as T);
    },
  };
}

/** Path on our own origin of an attachment's URL: relative (`Binary/1`) or absolute; the server's public name may differ from ours. */
export function binaryPath(url: string, base = '/fhir'): string {
  const match = /(?:^|\/)(Binary\/[A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(url);
  if (!match) throw new FhirProblem(404, []);
  return `${base}/${match[1]}`;
}

async function send(clock: ServerClock, path: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...init }).catch(
    (error: unknown) => {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      throw new FhirProblem(0, []);
    },
  );
  clock.heard(answer.headers.get('date'));
  if (answer.ok) return answer;
  const body: unknown = await answer.json().catch(() => undefined);
  throw new FhirProblem(answer.status, issuesOf(body));
}

async function jsonOf<T>(answer: Response): Promise<T> {
  if (answer.status === 204) return [] as T;
  return (await answer.json()) as T;
}
