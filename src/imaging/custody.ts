/** PS3.4 Annex J: whether this archive answers for instances, so that a sender may let go of its own. */
import type { Database } from '../db/index.ts';
import { type Context, FhirError, type FhirStore } from '../fhir/index.ts';
import type { BlobStore } from './blob-store.ts';

/** An instance as somebody names it. */
export interface NamedInstance {
  sopClassUid: string;
  sopUid: string;
}

/** `held`: indexed, in the caller's sight, and its file opens. `damaged`: indexed, but its file does not. */
export type Custody = 'held' | 'unknown' | 'other-class' | 'damaged';

export interface CustodyRooms {
  database: Database;
  store: Pick<FhirStore, 'read'>;
  blobs: Pick<BlobStore, 'read'>;
}

const openedAtOnce = 8;

/** Of each instance, in order. Also images set apart or in quarantine are held: nothing of them is lost. */
export async function custodyOf(
  { database, store, blobs }: CustodyRooms,
  { tenant, rows: sight }: Pick<Context, 'tenant' | 'rows'>,
  named: readonly NamedInstance[],
): Promise<Custody[]> {
  const { rows } = await database.query<{ sop_uid: string; sop_class: string; blob: string; imaging_study: string }>(
    tenant,
    `SELECT i.sop_uid, i.sop_class, i.blob, s.imaging_study
     FROM dicom_instance i JOIN dicom_study s ON s.tenant = $1 AND s.study_uid = i.study_uid AND s.lot = i.lot
     WHERE i.tenant = $1 AND i.sop_uid = ANY ($2)`,
    [tenant, named.map(({ sopUid }) => sopUid)],
  );
  const stored = new Map(rows.map((row) => [row.sop_uid, row]));
  const seen = new Map<string, boolean>();
  for (const { imaging_study: id } of rows) if (!seen.has(id)) seen.set(id, await isSeen(store, tenant, id, sight));

  async function custody({ sopClassUid, sopUid }: NamedInstance): Promise<Custody> {
    const row = stored.get(sopUid);
    if (!row || !seen.get(row.imaging_study)) return 'unknown';
    if (row.sop_class !== sopClassUid) return 'other-class';
    try {
      const file = await blobs.read(tenant, row.blob);
      await file.close();
      return 'held';
    } catch {
      return 'damaged';
    }
  }

  const answers: Custody[] = [];
  for (let first = 0; first < named.length; first += openedAtOnce)
    answers.push(...(await Promise.all(named.slice(first, first + openedAtOnce).map(custody))));
  return answers;
}

async function isSeen(
  store: CustodyRooms['store'],
  tenant: string,
  id: string,
  rows: Context['rows'],
): Promise<boolean> {
  try {
    await store.read(tenant, 'ImagingStudy', id, rows && { rows });
    return true;
  } catch (error) {
    // Of a study that somebody deleted (410) no more is known than of one that never was.
    if (error instanceof FhirError && (error.status === 404 || error.status === 410)) return false;
    throw error;
  }
}
