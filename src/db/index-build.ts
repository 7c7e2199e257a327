/**
 * An index built beside the writers: CREATE INDEX CONCURRENTLY, outside any transaction (docs/decisions/0013-index-builds.md).
 * An interrupted build leaves an index that costs every write and serves no search: it is dropped and built again.
 */
import type pg from 'pg';

/** What a migration of this kind does, read from its text. */
export interface IndexBuild {
  /** Name as the catalogue has it, without a schema: an index lives in its table's. */
  index: string;
  /** With its schema, if the statement names one. */
  table: string;
  statement: string;
}

const mark = '-- concurrently';
const commentLine = /^[ \t]*--.*$/gm;
const form =
  /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+IF\s+NOT\s+EXISTS\s+([a-z_]\w*)\s+ON\s+((?:[a-z_]\w*\.)?[a-z_]\w*)\b[^;]*;?$/i;

/** Whether a migration is to run outside a transaction: its first line says so. */
export function isIndexBuild(text: string): boolean {
  return text.split('\n', 1)[0]!.trimEnd() === mark;
}

/** @returns undefined unless the text is one CREATE INDEX CONCURRENTLY IF NOT EXISTS with plain names, and lines of comment. */
export function parseIndexBuild(text: string): IndexBuild | undefined {
  const statement = text.replace(commentLine, '').trim();
  const [, index, table] = form.exec(statement) ?? [];
  return index && table ? { index: index.toLowerCase(), table, statement } : undefined;
}

/**
 * Builds the index unless a valid one is there; resolves when it is valid.
 * @throws Error when an index of another table has the name; PostgreSQL's own error when the build fails.
 */
export async function buildIndex(client: pg.Client, build: IndexBuild): Promise<void> {
  // A build takes as long as the table is large and the oldest transaction lasts, whatever limits the login has.
  await client.query("SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)");
  const left = await findIndex(client, build);
  if (left && !left.valid) await client.query(`DROP INDEX CONCURRENTLY ${left.name}`);
  await client.query(build.statement);
  if (!(await findIndex(client, build))?.valid)
    throw new Error(`${build.index} est le nom d’autre chose que d’un index de ${build.table}`);
}

/** The index as it is in the catalogue; `name` is quoted and qualified as far as needed. */
async function findIndex(
  client: pg.Client,
  { index, table }: IndexBuild,
): Promise<{ name: string; valid: boolean } | undefined> {
  const { rows } = await client.query<{ name: string; valid: boolean }>(
    `SELECT indexrelid::regclass::text AS name, indisvalid AS valid
     FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
     WHERE indrelid = to_regclass($1) AND relname = $2`,
    [table, index],
  );
  return rows[0];
}
