/**
 * Destroys the oldest months of the trail, whole: a month is dropped when no tenant in it has to be kept any more, everything in it is sealed,
 * proven and exported; what remains are the seals and a signed certificate (design §5 rule 7). Runs as the owner of the tables.
 */
import pg from 'pg';
import { type Database, platformTenant } from '../../../db/index.ts';
import { createSearchValues } from '../../../fhir/index.ts';
import type { AuditKeys } from '../chain/keys.ts';
import { digestOf } from '../chain/seal.ts';
import { verifyChain } from '../chain/verify.ts';
import { monthStart } from '../months.ts';
import type { PurgeCertificate } from './certificate.ts';
import type { PartState, TrailPart } from './parts.ts';
import { readRetention } from './rules.ts';

export interface DestroyOptions {
  database: Database;
  keys: AuditKeys;
  now: Date;
  /** Who gave the command. */
  by: string;
}

/**
 * Destroys one part that `inspectParts` found nothing against.
 * @throws RangeError in French when something stands against it, or a chain does not hold.
 */
export async function destroyPart(options: DestroyOptions, state: PartState): Promise<PurgeCertificate[]> {
  const { database, keys } = options;
  const { part, tenants, obstacles } = state;
  if (obstacles.length > 0) throw new RangeError(obstacles.join(' ; '));
  const certificates: PurgeCertificate[] = [];
  for (const tenant of tenants) {
    const { fault } = await verifyChain({ database, tenant, trusted: await keys.trusted(), anchors: [] });
    if (fault)
      throw new RangeError(
        `la chaîne de ${tenant} ne tient pas (${fault.kind}) : rien n’est détruit. Lancez audit-verify.`,
      );
    certificates.push(...(await certificatesOf(options, tenant, part)));
  }
  const client = new pg.Client({ connectionString: database.adminUrl, application_name: 'passerelle-retention' });
  // A connection lost while nothing runs on it is told by the next statement; without a listener the process would end.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('BEGIN');
    await client.query("SELECT set_config('lock_timeout', '30s', true)");
    await dropPart(client, database, part);
    for (const certificate of certificates) await addCertificate(client, keys, certificate);
    await client.query('COMMIT');
  } finally {
    await client.end();
  }
  return certificates;
}

/** A certificate for every month there is something of. */
async function certificatesOf(
  { database, now, by }: DestroyOptions,
  tenant: string,
  part: TrailPart,
): Promise<PurgeCertificate[]> {
  const rule = await readRetention(database, tenant);
  const { rows } = await database.query<{
    month: string;
    rows: string;
    events: string;
    first: string;
    last: string;
    digest: string;
  }>(
    tenant,
    // A time-ordered id begins with its milliseconds.
    `SELECT to_char(to_timestamp(('x' || substr(line, 1, 8) || substr(line, 10, 4))::bit(48)::bigint / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM') AS month,
       count(*) AS rows, sum(length(line) - length(replace(line, '=', ''))) AS events,
       min(number) AS first, max(number) AS last, max(ARRAY[lpad(number::text, 20, '0'), digest]) AS digest
     FROM (SELECT s.number, s.digest, line FROM audit_seal s, string_to_table(s.manifest, E'\\n') line WHERE s.tenant = $1) sealed
     WHERE line COLLATE "C" < $2 AND ($3::text IS NULL OR line COLLATE "C" >= $3) GROUP BY 1 ORDER BY 1`,
    [tenant, part.high, part.low],
  );
  return rows.map((row) => ({
    ...{ tenant, month: row.month },
    ...{ rows: Number(row.rows), events: Number(row.events), firstSeal: Number(row.first), lastSeal: Number(row.last) },
    digest: row.digest[1]!,
    contractEnd: rule?.contractEnd.toISOString().slice(0, 10) ?? null,
    ...{ by, at: now.toISOString() },
  }));
}

async function dropPart(client: pg.Client, database: Database, part: TrailPart): Promise<void> {
  const params = orderedParams();
  const [events, journal] = [`fhir."auditevent_${part.name}"`, `fhir."journal_${part.name}"`];
  await client.query(`ALTER TABLE fhir.auditevent DETACH PARTITION ${events}`);
  await client.query(`ALTER TABLE fhir.journal DETACH PARTITION ${journal}`);
  for (const tenant of await database.tenants()) {
    // The tables of the whole are under forced row-level security, for their owner too.
    await client.query("SELECT set_config('passerelle.tenant', $1, true)", [tenant]);
    // Under ids clients chose, what is as old lies elsewhere, and what is younger may lie here.
    await client.query('DELETE FROM fhir.auditevent_default WHERE tenant = $1 AND updated < $2', [tenant, part.until]);
    await client.query(`INSERT INTO fhir.auditevent SELECT * FROM ${events} WHERE tenant = $1 AND updated >= $2`, [
      tenant,
      part.until,
    ]);
    for (const table of ['string_key', 'date_key', 'number_key'])
      await client.query(
        `DELETE FROM fhir.${table} k USING ${events} e
         WHERE k.tenant = $1 AND k.param = ANY ($2::integer[]) AND e.tenant = $1 AND e.updated < $3 AND k.id = e.id`,
        [tenant, params, part.until],
      );
  }
  await client.query(`DROP TABLE ${events}, ${journal}`);
}

async function addCertificate(client: pg.Client, keys: AuditKeys, certificate: PurgeCertificate): Promise<void> {
  const text = JSON.stringify(certificate);
  const signer = await keys.current();
  const digest = digestOf(text);
  await client.query("SELECT set_config('passerelle.tenant', $1, true)", [certificate.tenant]);
  await client.query(
    `INSERT INTO audit_purge (tenant, month, certificate, digest, key, signature) VALUES ($1, $2, $3, $4, $5, $6)`,
    [certificate.tenant, monthStart(certificate.month), text, digest, signer.id, signer.sign(digest)],
  );
}

/** Parameters whose values an AuditEvent has in the tables of ordered values. */
function orderedParams(): number[] {
  const { strings, dates, numbers } = createSearchValues()(platformTenant, 'AuditEvent', {
    resourceType: 'AuditEvent',
    recorded: '2026-01-01T00:00:00Z',
    agent: [{ name: 'name', network: { address: 'address' } }],
    source: { site: 'site' },
    entity: [{ name: 'name' }],
  });
  return [...new Set([...strings, ...dates, ...numbers].map(({ param }) => param))];
}
