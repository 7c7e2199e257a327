/** The demonstration's people and machines as FHIR clients: nothing but what any client of the platform can do. */
import type { Bundle, Parameters, Resource, Task } from '@medplum/fhirtypes';
import { Client } from 'fhir-kit-client';

/** A signed-in caller. */
export interface Caller {
  search<T extends Resource>(type: T['resourceType'], params: Record<string, string>): Promise<T[]>;
  bundle(type: string, params: Record<string, string>): Promise<Bundle>;
  read<T extends Resource>(type: T['resourceType'], id: string): Promise<T>;
  update<T extends Resource & { id?: string }>(resource: T): Promise<T>;
  operation(task: Task, name: string, parameters?: Parameters['parameter']): Promise<Resource>;
  /** Plain HTTP with the same credentials: DICOMweb, raw Binary. */
  http(path: string, init?: RequestInit): Promise<Response>;
}

/** A person signs in with the password and gets the session cookie. @throws Error when refused. */
export async function signIn(httpUrl: string, username: string, password: string): Promise<Caller> {
  const response = await fetch(`${httpUrl}/oauth2/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  });
  if (!response.ok) throw new Error(`connexion de ${username} : ${response.status} ${await response.text()}`);
  const cookie = response.headers
    .getSetCookie()
    .map((value) => value.split(';', 1)[0])
    .join('; ');
  return caller(httpUrl, { cookie, 'x-passerelle': 'ui' });
}

/** A machine's caller. */
export function withToken(httpUrl: string, token: string): Caller {
  return caller(httpUrl, { authorization: `Bearer ${token}` });
}

function caller(httpUrl: string, headers: Record<string, string>): Caller {
  const client = new Client({ baseUrl: `${httpUrl}/fhir`, customHeaders: headers });
  const bundle = async (type: string, params: Record<string, string>) =>
    (await client.search({ resourceType: type, searchParams: params })) as unknown as Bundle;
  return {
    bundle,
    async search(type, params) {
      const found = await bundle(type, params);
      return (found.entry ?? []).flatMap((entry) =>
        entry.resource?.resourceType === type ? [entry.resource as never] : [],
      );
    },
    read: async (type, id) => (await client.read({ resourceType: type, id })) as never,
    update: async (resource) =>
      (await client.update({
        resourceType: resource.resourceType,
        id: resource.id ?? '',
        body: { ...resource },
      })) as never,
    operation: async (task, name, parameter = []) =>
      (await client.operation({
        resourceType: 'Task',
        id: task.id ?? '',
        name,
        method: 'POST',
        // FHIR has no empty arrays.
        input: { resourceType: 'Parameters', ...(parameter.length > 0 ? { parameter } : {}) } as never,
      })) as unknown as Resource,
    http: (path, init = {}) =>
      fetch(`${httpUrl}${path}`, { ...init, headers: { ...headers, ...(init.headers as Record<string, string>) } }),
  };
}

/** State of a case in the code system of the project. */
export function caseState(task: Task): string {
  return task.businessStatus?.coding?.[0]?.code ?? '';
}
