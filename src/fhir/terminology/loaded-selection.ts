/** Selections over a system in tables. */
import type { Sql } from '../../db/index.ts';
import { understandFilter } from './filters.ts';
import { conceptsAt, placeOf } from './loaded-concepts.ts';
import { type LoadedScope, loadedFinder } from './loaded-finder.ts';
import { inverted, keepCommon, maskOf, numbersOf, selectionMask } from './mask.ts';
import { unknownCode } from './problems.ts';
import { listedConcepts, type Selection } from './selection.ts';
import type { Selected, SelectOptions } from './system.ts';
import { questionWords } from './words.ts';

/**
 * About one code, its own row says most: lists as long as a chapter need not be read to see that a code is in it. What the row does
 * not say, the whole selection is evaluated for.
 */
export async function containsCode(sql: Sql, scope: LoadedScope, selection: Selection, code: string): Promise<boolean> {
  const finder = loadedFinder(scope, sql);
  const place = await placeOf(sql, scope, code);
  return place !== undefined && test(selection);

  async function test(part: Selection): Promise<boolean> {
    switch (part.kind) {
      case 'all':
        return true;
      case 'codes':
        return part.concepts.some((concept) => concept.code === code);
      case 'not':
        return !(await test(part.of));
      case 'and':
        for (const item of part.of) if (!(await test(item))) return false;
        return true;
      case 'or':
        for (const item of part.of) if (await test(item)) return true;
        return false;
      case 'filter': {
        const question = understandFilter(part, scope.info);
        if (question.kind !== 'hierarchy' || question.op === 'generalizes')
          return (await selectionMask(finder, part))[place!.seq] === 1;
        const [named] = [...(await finder.codes([question.code]))];
        if (named === undefined) throw unknownCode(422, question.code, scope.info.url);
        const isBelow = place!.ancestors.includes(named);
        if (question.op === 'descendent-of') return isBelow;
        return (question.op === 'is-a') === (isBelow || named === place!.seq);
      }
    }
  }
}

/** Matches put in the order of their names; where more match, people type another word. */
const sortLimit = 5000;

/** Numbers first, the rows of the page after. */
export async function selectLoaded(
  sql: Sql,
  scope: LoadedScope,
  selection: Selection,
  options: SelectOptions,
): Promise<Selected> {
  const finder = loadedFinder(scope, sql);
  const mask = await selectionMask(finder, selection);
  if (options.activeOnly) keepCommon(mask, inverted(maskOf(scope.size, await finder.flagged('inactive'))));
  if (options.selectableOnly) keepCommon(mask, inverted(maskOf(scope.size, await finder.flagged('abstract'))));
  const words = options.text === undefined ? [] : questionWords(options.text);
  for (const word of words) keepCommon(mask, maskOf(scope.size, await finder.withWord(word)));
  const found = numbersOf(mask);
  const { offset, limit } = options;
  if (offset >= found.length || limit === 0) return { concepts: [], total: found.length };
  const ordered =
    words.length > 0 ? await shortestFirst(sql, scope, found) : await listedFirst(sql, scope, selection, found);
  return { concepts: await conceptsAt(sql, scope, ordered.slice(offset, offset + limit)), total: found.length };
}

async function shortestFirst(sql: Sql, scope: LoadedScope, found: readonly number[]): Promise<readonly number[]> {
  if (found.length > sortLimit) return found;
  const { rows } = await sql.query<{ seq: number }>(
    `SELECT seq FROM terminology.concept WHERE tenant = $1 AND system = $2 AND seq = ANY($3::integer[])
     ORDER BY length(coalesce(display, '')), seq`,
    [scope.tenant, scope.system, found],
  );
  return rows.map(({ seq }) => seq);
}

/** Codes named one by one keep the order they are named in. */
async function listedFirst(
  sql: Sql,
  scope: LoadedScope,
  selection: Selection,
  found: readonly number[],
): Promise<readonly number[]> {
  const codes = [...new Set(listedConcepts(selection).map(({ code }) => code))];
  if (codes.length === 0) return found;
  const { rows } = await sql.query<{ seq: number }>(
    `SELECT c.seq FROM unnest($3::text[]) WITH ORDINALITY AS listed(code, n)
     JOIN terminology.concept c ON c.tenant = $1 AND c.system = $2 AND c.code = listed.code ORDER BY listed.n`,
    [scope.tenant, scope.system, codes],
  );
  const wanted = new Set(found);
  const listed = rows.map(({ seq }) => seq).filter((seq) => wanted.has(seq));
  return [...new Set([...listed, ...found])];
}
