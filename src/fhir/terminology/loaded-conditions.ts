/** Selections over a system in tables, as SQL conditions on `terminology.concept c`. */
import type { Sql } from '../../db/index.ts';
import type { SystemInfo } from './concept.ts';
import { type FilterQuestion, understandFilter } from './filters.ts';
import { unknownCode } from './problems.ts';
import { wholePattern } from './regex.ts';
import type { Selection } from './selection.ts';

/** Rows of one system; every statement begins with these two parameters. */
export interface LoadedScope {
  tenant: string;
  system: number;
  info: SystemInfo;
}

/** Values of a statement; the first two are tenant and system. */
export interface Values {
  readonly list: unknown[];
  add(value: unknown): string;
}

export function createValues(scope: LoadedScope): Values {
  const list: unknown[] = [scope.tenant, scope.system];
  return { list, add: (value) => `$${list.push(value)}` };
}

/**
 * @param about `many` reads lists of concepts by key; `one`, for a row found by its code already, looks into that row first.
 * @throws FhirError 422 for a filter about a code that does not exist.
 */
export async function selectionCondition(
  sql: Sql,
  scope: LoadedScope,
  selection: Selection,
  values: Values,
  about: 'many' | 'one',
): Promise<string> {
  const places = await placesOf(sql, scope, namedCodes(selection, scope.info));
  return condition(selection);

  function condition(part: Selection): string {
    switch (part.kind) {
      case 'all':
        return 'true';
      case 'codes':
        return `c.code = ANY(${values.add(part.concepts.map(({ code }) => code))}::text[])`;
      case 'not':
        return `NOT coalesce(${condition(part.of)}, false)`;
      case 'and':
      case 'or':
        if (part.of.length === 0) return part.kind === 'and' ? 'true' : 'false';
        return `(${part.of.map(condition).join(part.kind === 'and' ? ' AND ' : ' OR ')})`;
      case 'filter':
        return answer(understandFilter(part, scope.info));
    }
  }

  function answer(question: FilterQuestion): string {
    switch (question.kind) {
      case 'not':
        return `NOT coalesce(${answer(question.of)}, false)`;
      case 'hierarchy': {
        const { op, code } = question;
        const place = places.get(code);
        if (!place) throw unknownCode(422, code, scope.info.url);
        if (op === 'generalizes') return oneOfNumbers([place.seq, ...place.ancestors]);
        const below =
          about === 'one'
            ? `${values.add(place.seq)}::integer = ANY(c.ancestors)`
            : inList('below', `p.key = ${values.add(code)}`);
        if (op === 'descendent-of') return below;
        const subsumed = `(c.seq = ${values.add(place.seq)} OR ${below})`;
        return op === 'is-a' ? subsumed : `NOT ${subsumed}`;
      }
      case 'relative':
        if (question.relative === 'child') {
          return oneOfNumbers(question.codes.flatMap((code) => places.get(code)?.parents ?? []));
        }
        return inList(
          question.relative === 'parent' ? 'children' : 'below',
          `p.key = ANY(${values.add(question.codes)}::text[])`,
        );
      case 'codes':
        return `c.code = ANY(${values.add(question.codes)}::text[])`;
      case 'flag':
        return `c.${question.flag} = ANY(${values.add(question.values)}::boolean[])`;
      case 'values': {
        const wanted = `ANY(${values.add(question.values)}::text[])`;
        if (question.property === 'display') return `c.display = ${wanted}`;
        return inList(`property:${question.property}`, `p.key = ${wanted}`);
      }
      case 'exists':
        return exists(question.property);
      case 'regex': {
        const pattern = values.add(wholePattern(question.pattern));
        if (question.property === 'code' || question.property === 'display')
          return `c.${question.property} ~ ${pattern}`;
        return inList(`property:${question.property}`, `p.key ~ ${pattern}`);
      }
    }
  }

  function exists(property: string): string {
    switch (property) {
      case 'concept':
      case 'code':
        return 'true';
      case 'display':
        return 'c.display IS NOT NULL';
      case 'parent':
      case 'ancestor':
        return 'cardinality(c.parents) > 0';
      case 'child':
        return `EXISTS (SELECT FROM terminology.posting p
          WHERE p.tenant = $1 AND p.system = $2 AND p.list = 'children' AND p.key = c.code)`;
      default:
        return inList(`property:${property}`, 'true');
    }
  }

  function inList(list: string, keys: string): string {
    const where = `p.tenant = $1 AND p.system = $2 AND p.list = ${values.add(list)} AND ${keys}`;
    return about === 'one'
      ? `EXISTS (SELECT FROM terminology.posting p WHERE ${where} AND c.seq = ANY(p.concepts))`
      : `c.seq IN (SELECT unnest(p.concepts) FROM terminology.posting p WHERE ${where})`;
  }

  function oneOfNumbers(numbers: readonly number[]): string {
    return `c.seq = ANY(${values.add(numbers)}::integer[])`;
  }
}

/** Concepts with a word that begins so, for each of the words. */
export function wordConditions(words: readonly string[], values: Values): string[] {
  return words.map((word) => {
    // Folded words have no character beyond this one.
    const [from, to] = [values.add(word), values.add(`${word}\u{10FFFF}`)];
    return `c.seq IN (SELECT unnest(p.concepts) FROM terminology.posting p
      WHERE p.tenant = $1 AND p.system = $2 AND p.list = 'word' AND p.key >= ${from} AND p.key < ${to})`;
  });
}

interface Place {
  seq: number;
  parents: number[];
  ancestors: number[];
}

/** Codes that filters are about. */
function namedCodes(selection: Selection, info: SystemInfo): string[] {
  if (selection.kind === 'and' || selection.kind === 'or')
    return selection.of.flatMap((part) => namedCodes(part, info));
  if (selection.kind === 'not') return namedCodes(selection.of, info);
  if (selection.kind !== 'filter') return [];
  let question = understandFilter(selection, info);
  if (question.kind === 'not') question = question.of;
  if (question.kind === 'hierarchy') return [question.code];
  return question.kind === 'relative' ? [...question.codes] : [];
}

async function placesOf(sql: Sql, scope: LoadedScope, codes: readonly string[]): Promise<Map<string, Place>> {
  if (codes.length === 0) return new Map();
  const { rows } = await sql.query<Place & { code: string }>(
    `SELECT code, seq, parents, ancestors FROM terminology.concept
     WHERE tenant = $1 AND system = $2 AND code = ANY($3::text[])`,
    [scope.tenant, scope.system, codes],
  );
  return new Map(rows.map((row) => [row.code, row]));
}
