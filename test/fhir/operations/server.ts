import type { Bundle, Parameters, Resource } from '@medplum/fhirtypes';
import { registerOperations } from '../../../src/fhir/operations/index.ts';
import { base, type TestServer, testServer } from '../rest/server.ts';

export { base };
export const json = { 'content-type': 'application/fhir+json' };

export interface OperationServer extends TestServer {
  /** Stores resources under their own ids. */
  put(...resources: (Resource & { id: string })[]): Promise<void>;
  get<T = Bundle>(url: string): Promise<{ status: number; headers: Record<string, unknown>; body: T }>;
  post<T = Parameters>(
    url: string,
    payload: object,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: T }>;
}

/** The routes with the operations of this room. */
export async function operationServer(): Promise<OperationServer> {
  const server = await testServer();
  registerOperations(server.store);
  return Object.assign(server, {
    async put(...resources: (Resource & { id: string })[]) {
      for (const payload of resources) {
        const url = `/fhir/${payload.resourceType}/${payload.id}`;
        const { status, text } = await server.request({ method: 'PUT', url, headers: json, payload });
        if (status >= 300) throw new Error(`${url}: ${text}`);
      }
    },
    get: <T>(url: string) =>
      server.request({ method: 'GET', url: url.replace(base, '/fhir') }) as Promise<{
        status: number;
        headers: Record<string, unknown>;
        body: T;
      }>,
    post: <T>(url: string, payload: object) =>
      server.request({ method: 'POST', url, headers: json, payload }) as Promise<{
        status: number;
        headers: Record<string, unknown>;
        body: T;
      }>,
  });
}

/** `Type/id` of a Bundle's entries, in order; outcomes apart. */
export function namesIn(bundle: Bundle): string[] {
  return (bundle.entry ?? []).flatMap(({ resource }) =>
    resource && resource.resourceType !== 'OperationOutcome' ? [`${resource.resourceType}/${resource.id}`] : [],
  );
}
