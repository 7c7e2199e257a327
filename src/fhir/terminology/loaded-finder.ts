/** Finds concepts of a system in tables: every question is a look-up by key, never a search through the concepts. */
import type { Sql } from '../../db/index.ts';
import type { SystemInfo } from './concept.ts';
import type { ConceptFinder, Numbers } from './mask.ts';
import { explainPattern, wholePattern } from './regex.ts';

/** Rows of one system. */
export interface LoadedScope {
  tenant: string;
  system: number;
  /** Concepts it has. */
  size: number;
  info: SystemInfo;
}

export interface LoadedFinder extends ConceptFinder {
  /** Concepts with a word that begins so. */
  withWord(beginning: string): Promise<Numbers>;
}

export function loadedFinder(scope: LoadedScope, sql: Sql): LoadedFinder {
  /** The lists of some keys, one after the other. */
  async function lists(list: string, keys: string, ...values: unknown[]): Promise<Numbers> {
    try {
      // As one text: the driver would make an array of each list, number by number.
      const { rows } = await sql.query<{ numbers: string | null }>(
        `SELECT string_agg(array_to_string(concepts, ','), ',') AS numbers FROM terminology.posting
         WHERE tenant = $1 AND system = $2 AND list = $3 AND ${keys}`,
        [scope.tenant, scope.system, list, ...values],
      );
      return parsedNumbers(rows[0]!.numbers ?? '');
    } catch (error) {
      throw explainPattern(error);
    }
  }
  const ofKeys = (list: string, keys: readonly string[]) => lists(list, 'key = ANY($4::text[])', keys);

  /** Names and codes are not kept as keys: the few filters about them read the concepts. */
  async function scan(condition: string, ...values: unknown[]): Promise<Numbers> {
    try {
      const { rows } = await sql.query<{ seq: number }>(
        `SELECT seq FROM terminology.concept WHERE tenant = $1 AND system = $2 AND ${condition}`,
        [scope.tenant, scope.system, ...values],
      );
      return rows.map(({ seq }) => seq);
    } catch (error) {
      throw explainPattern(error);
    }
  }

  async function places(codes: readonly string[]) {
    const { rows } = await sql.query<{ seq: number; parents: number[]; ancestors: number[] }>(
      `SELECT seq, parents, ancestors FROM terminology.concept
       WHERE tenant = $1 AND system = $2 AND code = ANY($3::text[])`,
      [scope.tenant, scope.system, codes],
    );
    return rows;
  }

  return {
    info: scope.info,
    size: scope.size,
    codes: (codes) => scan('code = ANY($3::text[])', codes),
    below: (codes) => ofKeys('below', codes),
    above: async (codes) => (await places(codes)).flatMap(({ ancestors }) => ancestors),
    children: (codes) => ofKeys('children', codes),
    parents: async (codes) => (await places(codes)).flatMap(({ parents }) => parents),
    flagged: (flag) => ofKeys('flag', [flag]),
    withValue: (property, values) =>
      property === 'display' ? scan('display = ANY($3::text[])', values) : ofKeys(`property:${property}`, values),
    async withProperty(property) {
      if (property === 'display') return scan('display IS NOT NULL');
      if (property === 'parent') return lists('children', 'true');
      if (property === 'child') return ofKeys('flag', ['parent']);
      return lists(`property:${property}`, 'true');
    },
    matching(property, pattern) {
      const whole = wholePattern(pattern);
      if (property === 'code' || property === 'display') return scan(`${property} ~ $3`, whole);
      return lists(`property:${property}`, 'key ~ $4', whole);
    },
    // Folded words have no character beyond this one.
    withWord: (beginning) => lists('word', 'key >= $4 AND key < $5', beginning, `${beginning}\u{10FFFF}`),
  };
}

const comma = 0x2c;
const zero = 0x30;

/** `1,22,333` without a text for each number. */
function* parsedNumbers(text: string): Generator<number> {
  if (text === '') return;
  let number = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === comma) {
      yield number;
      number = 0;
    } else number = number * 10 + character - zero;
  }
  yield number;
}
