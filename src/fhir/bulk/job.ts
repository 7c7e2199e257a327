/** A Bulk Data job as it is kept, and what can become of it (migrations/0080_bulk_data.sql). */
import type { OperationOutcome, ResourceType } from '@medplum/fhirtypes';
import type { Actor } from '../contract.ts';

export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

/** What an export was asked for. */
export interface ExportRequest {
  level: 'system' | 'patient' | 'group';
  group?: string;
  /** Ids; undefined for every patient of the level. */
  patients?: string[];
  /** Undefined: every type the caller may see. */
  types?: ResourceType[];
  /** Instants, ISO 8601. */
  since?: string;
  until?: string;
  /** Searches by type; resources matching any one of a type's are exported. */
  filters: { type: ResourceType; query: string }[];
  /** `name`, or `Patient.name` for one type. */
  elements?: string[];
  /** Service base URL, and the address asked, as the manifest repeats them. */
  base: string;
  url: string;
}

export interface ImportRequest {
  base: string;
  url: string;
}

/** One file of an export. */
export interface ExportedFile {
  /** Name in the address, without the suffix of the compression. */
  name: string;
  type: string;
  /** Lines. */
  count: number;
}

export interface ExportResult {
  /** Nothing stored before this instant is missing; some stored after it may be there. */
  transactionTime: string;
  output: ExportedFile[];
  deleted: ExportedFile[];
  /** OperationOutcomes: what was left out, and why. */
  error: ExportedFile[];
  /** Octets before compression. */
  size: number;
}

export interface ImportResult {
  created: number;
  updated: number;
  unchanged: number;
  refused: number;
}

interface JobBase {
  tenant: string;
  id: string;
  state: JobState;
  account: string;
  /** Who began it, as the account was then: for the record. What the job may do is asked of the account as it is now. */
  actor: Actor;
  requestedAt: Date;
  attempt: number;
  progress?: string;
  /** Why it failed. */
  failure?: OperationOutcome;
  expiresAt?: Date;
}

export interface ExportJob extends JobBase {
  kind: 'export';
  request: ExportRequest;
  result?: ExportResult;
}

export interface ImportJob extends JobBase {
  kind: 'import';
  request: ImportRequest;
  result?: ImportResult;
  /** Octets and lines of the input that are done. */
  position: number;
  lines: number;
}

export type Job = ExportJob | ImportJob;

/** The right by which a job was begun, and goes on. */
export function demandOf(job: Job): { interaction: string; type?: string; id?: string; operation: string } {
  if (job.kind === 'import') return { interaction: 'operation', operation: 'import' };
  const { level, group } = job.request;
  return {
    interaction: 'operation',
    operation: 'export',
    ...(level === 'patient' ? { type: 'Patient' } : {}),
    ...(group === undefined ? {} : { type: 'Group', id: group }),
  };
}
