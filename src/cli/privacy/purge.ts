/** Destroys rows as the role that may (migrations/0160_purge.sql), then the files of the images they named. */
import { createHash } from 'node:crypto';
import type { ResourceType } from '@medplum/fhirtypes';
import pg from 'pg';
import { dataFolder } from '../../config/index.ts';
import { isResourceType, parameterKey } from '../../fhir/index.ts';
import { openBlobStore } from '../../imaging/index.ts';
import { tablesInOrder } from '../backup/catalogue.ts';
import type { DataRoom } from '../data-room.ts';
import { type Certificate, type SignedCertificate, signCertificate, writeCertificate } from './certificate.ts';

export interface Destroyed {
  resources: Record<string, number>;
  rows: Record<string, number>;
  images: number;
  listSha256: string;
}

const purgeRole = 'passerelle_purge';
/** Kept through the end of a contract: the trail has its own retention (`audit-retention`). */
const trailTables = /^(fhir\.(auditevent|journal|journal_pending)|audit_[a-z_]+|purge_certificate)$/;

/** What is certified of it, in the same transaction. */
export type Certify = (destroyed: Destroyed) => Certificate;

/** What came of it. */
export interface Purged {
  destroyed: Destroyed;
  certificate: Certificate;
  /** Files of the certificate. */
  files: string[];
}

/** Asks of the moment that is destroyed: throwing destroys nothing. */
export type Check = (query: Query) => Promise<void>;
export type Query = <Row extends pg.QueryResultRow>(text: string, values: unknown[]) => Promise<{ rows: Row[] }>;

/**
 * One transaction of the owner, in a tenant, with the right to remove. It sees one moment: what comes later is not removed, and what changes
 * meanwhile makes it fail.
 */
async function purging<T>(adminUrl: string, tenant: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'passerelle-purge' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await client.query("SELECT set_config('role', $1, true), set_config('passerelle.tenant', $2, true)", [
      purgeRole,
      tenant,
    ]);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } finally {
    await client.end();
  }
}

/**
 * Destroys resources with their history and search values, and what other tables hold of them.
 * @param references `Type/id`
 * @throws what `check` throws, and PostgreSQL's 40001 when something of it was changed at the same time: then all is as before.
 */
export async function destroyResources(
  room: DataRoom,
  tenant: string,
  references: ReadonlySet<string>,
  check: Check,
  certify: Certify,
): Promise<Purged> {
  const { destroyed, certificate } = await purging(room.database.adminUrl, tenant, async (client) => {
    await check(queryOf(client));
    const result = empty(references);
    const byType = Map.groupBy(references, (reference) => reference.slice(0, reference.indexOf('/')));
    const removed = async (table: string, where: string, values: unknown[]) => {
      const { rowCount } = await client.query(`DELETE FROM ${table} WHERE tenant = $1 AND ${where}`, [
        tenant,
        ...values,
      ]);
      if (rowCount) result.rows[table] = (result.rows[table] ?? 0) + rowCount;
    };
    const idsOf = (type: string) => (byType.get(type) ?? []).map((reference) => reference.slice(type.length + 1));
    await destroyStudies(client, tenant, idsOf('ImagingStudy'), result);
    for (const type of byType.keys()) {
      const ids = idsOf(type);
      const table = type.toLowerCase();
      const current = await client.query(
        `DELETE FROM fhir.${pg.escapeIdentifier(table)} WHERE tenant = $1 AND id = ANY ($2)`,
        [tenant, ids],
      );
      const past = await client.query(
        `DELETE FROM fhir.${pg.escapeIdentifier(`${table}_past`)} WHERE tenant = $1 AND id = ANY ($2)`,
        [tenant, ids],
      );
      result.resources[type] = (current.rowCount ?? 0) + (past.rowCount ?? 0);
      await removed('subscription_event', 'type = $2 AND resource = ANY ($3)', [type, ids]);
    }
    await removeSearchValues(client, tenant, references, removed, (type) => parameterKeys(room, type));
    const all = [...references];
    await removed('outbox', '(focus = ANY ($2) OR task = ANY ($2) OR task = ANY ($3))', [all, idsOf('Task')]);
    await removed('hl7v2_message', 'focus = ANY ($2)', [all]);
    await removed('due_time', `(case_id = ANY ($2) OR (kind = 'identity-issue' AND key = ANY ($3)))`, [
      idsOf('Task'),
      idsOf('DetectedIssue'),
    ]);
    await removed('case_refusal', 'case_id = ANY ($2)', [idsOf('Task')]);
    await removed('worklist', 'case_id = ANY ($2)', [idsOf('Task')]);
    return keepCertificate(room, client, tenant, result, certify);
  });
  return { destroyed, certificate, files: await finishPurges(room, tenant) };
}

type Remove = (table: string, where: string, values: unknown[]) => Promise<void>;

/** Ordered values are known by id alone and by the hash of type and parameter: an id that another type still has needs both. */
async function removeSearchValues(
  client: pg.Client,
  tenant: string,
  references: ReadonlySet<string>,
  removed: Remove,
  keysOf: (type: string) => number[],
): Promise<void> {
  const ids = [...new Set([...references].map((reference) => reference.slice(reference.indexOf('/') + 1)))];
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
     WHERE relnamespace = 'fhir'::regnamespace AND relkind = 'r' AND NOT relispartition AND relname || '_past' IN
       (SELECT relname FROM pg_class WHERE relnamespace = 'fhir'::regnamespace)`,
  );
  const queries = tables.map(
    ({ name }) =>
      `SELECT id, '${name}' AS type FROM fhir.${pg.escapeIdentifier(name)} WHERE tenant = $1 AND id = ANY ($2)`,
  );
  const { rows: elsewhere } = await client.query<{ id: string; type: string }>(queries.join(' UNION ALL '), [
    tenant,
    ids,
  ]);
  const taken = new Set(elsewhere.map(({ id }) => id));
  const free = ids.filter((id) => !taken.has(id));
  for (const table of ['fhir.string_key', 'fhir.date_key', 'fhir.number_key']) {
    await removed(table, 'id = ANY ($2)', [free]);
    for (const reference of references) {
      const [type = '', id = ''] = reference.split('/');
      if (taken.has(id)) await removed(table, 'id = $2 AND param = ANY ($3)', [id, keysOf(type)]);
    }
  }
}

/** Destroys everything of a tenant but its audit trail. */
export async function destroyTenant(room: DataRoom, tenant: string, check: Check, certify: Certify): Promise<Purged> {
  const { destroyed, certificate } = await purging(room.database.adminUrl, tenant, async (client) => {
    await check(queryOf(client));
    const references = new Set<string>();
    const result = empty(references);
    const blobs = await client.query(
      'INSERT INTO purged_blob (tenant, blob) SELECT tenant, blob FROM dicom_instance WHERE tenant = $1 ON CONFLICT DO NOTHING',
      [tenant],
    );
    result.images = blobs.rowCount ?? 0;
    const list = createHash('sha256');
    for (const { name, byTenant } of (await tablesInOrder(client)).reverse()) {
      if (!byTenant || trailTables.test(name) || name === 'purged_blob') continue;
      const isResource = /^fhir\.[a-z]+(_past)?$/.test(name) && !name.endsWith('_key') && name !== 'fhir.reindex';
      const { rows, rowCount } = await client.query<{ id?: string }>(
        `DELETE FROM ${name} WHERE tenant = $1${isResource ? ' RETURNING id' : ''}`,
        [tenant],
      );
      if (!rowCount) continue;
      (isResource ? result.resources : result.rows)[name.replace(/^fhir\./, '')] = rowCount;
      for (const id of rows.map((row) => row.id).sort()) list.update(`${name}/${id}\n`);
    }
    return keepCertificate(room, client, tenant, { ...result, listSha256: list.digest('hex') }, certify);
  });
  return { destroyed, certificate, files: await finishPurges(room, tenant) };
}

async function keepCertificate(
  room: DataRoom,
  client: pg.Client,
  tenant: string,
  destroyed: Destroyed,
  certify: Certify,
) {
  const certificate = certify(destroyed);
  const signed = await signCertificate(room, certificate);
  await client.query(
    'INSERT INTO purge_certificate (tenant, number, certificate, key, signature) VALUES ($1, $2, $3, $4, $5)',
    [tenant, certificate.number, signed.certificate, signed.key, signed.signature],
  );
  return { destroyed, certificate };
}

/** Index rows of studies; their files are noted, to be destroyed once this is committed. */
async function destroyStudies(
  client: pg.Client,
  tenant: string,
  ids: readonly string[],
  result: Destroyed,
): Promise<void> {
  const { rows } = await client.query<{ study_uid: string; lot: number }>(
    'SELECT study_uid, lot FROM dicom_study WHERE tenant = $1 AND imaging_study = ANY ($2)',
    [tenant, ids],
  );
  for (const { study_uid: study, lot } of rows) {
    const values = [tenant, study, lot];
    const of = 'WHERE tenant = $1 AND study_uid = $2 AND lot = $3';
    await client.query(
      `INSERT INTO purged_blob (tenant, blob) SELECT tenant, blob FROM dicom_instance ${of} ON CONFLICT DO NOTHING`,
      values,
    );
    result.images += (await client.query(`DELETE FROM dicom_instance ${of}`, values)).rowCount ?? 0;
    await client.query(`DELETE FROM dicom_series ${of}`, values);
    await client.query(`DELETE FROM dicom_study ${of}`, values);
  }
  const links = await client.query('DELETE FROM study_link WHERE tenant = $1 AND imaging_study_id = ANY ($2)', [
    tenant,
    ids,
  ]);
  if (links.rowCount) result.rows.study_link = links.rowCount;
}

/**
 * What follows a committed destruction: files of images, files of the certificate, the line in the trail. A run that was killed in between is made
 * up for by the next one. @returns the files of certificates written now.
 */
export async function finishPurges(room: DataRoom, tenant: string): Promise<string[]> {
  const { config, database, vault } = room;
  const blobs = await openBlobStore(dataFolder(config, 'blobs'), vault);
  const noted = await purging(database.adminUrl, tenant, (client) =>
    client.query<{ blob: string }>('SELECT blob FROM purged_blob WHERE tenant = $1', [tenant]),
  );
  for (const { blob } of noted.rows) {
    await blobs.destroy(tenant, blob);
    await purging(database.adminUrl, tenant, (client) =>
      client.query('DELETE FROM purged_blob WHERE tenant = $1 AND blob = $2', [tenant, blob]),
    );
  }
  const untold = await purging(database.adminUrl, tenant, (client) =>
    client.query<SignedCertificate & { number: string }>(
      'SELECT number, certificate, key, signature FROM purge_certificate WHERE tenant = $1 AND told_at IS NULL ORDER BY number',
      [tenant],
    ),
  );
  const files: string[] = [];
  for (const { number, ...signed } of untold.rows) {
    files.push(...(await writeCertificate(room, signed)));
    await tell(room, JSON.parse(signed.certificate) as Certificate);
    await purging(database.adminUrl, tenant, (client) =>
      client.query('UPDATE purge_certificate SET told_at = $3 WHERE tenant = $1 AND number = $2', [
        tenant,
        number,
        config.clock.now(),
      ]),
    );
  }
  return files;
}

async function tell({ access, context }: DataRoom, certificate: Certificate): Promise<void> {
  const { tenant, kind, number, establishment, cases = [], images, listSha256 } = certificate;
  const command = kind === 'retention' ? 'operator:retention-run' : 'operator:contract-destroy';
  await access.recordActivity(context(tenant, command), {
    kind: 'purge',
    objects: cases,
    details: {
      certificate: number,
      ...(establishment === undefined ? {} : { establishment }),
      cases: String(cases.length),
      images: String(images),
      list: listSha256,
    },
  });
}

/** As the ordered values name them (src/fhir/search/keys.ts). */
function parameterKeys({ store }: DataRoom, type: string): number[] {
  if (!isResourceType(type)) throw new Error(`${type} is no type of resource`);
  return store.searchParameters(type as ResourceType).map(({ name }) => parameterKey(type, name));
}

function queryOf(client: pg.Client): Query {
  return (text, values) => client.query(text, values);
}

function empty(references: ReadonlySet<string>): Destroyed {
  const list = [...references].sort().map((reference) => `${reference}\n`);
  return { resources: {}, rows: {}, images: 0, listSha256: createHash('sha256').update(list.join('')).digest('hex') };
}
