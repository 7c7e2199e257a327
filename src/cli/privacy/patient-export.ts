/** Everything there is of one patient, for the patient (GDPR articles 15 and 20): record, documents, images, and who had access. */
import { dataFolder } from '../../config/index.ts';
import { patientRecord } from '../../fhir/index.ts';
import { openBlobStore } from '../../imaging/index.ts';
import type { Sealing } from '../../vault/index.ts';
import { CommandError } from '../command-error.ts';
import type { DataRoom } from '../data-room.ts';
import { patientCases } from './case-record.ts';
import { type Handover, openHandover } from './handover.ts';

export async function exportPatient(
  room: DataRoom,
  tenant: string,
  patient: string,
  to: string,
  sealing: Sealing,
): Promise<Handover> {
  const context = room.context(tenant, 'operator:privacy-export');
  const record = await patientCases(room.store, context, patient);
  if (!record.resources.has(`Patient/${patient}`)) throw new CommandError(`Aucun Patient/${patient} dans ${tenant}.`);
  const blobs = await openBlobStore(dataFolder(room.config, 'blobs'), room.vault);
  const writer = await openHandover(to, tenant, { database: room.database, blobs, keys: room.keys, sealing });
  for (const resource of record.resources.values()) {
    await writer.resource(resource, JSON.stringify(resource));
    if (resource.resourceType === 'ImagingStudy') await writer.study(resource.id!);
  }
  for (const { type, text } of await patientRecord(room.store, context, patient, ['AuditEvent'])) {
    if (type === 'AuditEvent') await writer.line('acces', { resourceType: 'AuditEvent' }, text);
  }
  const handover = await writer.finish({ tenant, patient }, room.config.clock.now());
  await room.access.recordActivity(context, {
    kind: 'export',
    patients: [`Patient/${patient}`],
    details: { images: String(handover.images), documents: String(handover.documents), list: handover.listSha256 },
  });
  return handover;
}
