/** PS3.18 §10.5: the parts of a request onto the disk, then into the index and FHIR in one transaction. */
import type { Readable } from 'node:stream';
import { type Context, FhirError, type FhirStore } from '../fhir/index.ts';
import type { BlobStore } from './blob-store.ts';
import { type Committed, commitInstances } from './commit.ts';
import { type Expected, type StoredInstance, type StudyHook, studyLock } from './contract.ts';
import { DicomFailure, failureReason } from './dicom/failure.ts';
import { isUid } from './dicom/uid.ts';
import type { Inspect } from './encapsulated.ts';
import { indexedHeader } from './indexed-attributes.ts';
import { indexedBlobs } from './instance-rows.ts';
import { type Spooled, spool } from './spool.ts';

export interface IngestOptions {
  store: FhirStore;
  blobs: BlobStore;
  hooks: readonly StudyHook[];
  baseUrl: () => string;
  /** Sees documents inside instances before they are kept; throws FhirError: of 4xx for the instance, of 5xx for the whole request. */
  inspect?: ((context: Context, document: Parameters<Inspect>[0]) => Promise<void>) | undefined;
  /** Told which studies changed, after the commit. */
  changed(tenant: string, studyUid: string): void;
}

/** A request is one transaction: what it may hold open is bounded; the sender splits beyond. */
const maximumInstances = 20_000;
/** Beyond, what follows is not even looked at: each part, also a refused one, costs a file and a line of the answer. */
const maximumParts = 2 * maximumInstances;
/** So many without a single instance among them are no study. */
const maximumWithoutInstance = 1_000;
const maximumHeldBytes = 256 * 1024 * 1024;
/** A deadlock, or another request that stored the same, is nobody's fault: the same work is done this many times. */
const attempts = 4;
/** Files being made durable while the next part is received. */
const durableInFlight = 4;

/** Stores the parts one after the other; resolves after the commit. Nothing stays when it throws. */
export async function ingest(
  context: Context,
  parts: AsyncIterable<Readable>,
  expected: Expected,
  options: IngestOptions,
): Promise<StoredInstance[]> {
  const { tenant } = context;
  const { blobs } = options;
  const spooled: Spooled[] = [];
  const outcomes: (StoredInstance | Spooled)[] = [];
  let heldBytes = 0;
  try {
    for await (const part of parts) {
      if (outcomes.length >= maximumParts) {
        throw new FhirError(413, 'too-costly', `More than ${maximumParts} parts in one request: nothing was stored.`);
      }
      if (spooled.length === 0 && outcomes.length >= maximumWithoutInstance) {
        throw new FhirError(
          413,
          'too-costly',
          `None of ${maximumWithoutInstance} parts is an instance that can be stored.`,
        );
      }
      const outcome = await receive(part, context, expected, options, spooled.length, heldBytes);
      outcomes.push(outcome);
      if ('status' in outcome) continue;
      spooled.push(outcome);
      heldBytes += outcome.heldBytes;
      await spooled.at(-1 - durableInFlight)?.durable;
    }
    // The names are there since the files were made: they become durable beside the bytes, not after (12 of 360 ms a request).
    if (spooled.length > 0) await Promise.all([blobs.sync(), ...spooled.map(({ durable }) => durable)]);
  } catch (error) {
    await Promise.allSettled(spooled.map(({ durable }) => durable));
    await discard(blobs, tenant, spooled);
    throw error;
  }
  if (spooled.length === 0) return outcomes as StoredInstance[];

  const { outcomes: stored, kept } = await committed(context, spooled, options).catch(async (error: unknown) => {
    await cleanAfterFailure(context, spooled, options);
    throw error;
  });
  await settle(
    blobs,
    tenant,
    spooled.filter(({ blob }) => kept.has(blob)),
  );
  await discard(
    blobs,
    tenant,
    spooled.filter(({ blob }) => !kept.has(blob)),
  );
  for (const studyUid of new Set(spooled.map(({ studyUid: uid }) => uid))) options.changed(tenant, studyUid);
  const outcomeOf = new Map(spooled.map((instance, index) => [instance, stored[index]]));
  return outcomes.flatMap((outcome) => ('status' in outcome ? outcome : (outcomeOf.get(outcome) ?? [])));
}

/** The bytes are here: who only lost a race is not made to send them again. */
async function committed(context: Context, spooled: readonly Spooled[], options: IngestOptions): Promise<Committed> {
  const { store, blobs, hooks, baseUrl } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await store.transaction(context, (tx) =>
        commitInstances(tx, spooled, { hooks, blobs, baseUrl: baseUrl() }),
      );
    } catch (error) {
      if (attempt >= attempts || !(error instanceof FhirError) || error.status !== 409) throw error;
    }
  }
}

/** One part: on disk, or the reason for which it is not. A broken connection or disk is not a reason: it is thrown. */
async function receive(
  part: Readable,
  context: Context,
  expected: Expected,
  { blobs, inspect }: Pick<IngestOptions, 'blobs' | 'inspect'>,
  count: number,
  heldBytes: number,
): Promise<StoredInstance | Spooled> {
  const { tenant } = context;
  try {
    if (count >= maximumInstances || heldBytes > maximumHeldBytes) {
      throw new DicomFailure(
        failureReason.resources,
        `More than ${maximumInstances} instances in one request: send the rest in another.`,
      );
    }
    const instance = await spool(
      part,
      tenant,
      blobs,
      indexedHeader,
      inspect && ((document) => inspect(context, document)),
    );
    const unexpected = unexpectedElement(instance, expected);
    if (unexpected === undefined) return instance;
    await instance.durable;
    await blobs.discard(tenant, instance.blob);
    const failure = new DicomFailure(failureReason.dataSet, `${unexpected} is not the one this request is for.`);
    failure.sopUid = instance.sopUid;
    failure.sopClassUid = instance.sopClassUid;
    throw failure;
  } catch (error) {
    if (!(error instanceof DicomFailure)) throw error;
    const { sopUid, sopClassUid, reason, message } = error;
    return {
      status: 'failed',
      ...(sopUid && isUid(sopUid) ? { sopUid } : {}),
      ...(sopClassUid && isUid(sopClassUid) ? { sopClassUid } : {}),
      failureReason: reason,
      comment: message,
    };
  }
}

/** The element by which an instance is not what it was announced as. */
function unexpectedElement(instance: Spooled, { studyUid, sopClassUid, sopUid }: Expected): string | undefined {
  if (studyUid !== undefined && instance.studyUid !== studyUid) return 'Study Instance UID (0020,000D)';
  if (sopClassUid !== undefined && instance.sopClassUid !== sopClassUid) return 'SOP Class UID (0008,0016)';
  if (sopUid !== undefined && instance.sopUid !== sopUid) return 'SOP Instance UID (0008,0018)';
  return undefined;
}

/**
 * A lost connection during COMMIT leaves open whether it happens, also later: PostgreSQL may still be at it. Whoever has the studies' locks
 * after that transaction knows; a file the index may name is never removed on a guess, and without an answer all stay until the next start.
 */
async function cleanAfterFailure(context: Context, spooled: readonly Spooled[], options: IngestOptions): Promise<void> {
  const { tenant } = context;
  const studies = new Set(spooled.map(({ studyUid }) => studyUid));
  const names = spooled.map(({ blob }) => blob);
  const named = await options.store
    .transaction(context, async (tx) => {
      for (const studyUid of [...studies].sort()) await tx.lock(studyLock(studyUid));
      return indexedBlobs(tx.sql, tenant, names);
    })
    .catch(() => undefined);
  if (!named) return;
  await settle(
    options.blobs,
    tenant,
    spooled.filter(({ blob }) => named.has(blob)),
  );
  await discard(
    options.blobs,
    tenant,
    spooled.filter(({ blob }) => !named.has(blob)),
  );
}

/** The rows are committed: a file that cannot be moved now is found where it is, and moved at the next start. */
async function settle(blobs: BlobStore, tenant: string, instances: readonly Spooled[]): Promise<void> {
  await Promise.allSettled(instances.map(({ blob, inflated }) => blobs.settle(tenant, blob, inflated)));
}

async function discard(blobs: BlobStore, tenant: string, instances: readonly Spooled[]): Promise<void> {
  await Promise.allSettled(instances.map(({ blob }) => blobs.discard(tenant, blob)));
}
