/** The parts of the trail's tables (migrations/0141_audit_months.sql), and what stands against destroying each. */
import { type Database, platformTenant } from '../../../db/index.ts';
import { readPosition } from '../export/position.ts';
import { monthOf } from '../months.ts';
import { keptUntil, readRetention } from './rules.ts';

/** Over years of a trail even a count takes a while. */
const longMs = 3_600_000;

/** A part of the trail's tables: what was recorded before `until`, and after the part before it. */
export interface TrailPart {
  /** Suffix of its tables: `2026_11`, `until_2026_12`. */
  name: string;
  low: string | null;
  high: string;
  /** First instant after it. */
  until: Date;
}

/** Why a part stays, in French for the operator; one line a tenant. */
export interface PartState {
  part: TrailPart;
  /** Tenants with rows in it. */
  tenants: string[];
  obstacles: string[];
}

/** Parts that are over, oldest first, and what stands against destroying each. */
export async function inspectParts(database: Database, now: Date): Promise<PartState[]> {
  const names = await database.tenants();
  const states: PartState[] = [];
  for (const part of (await listParts(database)).filter(({ until }) => until <= now)) {
    const tenants: string[] = [];
    const obstacles = states.length > 0 ? ['un mois plus ancien est encore là'] : [];
    for (const tenant of names) {
      if (!(await hasRows(database, tenant, part))) continue;
      tenants.push(tenant);
      obstacles.push(...(await obstaclesOf(database, tenant, part, now)).map((obstacle) => `${tenant} : ${obstacle}`));
    }
    states.push({ part, tenants, obstacles });
  }
  return states;
}

/** All that can be checked without reading the trail itself. */
async function obstaclesOf(database: Database, tenant: string, part: TrailPart, now: Date): Promise<string[]> {
  const obstacles: string[] = [];
  const until = keptUntil(tenant, await readRetention(database, tenant), part.until);
  if (!until) obstacles.push('la fin de son contrat n’est pas connue (audit-retention set)');
  else if (until > now) obstacles.push(`à garder jusqu’au ${until.toISOString().slice(0, 10)}`);
  const { rows } = await database.query(
    tenant,
    'SELECT 1 FROM fhir.journal_pending WHERE tenant = $1 AND id < $2 LIMIT 1',
    [tenant, part.high],
  );
  if (rows.length > 0) obstacles.push('tout n’est pas scellé');
  const last = await lastSealOf(database, tenant, part);
  if (last !== null && (await readPosition(database, tenant, 'ndjson')) < last)
    obstacles.push(`pas exporté jusqu’au sceau ${last}`);
  return obstacles;
}

async function listParts(database: Database): Promise<TrailPart[]> {
  const { rows } = await database.query<{ part: string; low: string | null; high: string }>(
    platformTenant,
    `SELECT substr(part, length('journal_') + 1) AS part, low, high FROM fhir.audit_part
     WHERE target = 'journal' AND high IS NOT NULL ORDER BY high`,
  );
  return rows.map(({ part, low, high }) => ({ name: part, low, high, until: instantOf(high) }));
}

/** Instant a bound of a part stands for. */
function instantOf(bound: string): Date {
  return new Date(Number.parseInt(bound.replace('-', ''), 16));
}

async function hasRows(database: Database, tenant: string, { low, high }: TrailPart): Promise<boolean> {
  const { rows } = await database.query(
    tenant,
    'SELECT 1 FROM fhir.journal WHERE tenant = $1 AND id < $2 AND id >= $3 LIMIT 1',
    [tenant, high, low ?? ''],
  );
  return rows.length > 0;
}

/** The last seal with rows of a part in it; null when there is none. */
async function lastSealOf(database: Database, tenant: string, { low, high }: TrailPart): Promise<number | null> {
  const { rows } = await database.query<{ last: string | null }>(tenant, {
    text: `SELECT max(number) AS last FROM audit_seal s WHERE tenant = $1 AND EXISTS (
       SELECT FROM string_to_table(s.manifest, E'\\n') line WHERE line COLLATE "C" < $2 AND line COLLATE "C" >= $3)`,
    values: [tenant, high, low ?? ''],
    timeoutMs: longMs,
  });
  return rows[0]?.last ? Number(rows[0].last) : null;
}

/** Label of a part for people. */
export function partLabel({ name, until }: TrailPart): string {
  return name.startsWith('until_') ? `tout avant ${monthOf(until)}` : name.replace('_', '-');
}
