/**
 * Measures storage layouts for FHIR resources against each other, on the embedded PostgreSQL, durable, under row-level security,
 * as the application's role: `node scripts/compare-layouts.ts [resources]`. The decision it led to, with the numbers, is
 * docs/decisions/0002-storage-layout.md.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceRequest } from '@medplum/fhirtypes';
import pg from 'pg';
import { ensureDatabase, migrate, migrationsFolder, startEmbeddedPostgres } from '../src/db/index.ts';
import { loadSearchDefinitions } from '../src/fhir/definitions/search-parameters.ts';
import { createIndexer } from '../src/fhir/search/index-values.ts';
import { createKeyHasher, keyText } from '../src/fhir/search/keys.ts';
import { createParameterRegistry } from '../src/fhir/search/parameters.ts';
import { interpretPath } from '../src/fhir/store/interpreter.ts';

const tenant = 'bench';
const connections = 8;
const searches = 200;
const numberSystem = 'urn:oid:1.2.250.1.213.4.9';

const hasher = createKeyHasher();
const index = createIndexer(createParameterRegistry(loadSearchDefinitions(), interpretPath), hasher);
const key = (parameter: string, kind: 'v' | 's', ...parts: string[]) => keyText(tenant, parameter, kind, ...parts);
const keys = (...texts: string[]) => hasher.array(texts);

interface Layout {
  name: string;
  tables: string[];
  ddl: string;
  insert(id: string, resource: ServiceRequest): { name: string; text: string; values: unknown[] };
  identifier(value: string): { text: string; values: unknown[] };
  worklist(performer: string): { text: string; values: unknown[] };
  day(from: string, to: string): { text: string; values: unknown[] };
}

const frame =
  'tenant text NOT NULL, id text COLLATE "C" NOT NULL, version integer NOT NULL, updated timestamptz NOT NULL';

function gin(pendingKb: number): Layout {
  const table = `gin_${pendingKb}`;
  const found = (keyArray: Buffer, more = '', values: unknown[] = []) => ({
    text: `SELECT id, content FROM ${table} WHERE tenant = $1 AND keys @> $2::bigint[] ${more}`,
    values: [tenant, keyArray, ...values],
  });
  return {
    name: `one row, one GIN over 64-bit keys, pending list ${pendingKb} kB`,
    tables: [table],
    ddl: `CREATE TABLE ${table} (${frame}, authored timestamptz NOT NULL, keys bigint[] NOT NULL, content text NOT NULL, PRIMARY KEY (tenant, id));
      CREATE INDEX ON ${table} USING gin (keys) WITH (gin_pending_list_limit = ${pendingKb});
      CREATE INDEX ON ${table} (tenant, updated, id); CREATE INDEX ON ${table} (tenant, authored, id)`,
    insert: (id, resource) => ({
      name: table,
      text: `INSERT INTO ${table} VALUES ($1, $2, 1, now(), $3, $4, $5)`,
      values: [
        tenant,
        id,
        resource.authoredOn,
        index(tenant, 'ServiceRequest', resource).keys,
        JSON.stringify(resource),
      ],
    }),
    identifier: (value) => found(keys(key('identifier', 's', numberSystem, value))),
    worklist: (performer) =>
      found(
        keys(key('status', 'v', 'active'), key('performer', 'v', performer)),
        'ORDER BY authored DESC, id LIMIT 50',
      ),
    day: (from, to) =>
      found(keys(key('status', 'v', 'active')), 'AND authored >= $3 AND authored < $4 LIMIT 50', [from, to]),
  };
}

const sideTable: Layout = {
  name: 'one row, side table of keys',
  tables: ['side', 'side_key'],
  ddl: `CREATE TABLE side (${frame}, authored timestamptz NOT NULL, content text NOT NULL, PRIMARY KEY (tenant, id));
    CREATE INDEX ON side (tenant, updated, id); CREATE INDEX ON side (tenant, authored, id);
    CREATE TABLE side_key (tenant text NOT NULL, key bigint NOT NULL, id text COLLATE "C" NOT NULL, PRIMARY KEY (tenant, key, id))`,
  insert: (id, resource) => ({
    name: 'side',
    text: `WITH r AS (INSERT INTO side VALUES ($1, $2, 1, now(), $3, $5)) INSERT INTO side_key SELECT $1, k, $2 FROM unnest($4::bigint[]) k`,
    values: [tenant, id, resource.authoredOn, index(tenant, 'ServiceRequest', resource).keys, JSON.stringify(resource)],
  }),
  identifier: (value) => ({
    text: `SELECT s.id, s.content FROM side s JOIN side_key k USING (tenant, id) WHERE s.tenant = $1 AND k.key = $2`,
    values: [tenant, hasher.decimal(key('identifier', 's', numberSystem, value))],
  }),
  worklist: (performer) => ({
    text: `SELECT s.id, s.content FROM side s JOIN side_key a USING (tenant, id) JOIN side_key b USING (tenant, id)
      WHERE s.tenant = $1 AND a.key = $2 AND b.key = $3 ORDER BY s.authored DESC, s.id LIMIT 50`,
    values: [tenant, hasher.decimal(key('status', 'v', 'active')), hasher.decimal(key('performer', 'v', performer))],
  }),
  day: (from, to) => ({
    text: `SELECT s.id, s.content FROM side s JOIN side_key k USING (tenant, id)
      WHERE s.tenant = $1 AND k.key = $2 AND s.authored >= $3 AND s.authored < $4 LIMIT 50`,
    values: [tenant, hasher.decimal(key('status', 'v', 'active')), from, to],
  }),
};

const jsonb: Layout = {
  name: 'JSONB with one GIN (jsonb_path_ops)',
  tables: ['doc'],
  ddl: `CREATE TABLE doc (${frame}, content jsonb NOT NULL, PRIMARY KEY (tenant, id));
    CREATE INDEX ON doc USING gin (content jsonb_path_ops) WITH (gin_pending_list_limit = 128);
    CREATE INDEX ON doc (tenant, updated, id); CREATE INDEX ON doc (tenant, (content ->> 'authoredOn'), id)`,
  insert: (id, resource) => ({
    name: 'doc',
    text: 'INSERT INTO doc VALUES ($1, $2, 1, now(), $3)',
    values: [tenant, id, JSON.stringify(resource)],
  }),
  identifier: (value) => ({
    text: 'SELECT id, content FROM doc WHERE tenant = $1 AND content @> $2',
    values: [tenant, JSON.stringify({ identifier: [{ system: numberSystem, value }] })],
  }),
  worklist: (performer) => ({
    text: `SELECT id, content FROM doc WHERE tenant = $1 AND content @> $2 ORDER BY content ->> 'authoredOn' DESC, id LIMIT 50`,
    values: [tenant, JSON.stringify({ status: 'active', performer: [{ reference: performer }] })],
  }),
  day: (from, to) => ({
    text: `SELECT id, content FROM doc WHERE tenant = $1 AND content @> '{"status":"active"}' AND content ->> 'authoredOn' >= $2 AND content ->> 'authoredOn' < $3 LIMIT 50`,
    values: [tenant, from, to],
  }),
};

const at = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();

/** About 1.3 kB; every one another patient, number and time. */
function serviceRequest(id: string, n: number): ServiceRequest {
  const coding = (system: string, code: string, display: string) => ({ coding: [{ system, code, display }] });
  return {
    resourceType: 'ServiceRequest',
    id,
    meta: { versionId: '1', lastUpdated: at(n) },
    identifier: [
      {
        system: numberSystem,
        value: `PL${n}`,
        type: coding('http://terminology.hl7.org/CodeSystem/v2-0203', 'PLAC', 'Placer'),
      },
    ],
    status: n % 3 === 0 ? 'active' : 'completed',
    intent: 'order',
    priority: n % 5 === 0 ? 'urgent' : 'routine',
    category: [coding('http://snomed.info/sct', '363679005', 'Imaging')],
    code: coding('http://loinc.org', '24725-4', 'CT Head'),
    bodySite: [coding('http://snomed.info/sct', '69536005', 'Head structure')],
    subject: { reference: `Patient/p${n % 5000}`, display: 'TEST-MOREAU Camille' },
    requester: { reference: `Practitioner/d${n % 40}`, display: 'Dr TEST-RADIOLOGUE' },
    performer: [{ reference: `Practitioner/r${n % 20}` }],
    authoredOn: at(n),
    occurrenceDateTime: at(n + 60),
    reasonCode: [{ text: 'Céphalées brutales depuis ce matin, recherche de saignement, pas de traumatisme connu.' }],
    note: [
      {
        text: 'Patient à jeun. Créatinine de la semaine dernière normale. Pas d’allergie connue au produit de contraste.',
      },
    ],
  };
}

async function measure(url: string, layout: Layout, resources: number): Promise<Record<string, string | number>> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(layout.ddl);
  for (const table of layout.tables) {
    await admin.query(`CALL protect_tenant('${table}'); GRANT SELECT, INSERT ON ${table} TO passerelle_app`);
  }
  const walStart = (await admin.query<{ lsn: string }>('SELECT pg_current_wal_lsn() AS lsn')).rows[0]!.lsn;
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    options: `-c role=passerelle_app -c passerelle.tenant=${tenant}`,
  });
  let n = 0;
  const start = performance.now();
  const caller = async () => {
    while (n < resources) {
      const id = crypto.randomUUID();
      await pool.query(layout.insert(id, serviceRequest(id, n++)));
    }
  };
  await Promise.all(Array.from({ length: connections }, caller));
  const seconds = (performance.now() - start) / 1000;
  const wal = (await admin.query<{ bytes: string }>('SELECT pg_current_wal_lsn() - $1::pg_lsn AS bytes', [walStart]))
    .rows[0]!.bytes;
  // No VACUUM: it would empty the pending list, and searches in production do not wait for one.
  for (const table of layout.tables) await admin.query(`ANALYZE ${table}`);
  const sizes = await admin.query<{ bytes: string }>(
    'SELECT sum(pg_total_relation_size(name::regclass)) AS bytes FROM unnest($1::text[]) name',
    [layout.tables],
  );
  const median = async (statement: (n: number) => { text: string; values: unknown[] }) => {
    const times: number[] = [];
    for (let at = 0; at < searches; at++) {
      const began = performance.now();
      const { rowCount } = await pool.query(statement((at * 37) % resources));
      if (!rowCount) throw new Error(`${layout.name}: a search found nothing`);
      times.push(performance.now() - began);
    }
    return Number(times.sort((a, b) => a - b)[searches / 2]!.toFixed(2));
  };
  const result = {
    layout: layout.name,
    'inserts/s': Math.round(resources / seconds),
    'WAL B': Math.round(Number(wal) / resources),
    'disk B': Math.round(Number(sizes.rows[0]!.bytes) / resources),
    'identifier ms': await median((n) => layout.identifier(`PL${n}`)),
    'work list ms': await median((n) => layout.worklist(`Practitioner/r${n % 20}`)),
    'status + day ms': await median((n) => layout.day(at(n), at(n + 1440))),
  };
  await pool.end();
  await admin.end();
  return result;
}

const resources = Number(process.argv[2] ?? 30_000);
const directory = await mkdtemp(join(process.env.PASSERELLE_TEST_DIR ?? tmpdir(), 'passerelle-layouts-'));
// The account the server runs under must be able to enter.
await chmod(directory, 0o755);
const server = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
try {
  const url = await ensureDatabase(server.superuserUrl, 'layouts');
  await migrate(url, migrationsFolder);
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  // What the first migration grants to array operators, so that JSONB has the same chance.
  await admin.query('ALTER FUNCTION pg_catalog.jsonb_contains(jsonb, jsonb) LEAKPROOF');
  await admin.end();
  const results = [];
  for (const layout of [gin(128), sideTable, jsonb, gin(4096)]) results.push(await measure(url, layout, resources));
  console.table(results);
} finally {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}
