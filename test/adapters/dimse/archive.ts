/** A listening archive over a real database, a real imaging room and the real access room; two establishments and their AE titles. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent } from '@medplum/fhirtypes';
import { type Access, createAccess } from '../../../src/access/index.ts';
import { aeTitleSystem, type Dimse, type DimseOptions, startDimse } from '../../../src/adapters/dimse/index.ts';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore, systemContext } from '../../../src/fhir/index.ts';
import { createImaging, type ImagingRoom } from '../../../src/imaging/index.ts';
import { testDatabase } from '../../support/database.ts';
import { testVault } from '../../vault/ring.ts';

export interface Archive {
  database: Database;
  store: Awaited<ReturnType<typeof createFhirStore>>;
  imaging: ImagingRoom;
  access: Access;
  clock: { time: number; now(): Date };
  /** What the operator would read. */
  logged: { level: string; details: object; message: string }[];
  folder: string;
  listen(options?: Partial<DimseOptions>): Promise<Dimse>;
  /** AuditEvents of a tenant whose subtype is one of these interactions. */
  events(tenant: string, ...interactions: string[]): Promise<AuditEvent[]>;
  /** Makes or changes the Device of an AE title. */
  register(
    tenant: string,
    id: string,
    aeTitle: string,
    organizationId: string,
    status?: 'active' | 'inactive',
  ): Promise<void>;
  close(): Promise<void>;
}

/** Tenant `aa` has the establishments `ch-a` (TEST_PACS) and `ch-b` (OTHER_PACS). */
export async function openArchive(): Promise<Archive> {
  const database = await testDatabase();
  const store = await createFhirStore({ database, checkReferences: false });
  const clock = {
    time: Date.parse('2026-01-15T03:00:00Z'),
    now() {
      this.time += 7;
      return new Date(this.time);
    },
  };
  const logged: Archive['logged'] = [];
  const log = (level: string) => (details: object, message: string) => void logged.push({ level, details, message });
  const logs = { info: log('info'), warn: log('warn'), error: log('error') };
  const access = await createAccess({ database, store, clock, secure: false, auditKeys: undefined, log: logs });
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-dimse-'));
  const imaging = await createImaging({
    ...{ database, store, folder, vault: testVault(), clock },
    baseUrl: () => 'https://images.example',
  });
  const register: Archive['register'] = async (tenant, id, aeTitle, organizationId, status = 'active') => {
    await store.transaction(systemContext(tenant, 'system:test', clock), async (tx) => {
      await tx.update({ resourceType: 'Organization', id: organizationId, name: organizationId });
      await tx.update({
        resourceType: 'Device',
        id,
        status,
        identifier: [{ system: aeTitleSystem, value: aeTitle }],
        deviceName: [{ name: `PACS ${id}`, type: 'user-friendly-name' }],
        owner: { reference: `Organization/${organizationId}` },
      });
    });
  };
  await register('aa', 'pacs-a', 'TEST_PACS', 'ch-a');
  await register('aa', 'pacs-b', 'OTHER_PACS', 'ch-b');
  const open: Dimse[] = [];
  return {
    ...{ database, store, imaging, access, clock, logged, folder, register },
    async listen(options = {}) {
      const dimse = await startDimse({
        ...{ host: '127.0.0.1', port: 0, aeTitle: 'PASSERELLE' },
        ...{ database, store, imaging, access, clock, log: logs },
        ...options,
      });
      open.push(dimse);
      return dimse;
    },
    async events(tenant, ...interactions) {
      const events = await store.search(tenant, 'AuditEvent', '_count=500&_sort=_id');
      return events.filter((event) => event.subtype?.some(({ code = '' }) => interactions.includes(code)));
    },
    async close() {
      await Promise.all(open.map((dimse) => dimse.close()));
      await access.close();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
