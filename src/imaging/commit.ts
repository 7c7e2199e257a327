/** What one request's instances change, inside one transaction: index rows, ImagingStudy resources, the hooks' effects. */
import { randomUUID } from 'node:crypto';
import { FhirError, type FhirTransaction, labelsOf } from '../fhir/index.ts';
import type { BlobStore } from './blob-store.ts';
import { type StoredInstance, type StudyHook, studyLock } from './contract.ts';
import { failureReason } from './dicom/failure.ts';
import { textOf } from './dicom/json-model.ts';
import { dicomwebEndpoint } from './endpoint.ts';
import { contradiction, mergedIdentity, statedIdentity } from './identity.ts';
import { projectedStudy } from './imaging-study.ts';
import { addInstances, type KnownInstance, knownInstances } from './instance-rows.ts';
import { isSameDataset } from './same-dataset.ts';
import { addToSeries, seriesOf } from './series-rows.ts';
import type { Spooled } from './spool.ts';
import { mergedAttributes, type StudyRow, saveStudy, studyLots } from './study-rows.ts';

export interface Committed {
  /** Outcome of each instance, in the order given. */
  outcomes: StoredInstance[];
  /** Blobs now named by the index; the others may go. */
  kept: Set<string>;
}

export interface CommitOptions {
  hooks: readonly StudyHook[];
  blobs: Pick<BlobStore, 'read'>;
  /** Public address of the server, without a trailing slash. */
  baseUrl: string;
}

interface StudyOptions {
  hooks: readonly StudyHook[];
  blobs: Pick<BlobStore, 'read'>;
  /** Literal reference of the DICOMweb Endpoint. */
  endpoint: string;
}

/** The lots a transaction works on, with what it adds to each. */
interface Lot {
  row: StudyRow;
  first: boolean;
  added: Spooled[];
  /** The sender sees its ImagingStudy: only to such a lot their images are added. */
  isSeen: boolean;
}

const anotherSender = 'Le même Study Instance UID a été envoyé par un autre établissement.';

/** Indexes instances already on disk. Studies are taken in the order of their UIDs, so that two requests never wait for each other. */
export async function commitInstances(
  tx: FhirTransaction,
  instances: readonly Spooled[],
  options: CommitOptions,
): Promise<Committed> {
  const outcomes = new Map<Spooled, StoredInstance>();
  const kept = new Set<string>();
  if (instances.length === 0) return { outcomes: [], kept };
  // Before any study's lock: whoever makes it holds it while it waits for nothing else.
  const endpoint = await dicomwebEndpoint(tx.whole, options.baseUrl);
  const byStudy = Map.groupBy(instances, ({ studyUid }) => studyUid);
  for (const studyUid of [...byStudy.keys()].sort()) {
    await commitStudy(
      tx,
      studyUid,
      byStudy.get(studyUid) ?? [],
      { hooks: options.hooks, blobs: options.blobs, endpoint },
      outcomes,
      kept,
    );
  }
  return { outcomes: instances.flatMap((instance) => outcomes.get(instance) ?? []), kept };
}

async function commitStudy(
  tx: FhirTransaction,
  studyUid: string,
  instances: readonly Spooled[],
  options: StudyOptions,
  outcomes: Map<Spooled, StoredInstance>,
  kept: Set<string>,
): Promise<void> {
  const { tenant } = tx.context;
  await tx.lock(studyLock(studyUid));
  const lots: Lot[] = [];
  for (const row of await studyLots(tx.sql, tenant, studyUid)) {
    const isSeen = (await tx.find('ImagingStudy', row.imagingStudyId)) !== undefined;
    lots.push({ row, first: false, added: [], isSeen });
  }
  const known = await knownInstances(
    tx.sql,
    tenant,
    instances.map(({ sopUid }) => sopUid),
  );
  const isSeen = sightOf(tx);
  for (const instance of instances) {
    const before = known.get(instance.sopUid);
    if (before) {
      outcomes.set(
        instance,
        (await isSeen(before)) ? await repeated(options.blobs, tenant, instance, before) : taken(instance),
      );
      continue;
    }
    kept.add(instance.blob);
    const lot = lotFor(lots, instance);
    lot.added.push(instance);
    const { quarantine } = lot.row;
    const apart = lot.row.lot > 0 && quarantine ? { setApart: quarantine } : {};
    known.set(instance.sopUid, { ...identityOf(instance), sha256: instance.sha256, blob: instance.blob, ...apart });
    outcomes.set(instance, { ...identityOf(instance), status: 'stored', ...apart });
  }
  for (const lot of lots) if (lot.added.length > 0) await commitLot(tx.whole, lot, options);
}

/** Whether the sender would find an instance that is stored, or it is no establishment's: nobody's secret. Asked once a lot. */
function sightOf(tx: FhirTransaction): (instance: KnownInstance) => Promise<boolean> {
  const seen = new Map<string, boolean>();
  return async ({ imagingStudyId: id }) => {
    if (!tx.context.rows || id === undefined) return true;
    const isSeen = seen.get(id) ?? ((await tx.find('ImagingStudy', id)) !== undefined || (await isUnowned(tx, id)));
    seen.set(id, isSeen);
    return isSeen;
  };
}

async function isUnowned(tx: FhirTransaction, id: string): Promise<boolean> {
  const study = await tx.whole.find('ImagingStudy', id);
  return study !== undefined && labelsOf(study).length === 0;
}

/** The lot this patient's images belong to: the first that does not contradict them, else a new one. */
function lotFor(lots: Lot[], instance: Spooled): Lot {
  const identity = statedIdentity(instance.studyUid, instance.header);
  const lot = lots.find(({ row, isSeen }) => isSeen && !contradiction(row.identity, identity));
  if (lot) {
    lot.row.identity = mergedIdentity(lot.row.identity, identity);
    lot.row.attributes = mergedAttributes(lot.row.attributes, instance.header);
    return lot;
  }
  const main = lots[0];
  // Whether the patient is the same would tell a sender whose images those are that it does not see.
  const why = main && ((main.isSeen && contradiction(main.row.identity, identity)) || anotherSender);
  const made: Lot = {
    first: true,
    added: [],
    isSeen: true,
    row: {
      studyUid: instance.studyUid,
      lot: lots.length,
      imagingStudyId: randomUUID(),
      quarantine: why,
      identity,
      attributes: mergedAttributes({}, instance.header),
      modalities: [],
      sopClasses: [],
      seriesCount: 0,
      instanceCount: 0,
    },
  };
  lots.push(made);
  return made;
}

async function commitLot(
  tx: FhirTransaction,
  { row, first, added }: Lot,
  { hooks, endpoint }: StudyOptions,
): Promise<void> {
  const { tenant } = tx.context;
  const now = tx.context.now();
  for (const [uid, ofSeries] of Map.groupBy(added, ({ seriesUid }) => seriesUid)) {
    const header = ofSeries[0]?.header ?? {};
    await addToSeries(tx.sql, tenant, row.studyUid, row.lot, { uid, header, added: ofSeries.length });
  }
  const inserted = await addInstances(tx.sql, tenant, row.studyUid, row.lot, added, now);
  if (inserted !== added.length) {
    throw new FhirError(
      409,
      'conflict',
      'Another request is storing the same SOP Instance UID under another study: send again.',
    );
  }
  const series = await seriesOf(tx.sql, tenant, row.studyUid, row.lot);
  row.seriesCount = series.length;
  row.instanceCount += added.length;
  // Of the instances, not of the series' first: field archives hold series of two modalities.
  row.modalities = [
    ...new Set([...row.modalities, ...added.flatMap(({ header }) => textOf(header, '00080060') ?? [])]),
  ].sort();
  row.sopClasses = [...new Set([...row.sopClasses, ...added.map(({ sopClassUid }) => sopClassUid)])].sort();
  await saveStudy(tx.sql, tenant, row, now);

  const known = first ? undefined : await tx.find('ImagingStudy', row.imagingStudyId);
  const projected = projectedStudy(
    {
      identity: row.identity,
      attributes: row.attributes,
      series,
      instances: row.instanceCount,
      endpoint,
      lot: row.lot,
      ...(row.quarantine ? { quarantine: row.quarantine } : {}),
    },
    known,
  );
  if (known) await tx.update(projected);
  else await tx.create({ ...projected, id: row.imagingStudyId });
  for (const hook of hooks) {
    await hook(
      {
        identity: { ...row.identity, modalities: row.modalities },
        imagingStudyId: row.imagingStudyId,
        instances: row.instanceCount,
        series: row.seriesCount,
        first,
        ...(row.quarantine ? { quarantine: row.quarantine } : {}),
      },
      tx,
    );
  }
}

/** The same SOP Instance UID again: the same image changes nothing, another one is never taken for it. */
async function repeated(
  blobs: StudyOptions['blobs'],
  tenant: string,
  instance: Spooled,
  before: KnownInstance,
): Promise<StoredInstance> {
  if (before.sha256.equals(instance.sha256) || (await isSameDataset(blobs, tenant, before.blob, instance.blob))) {
    const { setApart } = before;
    // A sender that missed the first answer must learn it from the second.
    return { ...identityOf(instance), status: 'duplicate', ...(setApart ? { setApart } : {}) };
  }
  return taken(instance);
}

/**
 * PS3.18 §10.5, 45070. Also of the very bytes, where others sent them: who was told that they are stored would let go of images that it, and
 * its case, never see.
 */
function taken(instance: Spooled): StoredInstance {
  return {
    status: 'failed',
    studyUid: instance.studyUid,
    sopUid: instance.sopUid,
    sopClassUid: instance.sopClassUid,
    failureReason: failureReason.taken,
    comment: 'Another instance is stored under this SOP Instance UID (0008,0018); it was not replaced.',
  };
}

function identityOf({ studyUid, seriesUid, sopUid, sopClassUid }: Spooled) {
  return { studyUid, seriesUid, sopUid, sopClassUid };
}
