/** The next rows of a worklist in one reader's order: a merge of the pools that can be in it. */
import type { Sql } from '../../db/index.ts';
import { comparePlaced, type Placed } from './cursor.ts';
import { firstOf, type Stream } from './merge.ts';
import { personalTerms, type Reader, type Term } from './personal.ts';
import type { Stage } from './place.ts';
import { type Pool, poolOf } from './pool.ts';
import { poolsOf, readHeld, readNamed, readPools, type WorklistRow } from './table.ts';

/** What of the tenant is looked at. */
export interface Wanted {
  /** Undefined: every stage. */
  stages?: ReadonlySet<Stage>;
  /** Undefined: every establishment. Cases the reader holds, and named ones, are looked at all the same unless `within`. */
  establishments?: ReadonlySet<string>;
  /** Establishments asked for, whatever can be seen. */
  within?: ReadonlySet<string>;
  /** Undefined: every kind. Cases the reader holds, and named ones, are looked at all the same unless `ofKinds`. */
  readable?: ReadonlySet<string>;
  /** Kinds asked for, whoever may read them. */
  ofKinds?: ReadonlySet<string>;
  /** Cases of other establishments that can be seen one by one. */
  named: readonly string[];
  /** Only what the reader holds. */
  mine?: boolean;
}

/** A row where this reader sees it. */
export interface RankedRow extends Placed {
  row: WorklistRow;
  pool: Pool;
  /** What depends on the reader. */
  terms: Term[];
}

const minuteMs = 60_000;
/** Of each pool at first: most pools give few of the first rows. */
const firstRows = 6;

export interface PageParts {
  sql: Sql;
  tenant: string;
  reader: Reader;
  nameOf(code: string): string;
}

/** @param after place of the last row of the page before. @returns at most `count` rows. */
export async function pageOf(
  parts: PageParts,
  wanted: Wanted,
  after: Placed | undefined,
  count: number,
): Promise<{ rows: RankedRow[]; more: boolean }> {
  const own = await ownRows(parts, wanted, after);
  const rows: RankedRow[] = [];
  for (const urgencyClass of [0, 1] as const) {
    if (after && after.urgencyClass > urgencyClass) continue;
    const missing = count - rows.length;
    const from = after?.urgencyClass === urgencyClass ? after : undefined;
    const ofClass = own.filter((row) => row.urgencyClass === urgencyClass);
    const page = await pageOfClass(parts, wanted, urgencyClass, from, missing, ofClass);
    rows.push(...page.rows);
    // One row too many says that there are more, in this class or the next.
    if (page.more) return { rows, more: true };
  }
  return { rows, more: false };
}

async function pageOfClass(
  parts: PageParts,
  wanted: Wanted,
  urgencyClass: 0 | 1,
  after: Placed | undefined,
  count: number,
  own: RankedRow[],
): Promise<{ rows: RankedRow[]; more: boolean }> {
  const { sql, tenant, reader } = parts;
  const texts = wanted.mine === true ? [] : await poolsOf(sql, tenant, urgencyClass);
  const pools = texts.map((text) => ({ text, pool: poolOf(text) })).filter(({ pool }) => isWanted(pool, wanted));
  const apart = new Set(own.map(({ caseId }) => caseId));
  const read = async (indexes: readonly number[], taken: readonly (RankedRow | undefined)[], limit: number) => {
    const positions = indexes.map((index, n) => {
      const { text, pool } = pools[index]!;
      const last = taken[n];
      if (last) return { pool: text, at: last.row.placeAt, caseId: last.caseId, inclusive: false };
      if (!after) return { pool: text, at: undefined, caseId: '', inclusive: false };
      const shift = shiftOf(parts, pool, false);
      // Of another tenant's case at the very same place this one comes after, by the tenant's name.
      return { pool: text, at: new Date(after.at + shift), caseId: after.caseId, inclusive: after.tenant < tenant };
    });
    const found = await readPools(sql, tenant, urgencyClass, positions, limit, reader.reference);
    return found.map(
      (rows): Stream<RankedRow> => ({ rows: rows.map((row) => ranked(parts, row)), more: rows.length === limit }),
    );
  };
  const all = pools.map((_, index) => index);
  const streams = await read(all, [], firstRows);
  const ownStream = { rows: own, more: false };
  const page = await firstOf([...streams, ownStream], count + 1, comparePlaced, (indexes, taken) =>
    read(indexes, taken, count + 1),
  );
  // A named case may stand in its pool, too.
  const seen = new Set<string>();
  const rows = page.rows.filter((row) => !apart.has(row.caseId) || (!seen.has(row.caseId) && seen.add(row.caseId)));
  return { rows: rows.slice(0, count), more: rows.length > count || page.more };
}

/** What the reader holds and what is named, sorted, beyond the place. */
async function ownRows(parts: PageParts, wanted: Wanted, after: Placed | undefined): Promise<RankedRow[]> {
  const { sql, tenant, reader } = parts;
  const held = await readHeld(sql, tenant, reader.reference);
  const named = wanted.mine === true ? [] : await readNamed(sql, tenant, wanted.named);
  const rows = new Map([...held, ...named].map((row) => [row.caseId, ranked(parts, row)]));
  return [...rows.values()]
    .filter(({ pool }) => wanted.stages?.has(pool.stage) !== false && wanted.within?.has(pool.establishment) !== false)
    .filter(({ pool }) => wanted.ofKinds?.has(pool.kind) !== false)
    .filter((row) => after === undefined || comparePlaced(row, after) > 0)
    .sort(comparePlaced);
}

function isWanted(pool: Pool, { stages, establishments, within, readable, ofKinds }: Wanted): boolean {
  if (stages?.has(pool.stage) === false) return false;
  if ((ofKinds ?? readable)?.has(pool.kind) === false) return false;
  return establishments?.has(pool.establishment) !== false && within?.has(pool.establishment) !== false;
}

function ranked(parts: PageParts, row: WorklistRow): RankedRow {
  const pool = poolOf(row.pool);
  const mine = row.holder !== '' && row.holder === parts.reader.reference;
  const terms = personalTerms(pool, mine, parts.reader, parts.nameOf);
  const at = row.placeAt.getTime() - sum(terms) * minuteMs;
  return { row, pool, terms, urgencyClass: row.urgencyClass, at, caseId: row.caseId, tenant: parts.tenant };
}

function shiftOf(parts: PageParts, pool: Pool, mine: boolean): number {
  return sum(personalTerms(pool, mine, parts.reader, parts.nameOf)) * minuteMs;
}

function sum(terms: readonly Term[]): number {
  return terms.reduce((total, { minutes }) => total + minutes, 0);
}
