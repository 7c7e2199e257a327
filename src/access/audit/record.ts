/**
 * What the journal keeps of an access: everything its AuditEvent says, in a few hundred bytes. The event itself is made when somebody
 * looks (event.ts, docs/decisions/0011-journal.md). Never a value of the resource, a token or a password in it.
 */
import type { Resource } from '@medplum/fhirtypes';
import type { Actor, Change, Context, ReadAccess, ServedVersion } from '../../fhir/index.ts';
import type { AccountSecurityEvent } from './account-security.ts';
import { type Activity, keptActivity } from './activity.ts';
import type { Site } from './agents.ts';
import { type Digest, digestOf } from './chain/seal.ts';

/** Resources named one by one in an event; beyond, their number is said. Patients are all named: no page brings more, included ones with it. */
const resourcesNamed = 50;
const patientsNamed = 2_000;
const requestIdLimit = 128;
/** Of a query, in bytes: longer ones are cut in the trail. */
const queryLimitBytes = 8_192;

/** Who, through what, from where. */
interface Circumstances {
  actor: Actor;
  interaction: string;
  /** As the caller sent it, cut to 128 characters. */
  requestId: string;
  network?: string;
  purpose?: string;
  site: Site;
}

/** References to resources: those named, and how many there were. */
export interface Named {
  references: string[];
  count: number;
}

export interface ReadRecord extends Circumstances {
  act: 'read';
  outcome: ReadAccess['outcome'];
  /** Code of the rule that refused. */
  reason?: string;
  /** Present for searches and histories, empty when the address had none. */
  query?: string;
  /** With the version, `Type/[id]/_history/[version]`, as far as it is known. */
  data: Named;
  patients: string[];
}

export interface WriteRecord extends Circumstances {
  act: 'write';
  /** Each once. */
  kinds: Change['interaction'][];
  data: Named;
  patients: string[];
  /** AuditEvents that a client created, by id: the digest of their content, for the seal. */
  posted?: Record<string, Digest>;
}

export interface RefusalRecord extends Circumstances {
  act: 'refusal';
  demand: { interaction: string; type?: string; id?: string; operation?: string };
}

export interface AuthenticationRecord extends Circumstances {
  act: 'authentication';
  event: { kind: 'login' | 'logout'; outcome: 'success' | 'refused'; reason?: string };
}

export interface AccountSecurityRecord extends Circumstances {
  act: 'account-security';
  event: AccountSecurityEvent;
}

export interface ActivityRecord extends Circumstances {
  act: 'activity';
  activity: Activity;
}

export type AuditRecord =
  | ActivityRecord
  | ReadRecord
  | WriteRecord
  | RefusalRecord
  | AuthenticationRecord
  | AccountSecurityRecord;

/**
 * A read, a search or a history, with what it reached.
 * @param patients whom it is about, `Patient/[id]`.
 */
export function readRecord(
  context: Context,
  { resources, stored = [], query, target, outcome, reason }: ReadAccess,
  site: Site,
  patients: readonly string[],
): ReadRecord {
  const isQuery = query !== undefined || isQueryInteraction(context.interaction);
  const isOne = resources.length + stored.length === 1 && !isQuery;
  // Patients of a result are named as persons; the one resource of a read is the data, also when it is a Patient.
  const data: string[] = [];
  for (const resource of resources)
    if (isOne || resource.resourceType !== 'Patient') data.push(dataReference(resource));
  for (const version of stored) if (isOne || version.type !== 'Patient') data.push(versionReference(version));
  // Nothing served: what was asked for is still worth knowing.
  if (resources.length + stored.length === 0 && target?.id) data.push(`${target.type}/${target.id}`);
  return {
    act: 'read',
    ...circumstances(context, site),
    outcome,
    ...(reason === undefined ? {} : { reason }),
    ...(isQuery
      ? {
          query: Buffer.from(query ?? '')
            .subarray(0, queryLimitBytes)
            .toString(),
        }
      : {}),
    data: named(data),
    patients: distinct(patients).slice(0, patientsNamed),
  };
}

/**
 * One transaction that wrote something.
 * @param patients whom it is about, `Patient/[id]`. @param textOf what was written of an AuditEvent.
 */
export function writeRecord(
  context: Context,
  changes: readonly Change[],
  site: Site,
  patients: readonly string[],
  textOf: (id: string) => string | undefined,
): WriteRecord {
  const posted = changes.flatMap(({ type, id }) => (type === 'AuditEvent' ? [[id, digestOf(textOf(id) ?? '')]] : []));
  return {
    ...(posted.length > 0 ? { posted: Object.fromEntries(posted) } : {}),
    act: 'write',
    ...circumstances(context, site),
    kinds: distinct(changes.map((change) => change.interaction)),
    data: named(changes.map((change) => `${change.type}/${change.id}/_history/${change.version}`)),
    patients: distinct(patients).slice(0, patientsNamed),
  };
}

/** A demand that the policy refused: what was asked, and of what, not what it would have shown. */
export function refusalRecord(context: Context, demand: RefusalRecord['demand'], site: Site): RefusalRecord {
  return { act: 'refusal', ...circumstances(context, site), demand };
}

/** Sign-in, its failure, and sign-out. Without an account, who tried is not known: nothing typed is kept. */
export function authenticationRecord(
  context: Context,
  event: AuthenticationRecord['event'],
  site: Site,
): AuthenticationRecord {
  return { act: 'authentication', ...circumstances(context, site), event };
}

/** A change of the means of signing in, or a lock-out. */
export function accountSecurityRecord(
  context: Context,
  event: AccountSecurityEvent,
  site: Site,
): AccountSecurityRecord {
  return { act: 'account-security', ...circumstances(context, site), event };
}

/** An act that is neither an interaction nor a sign-in. */
export function activityRecord(context: Context, activity: Activity, site: Site): ActivityRecord {
  return { act: 'activity', ...circumstances(context, site), activity: keptActivity(activity) };
}

/**
 * AuditEvents that clients created, told by a row of the journal; without a digest in rows that are older than it.
 * @param entries text of the row.
 */
export function postedIn(entries: string): { id: string; digest?: Digest }[] {
  // Nearly no row has any: reading them all as JSON again would cost more than the seal.
  if (!entries.includes('AuditEvent/')) return [];
  return (JSON.parse(entries) as [string, string, AuditRecord][]).flatMap(([, , record]) => {
    if (record.act !== 'write') return [];
    if (record.posted) return Object.entries(record.posted).map(([id, digest]) => ({ id, digest }));
    return record.data.references.flatMap((reference) => {
      const [type, id] = reference.split('/');
      return type === 'AuditEvent' && id ? [{ id }] : [];
    });
  });
}

export function isQueryInteraction(interaction: string): boolean {
  return /^search-/.test(interaction) || /^dicomweb:(qido|query|search)/.test(interaction);
}

function circumstances({ actor, interaction, requestId, network, purpose }: Context, site: Site): Circumstances {
  return {
    ...{ actor, interaction },
    // Before a session the request id is whatever the caller sent, up to what a header holds.
    requestId: requestId.slice(0, requestIdLimit),
    ...(network ? { network } : {}),
    ...(purpose ? { purpose } : {}),
    site,
  };
}

function named(references: readonly string[]): Named {
  return { references: references.slice(0, resourcesNamed), count: references.length };
}

function dataReference(resource: Resource): string {
  const version = resource.meta?.versionId;
  return `${resource.resourceType}/${resource.id}${version ? `/_history/${version}` : ''}`;
}

function versionReference({ type, id, version, updated }: ServedVersion): string {
  const isOwnDefinition = updated.getTime() === 0;
  return isOwnDefinition ? `${type}/${id}` : `${type}/${id}/_history/${version}`;
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
