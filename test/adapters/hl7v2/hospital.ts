/** A tenant with one establishment whose RIS is registered, on the real store. */
import type { Device, Organization } from '@medplum/fhirtypes';
import { type Mllp, type MllpOptions, startMllp } from '../../../src/adapters/hl7v2/index.ts';
import { systemClock } from '../../../src/config/index.ts';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore, type FhirStore, systemContext } from '../../../src/fhir/index.ts';
import type { Teleradiology } from '../../../src/teleradiology/contract.ts';
import { testDatabase } from '../../support/database.ts';

export const establishment = 'ch-test';
export const tenant = 'aa';

/** What was logged, to check that nothing of a patient is in it. */
export function recordingLog() {
  const lines: string[] = [];
  const write = (object: object, message: string) => void lines.push(`${message} ${JSON.stringify(object)}`);
  return { lines, info: write, warn: write, error: write };
}

export async function openHospital(senders: readonly string[] = ['RIS-TEST|CH-TEST', 'AUTRE|PF-AUTRE']) {
  const database = await testDatabase();
  const store = await createFhirStore({ database, checkReferences: false });
  await addHospital(store, tenant, senders);
  return { database, store };
}

/** Puts the establishment and its registered senders into a tenant. */
export async function addHospital(store: FhirStore, of: string, senders: readonly string[]): Promise<void> {
  await store.transaction(systemContext(of, 'system:test', systemClock), async (tx) => {
    await tx.create<Organization>({
      resourceType: 'Organization',
      id: establishment,
      active: true,
      name: 'CH TEST IMAGERIE',
      identifier: [
        {
          type: { coding: [{ system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203', code: 'FINEG' }] },
          system: 'https://finess.esante.gouv.fr',
          value: '590099991',
        },
      ],
    });
    for (const [index, value] of senders.entries()) {
      await tx.create<Device>({
        resourceType: 'Device',
        id: `ris-${index}`,
        identifier: [{ system: 'https://fhir.passerelle.example/sid/hl7v2-sender', value }],
        deviceName: [{ name: `RIS ${index}`, type: 'user-friendly-name' }],
        owner: { reference: `Organization/${establishment}` },
      });
    }
  });
}

export function listen(
  rooms: { database: Database; store: FhirStore },
  teleradiology: Teleradiology,
  options: Partial<MllpOptions> = {},
): Promise<Mllp & { log: ReturnType<typeof recordingLog> }> {
  const log = recordingLog();
  return startMllp({ host: '127.0.0.1', port: 0, ...rooms, teleradiology, clock: systemClock, log, ...options }).then(
    (mllp) => Object.assign(mllp, { log }),
  );
}

export interface StoredMessage {
  direction: string;
  partner: string;
  control_id: string;
  message_type: string;
  outcome: string;
  reason: string | null;
  raw: Buffer;
  answer: Buffer | null;
  warnings: string[];
  attempts: number;
  focus: string | null;
}

export async function storedMessages(database: Database, of = tenant): Promise<StoredMessage[]> {
  const { rows } = await database.query<StoredMessage & Record<string, unknown>>(
    of,
    'SELECT * FROM hl7v2_message WHERE tenant = $1 ORDER BY at, control_id',
    [of],
  );
  return rows;
}

/** Fields of the first segment with that name; `[0]` is the name, for MSH `[n]` is MSH-(n+1). */
export function segment(message: Buffer | string, name: string): string[] {
  const line = message
    .toString('utf8')
    .split('\r')
    .find((candidate) => candidate.startsWith(`${name}|`));
  return line?.split('|') ?? [];
}
