import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openAuditKeys } from '../../../src/access/audit/chain/keys.ts';
import { verifyChain } from '../../../src/access/audit/chain/verify.ts';
import { createTrail } from '../../../src/access/audit/trail.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import { fakeClock, noa, ris } from '../../access/support.ts';
import { testDatabase } from '../../support/database.ts';

export type TrailRig = Awaited<ReturnType<typeof openTrail>>;

/** A store with a sealed audit trail, and a superuser of its database. */
export async function openTrail() {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-trail-'));
  const database = await testDatabase();
  const store = await createFhirStore({ database, checkReferences: false });
  const clock = fakeClock();
  const keys = keysIn(folder);
  const site = () => ({ address: 'http://passerelle.test', networkType: '5' as const });
  const trail = createTrail({ store, clock, site, keys });
  const superuser = new pg.Pool({ connectionString: database.adminUrl, max: 2 });
  // A pool says that it has ended before its connections have: the database is dropped under them.
  superuser.on('connect', (client) => void client.on('error', () => undefined));
  const context = (interaction: string, actor = noa, requestId = 'req') => ({
    ...{ tenant: 'aa', actor, requestId, interaction, network: '192.0.2.7' },
    now: () => clock.now(),
  });
  let reads = 0;

  return {
    ...{ folder, database, store, clock, keys, trail, superuser, context },
    /** One audited read; its row of the journal is its own. */
    async read() {
      const resource = { resourceType: 'Basic' as const, id: `b${++reads}`, code: {} };
      await trail.auditRead(context('read'), { resources: [resource], outcome: 'success' });
    },
    /** An AuditEvent a client posts. */
    async post() {
      const { id } = await store.transaction(context('create', ris), (tx) =>
        tx.create({
          resourceType: 'AuditEvent',
          type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' },
          recorded: clock.now().toISOString(),
          agent: [{ requestor: true, who: { display: 'RIS' } }],
          source: { observer: { display: 'RIS' } },
        }),
      );
      return id;
    },
    /** Seals what is pending. */
    async seal() {
      while (await store.projectSome('aa'));
      clock.advance(1_000);
    },
    async verify(options: { since?: Date; anchors?: Parameters<typeof verifyChain>[0]['anchors'] } = {}) {
      return verifyChain({ database, tenant: 'aa', trusted: await keys.trusted(), anchors: [], ...options });
    },
    async close() {
      await trail.close();
      await superuser.end();
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
}

export function keysIn(folder: string) {
  return openAuditKeys({
    privateKey: join(folder, 'audit.pem'),
    publicKeys: join(folder, 'audit-public'),
    isOperators: false,
  });
}
