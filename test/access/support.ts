import type { AuditEvent } from '@medplum/fhirtypes';
import fastify, { type FastifyInstance } from 'fastify';
import { type Access, type AuditKeys, accessRoutes, createAccess } from '../../src/access/index.ts';
import type { Clock, IdentitySources } from '../../src/config/index.ts';
import type { Database } from '../../src/db/index.ts';
import { type Actor, type Context, createFhirStore } from '../../src/fhir/index.ts';
import { createVault, newKeyLine, openKeyRing } from '../../src/vault/index.ts';
import { testDatabase } from '../support/database.ts';

/** A clock that moves when told. */
export function fakeClock(start = '2026-03-01T08:00:00Z'): Clock & { advance(ms: number): void } {
  let now = new Date(start).getTime();
  return {
    now: () => new Date(now),
    advance: (ms) => {
      now += ms;
    },
  };
}

export const noa: Actor = {
  reference: 'Practitioner/noa',
  display: 'Dr NOA TEST',
  account: 'noa',
  kind: 'person',
  roles: ['radiologist'],
};

export const ris: Actor = {
  reference: 'Device/ris',
  display: 'RIS TEST',
  account: 'ris',
  kind: 'machine',
  roles: ['ris'],
};

export interface Rig {
  database: Database;
  store: Awaited<ReturnType<typeof createFhirStore>>;
  access: Access;
  clock: ReturnType<typeof fakeClock>;
  app: FastifyInstance;
  /** Circumstances of a request in tenant `aa`. */
  context(actor: Actor, interaction: string, requestId?: string): Context;
  /** Events of the trail of a tenant that match a search, oldest first. */
  trail(query?: string, tenant?: string): Promise<AuditEvent[]>;
  close(): Promise<void>;
}

/** The access room on a real store and database, with its routes. */
export async function openRig(
  options: {
    secure?: boolean;
    /** Public address; `http://passerelle.test`, which cannot hold passkeys, when absent. */
    baseUrl?: string;
    secondFactorRoles?: readonly string[];
    auditKeys?: AuditKeys;
    identitySources?: IdentitySources;
    checkReferences?: boolean;
    routes?: (app: FastifyInstance, rooms: Pick<Rig, 'database' | 'store' | 'access' | 'clock'>) => Promise<void>;
  } = {},
): Promise<Rig> {
  const database = await testDatabase();
  const base = () => `${options.baseUrl ?? 'http://passerelle.test'}/fhir`;
  const store = await createFhirStore({ database, base, checkReferences: options.checkReferences ?? false });
  const clock = fakeClock();
  const access = await createAccess({
    database,
    store,
    clock,
    securityClock: clock,
    secure: options.secure ?? false,
    baseUrl: () => options.baseUrl ?? 'http://passerelle.test',
    sealer: createVault(openKeyRing({ text: newKeyLine(clock.now()) })),
    secondFactorRoles: options.secondFactorRoles ?? [],
    auditKeys: options.auditKeys,
    ...(options.identitySources ? { identitySources: options.identitySources } : {}),
  });
  const app = fastify({ requestIdHeader: 'x-request-id' });
  await app.register(accessRoutes, { access });
  await options.routes?.(app, { database, store, access, clock });
  return {
    database,
    store,
    access,
    clock,
    app,
    context: (actor, interaction, requestId = 'req-1') => ({
      tenant: 'aa',
      actor,
      requestId,
      interaction,
      network: '192.0.2.7',
      now: () => clock.now(),
    }),
    trail: (query = '', tenant = 'aa') => store.search(tenant, 'AuditEvent', `${query}&_sort=date&_count=500`),
    close: async () => {
      await app.close();
      await access.close();
      await database.close();
    },
  };
}
