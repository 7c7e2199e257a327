import fastify, { type FastifyInstance, type InjectOptions } from 'fastify';
import { systemClock } from '../../../src/config/index.ts';
import type { Database } from '../../../src/db/index.ts';
import {
  type Context,
  createFhirStore,
  FhirError,
  type FhirGuards,
  fhirRoutes,
  type ReadAccess,
} from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import { testDatabase } from '../../support/database.ts';
import { wholeAccess } from '../../support/whole-access.ts';

export interface Audited extends ReadAccess {
  interaction: string;
  requestId: string;
}

export interface TestServer {
  app: FastifyInstance;
  store: RestStore;
  database: Database;
  /** Everything guards.auditRead was told, oldest first. */
  audited: Audited[];
  /** Interactions of the commits. */
  commits: string[];
  /** What authorize refuses. */
  refused: (request: { interaction: string; type?: string; operation?: string }) => boolean;
  /** What `authorize` did refuse, oldest first: the real one leaves a record of each. */
  refusals: string[];
  request(
    options: InjectOptions,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: never; text: string }>;
  close(): Promise<void>;
}

export const base = 'http://hospital.example/fhir';

/**
 * The routes on the real store, in front of them a guard that takes the bearer token for the tenant (`aa` when there is none),
 * allows all that `refused` does not refuse, and keeps what it is told.
 */
export async function testServer(): Promise<TestServer> {
  const database = await testDatabase();
  const store = (await createFhirStore({ database })) as RestStore;
  const app = fastify({ requestIdHeader: 'x-request-id', bodyLimit: 4 * 1024 * 1024 });
  const server: TestServer = {
    app,
    store,
    database,
    audited: [],
    commits: [],
    refused: () => false,
    refusals: [],
    async request(options) {
      const response = await app.inject(options);
      const isJson = String(response.headers['content-type']).includes('json') && response.body !== '';
      return {
        status: response.statusCode,
        headers: response.headers,
        body: (isJson ? response.json() : undefined) as never,
        text: response.body,
      };
    },
    async close() {
      await app.close();
      await database.close();
    },
  };
  store.onCommit(async (changes, tx) => {
    server.commits.push(`${tx.context.interaction} ${changes.map((change) => change.interaction).join()}`);
  });
  await app.register(fhirRoutes, {
    prefix: '/fhir',
    store,
    guards: guardsOf(server),
    clock: systemClock,
    baseUrl: () => 'http://hospital.example',
  });
  await app.register(fhirRoutes, {
    prefix: '/t/:tenant/fhir',
    store,
    guards: guardsOf(server),
    clock: systemClock,
    baseUrl: () => 'http://hospital.example',
  });
  return server;
}

function guardsOf(server: TestServer): FhirGuards {
  return {
    async authenticate({ headers }) {
      const token = /^Bearer (.*)$/.exec(String(headers.authorization ?? 'Bearer aa'))?.[1] ?? '';
      if (token === 'nobody') throw new FhirError(401, 'login', 'sign in first');
      const actor = {
        reference: 'Practitioner/radiologue',
        display: 'Test',
        account: 'test',
        kind: 'person' as const,
        roles: [],
      };
      return { tenant: token, actor };
    },
    authorize(_context: Context, request) {
      if (!server.refused(request)) return;
      server.refusals.push(`${request.interaction} ${request.type}`);
      throw new FhirError(403, 'forbidden', 'not allowed');
    },
    isAllowed: (_context, request) => !server.refused(request),
    async auditRead(context, access) {
      server.audited.push({ ...wholeAccess(access), interaction: context.interaction, requestId: context.requestId });
    },
  };
}
