/** Everything stored of a patient, for what acts on whole records: export, retention. The audit trail is not among it. */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Context } from '../contract.ts';
import type { RestStore, StoredVersion } from '../store/contract.ts';
import { compartmentWalk, type Place } from './compartment-walk.ts';
import { compartmentTypes } from './compartments.ts';
import { typesInUse } from './types-in-use.ts';

const pageSize = 200;

/**
 * The patient and the resources of its compartment, each once, in one transaction.
 * @param types of the compartment; all but AuditEvent when absent.
 */
export async function patientRecord(
  store: RestStore,
  context: Context,
  id: string,
  types?: readonly ResourceType[],
): Promise<StoredVersion[]> {
  return store.restTransaction(context, async (tx) => {
    // Types asked for by name are searched whatever is there: AuditEvents are made of the journal by the search itself.
    const inUse = new Set<ResourceType>(types ?? (await typesInUse(tx.sql, context.tenant)));
    const wanted = types ?? compartmentTypes('Patient').filter((type) => type !== 'AuditEvent');
    const walk = compartmentWalk('Patient', wanted, (type) => inUse.has(type));
    const record = new Map<string, StoredVersion>();
    const patient = await tx.readStored('Patient', id);
    if (patient && !patient.deleted) record.set(`Patient/${id}`, patient);
    for (let place: Place | undefined = { step: 0 }; place; ) {
      const page: Awaited<ReturnType<typeof walk.read>> = await walk.read(tx, `Patient/${id}`, place, pageSize);
      for (const version of page.found) record.set(`${version.type}/${version.id}`, version);
      place = page.after;
    }
    return [...record.values()];
  });
}
