/** The imaging room: DICOM instances stored byte for byte, indexed, searched, read back, and shown as ImagingStudy. */
import type { ImagingStudy } from '@medplum/fhirtypes';
import type { Clock } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import type { Context, FhirStore, RowScope } from '../fhir/index.ts';
import type { ReadableFile, Vault } from '../vault/index.ts';
import { type AtRest, keepAtRest } from './at-rest.ts';
import { openBlobStore } from './blob-store.ts';
import type { Imaging, StudyHook } from './contract.ts';
import { type Custody, custodyOf, type NamedInstance } from './custody.ts';
import { guardStudy } from './guard-study.ts';
import { type IngestOptions, ingest } from './ingest.ts';
import { indexedBlobs } from './instance-rows.ts';
import { setQuarantine } from './quarantine.ts';
import { type ImagingQuery, type QueryAnswer, queryIndex } from './query.ts';
import {
  findInstance,
  findStudy,
  listInstances,
  listMetadata,
  type ServedInstance,
  type ServedStudy,
  type Target,
} from './stored-instances.ts';

export type { ReadableFile } from '../vault/index.ts';
export { keepAtRest } from './at-rest.ts';
export { type BlobFile, type BlobStore, isSealedBlob, openBlobStore } from './blob-store.ts';
export { findBulkValue } from './bulk-values.ts';
export type { Imaging, StoredInstance, StudyEvent } from './contract.ts';
export type { Custody, NamedInstance } from './custody.ts';
export { bulkDataMark } from './dicom/dataset-parser.ts';
export { failureReason } from './dicom/failure.ts';
export { readRange } from './dicom/file-range.ts';
export { frameLength, readFrame } from './dicom/frames.ts';
export { type DicomJson, itemsOf, textOf } from './dicom/json-model.ts';
export { fileMeta, implementationUid, preambleBytes } from './dicom/part10.ts';
export { readShortDataset } from './dicom/short-dataset.ts';
export { explicitLittleEndian, implicitLittleEndian, transferSyntaxOf } from './dicom/transfer-syntax.ts';
export { isUid } from './dicom/uid.ts';
export type { Level } from './indexed-attributes.ts';
export { type NotTaken, notTaken } from './not-taken.ts';
export { type ImagingQuery, QueryError } from './query.ts';
export { type RenderOptions, renderFrame } from './rendering/index.ts';
export type { ServedInstance, ServedStudy, Target } from './stored-instances.ts';

/** The imaging room with what DICOMweb reads from it. */
export interface ImagingRoom extends Imaging {
  /** The study, when it is stored, may be served and has one of these search values. */
  findStudy(tenant: string, studyUid: string, rows?: RowScope): Promise<ServedStudy | undefined>;
  /** The FHIR projection of a study, for the audit trail. @throws FhirError 404 when the context does not see it. */
  imagingStudy(context: Pick<Context, 'tenant' | 'rows'>, id: string): Promise<ImagingStudy>;
  findInstance(tenant: string, target: Required<Target>): Promise<ServedInstance | undefined>;
  listInstances(tenant: string, target: Target): AsyncIterable<ServedInstance>;
  listMetadata(tenant: string, target: Target): AsyncIterable<{ seriesUid: string; sopUid: string; json: string }>;
  /** Opens an instance's file (or its inflated copy) for reading; the caller closes it. */
  open(tenant: string, instance: ServedInstance, inflated?: boolean): Promise<ReadableFile>;
  /** Whether the archive answers for each of these instances, as far as the context sees them. */
  custodyOf(context: Pick<Context, 'tenant' | 'rows'>, named: readonly NamedInstance[]): Promise<Custody[]>;
  /** @throws QueryError when a parameter is unknown or malformed. */
  query(context: Pick<Context, 'tenant' | 'rows'>, query: ImagingQuery): Promise<QueryAnswer>;
  /** Seals clear files, and wraps the keys of sealed ones with the current master key. */
  keepAtRest(tenant: string): Promise<AtRest>;
  /** Called after a study changed (stored to, put in or out of quarantine) in this process. */
  onChanged(listener: (tenant: string, studyUid: string) => void): void;
  /** Called after images were said to be another patient's, or somebody's at all, in this process. */
  onSubject(listener: (tenant: string, studyUid: string) => void): void;
}

export interface ImagingOptions {
  database: Database;
  store: FhirStore;
  /** Folder of the files; made when missing. */
  folder: string;
  /** Seals the files. */
  vault: Vault;
  clock: Clock;
  /** Public address of the server, without a trailing slash. */
  baseUrl: () => string;
  inspect?: IngestOptions['inspect'];
}

/** Opens the archive and puts in order what an earlier process left unfinished. */
export async function createImaging(options: ImagingOptions): Promise<ImagingRoom> {
  const { database, store, folder, vault, baseUrl, inspect } = options;
  const blobs = await openBlobStore(folder, vault);
  const hooks: StudyHook[] = [];
  const listeners: ((tenant: string, studyUid: string) => void)[] = [];
  const subjectListeners: typeof listeners = [];
  const changed = (tenant: string, studyUid: string) => {
    for (const listener of listeners) listener(tenant, studyUid);
  };
  store.beforeCommit(async (change, tx) => {
    const studyUid = await guardStudy(change, tx);
    if (studyUid === undefined) return;
    tx.afterCommit(() => {
      for (const listener of subjectListeners) listener(tx.context.tenant, studyUid);
    });
  }, 'ImagingStudy');
  await blobs.sweep(async (tenant, blob) => {
    const named = await database.transaction(tenant, (sql) => indexedBlobs(sql, tenant, [blob]));
    return named.has(blob);
  });

  return {
    store: (context, parts, expected = {}) =>
      ingest(context, parts, expected, { store, blobs, hooks, baseUrl, changed, inspect }),
    onStudy: (hook) => void hooks.push(hook),
    async quarantine(tx, studyUid, reason) {
      await setQuarantine(tx, studyUid, reason);
      tx.afterCommit(() => changed(tx.context.tenant, studyUid));
    },
    async liftQuarantine(tx, studyUid) {
      await setQuarantine(tx, studyUid, null);
      tx.afterCommit(() => changed(tx.context.tenant, studyUid));
    },
    findStudy: (tenant, studyUid, rows) =>
      findStudy(database, store.scopeOf({ tenant, ...(rows ? { rows } : {}) }), studyUid),
    imagingStudy: ({ tenant, rows }, id) => store.read(tenant, 'ImagingStudy', id, rows && { rows }),
    findInstance: (tenant, target) => findInstance(database, tenant, target),
    listInstances: (tenant, target) => listInstances(database, tenant, target),
    listMetadata: (tenant, target) => listMetadata(database, tenant, target),
    open: (tenant, { blob }, inflated) => blobs.read(tenant, blob, inflated),
    custodyOf: (context, named) => custodyOf({ database, store, blobs }, context, named),
    query: (context, query) => queryIndex(database, store.scopeOf(context), query),
    keepAtRest: (tenant) => keepAtRest(database, blobs, tenant),
    onChanged: (listener) => void listeners.push(listener),
    onSubject: (listener) => void subjectListeners.push(listener),
  };
}
