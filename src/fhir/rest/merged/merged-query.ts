/** The query of a search over several tenants: what each is asked, and a cursor that all of them go on from. */
import { FhirError } from '../../contract.ts';
import { readPairs } from '../../search/query-string.ts';
import { countLimit } from '../../search/result-options.ts';

export interface MergedQuery {
  /** As sent. */
  text: string;
  /** As sent, without the place of a page. */
  first: string;
  count: number;
  hasIncludes: boolean;
  handling?: 'strict' | 'lenient';
  /** Tenants of which earlier pages lack something. */
  missing: readonly string[];
  /** What one tenant is asked; `count` rows of it when given. */
  perTenant(count?: number): string;
}

const defaultCount = 20;
const cursorSyntax = /^[A-Za-z0-9_-]+(?:\.[a-z][a-z0-9-]{1,30})*$/;

/** @throws FhirError 400. */
export function readMergedQuery(text: string, handling?: 'strict' | 'lenient'): MergedQuery {
  const pairs = readPairs(text);
  const cursor = pairs.find(({ name }) => name === '_cursor')?.value;
  const sent = pairs.find(({ name }) => name === '_count')?.value;
  if (sent !== undefined && !/^\d{1,9}$/.test(sent))
    throw new FhirError(400, 'invalid', '_count is not a number', 'http._count');
  const count = sent === undefined ? defaultCount : Math.min(Number(sent), countLimit);
  const [place, ...missing] = cursor === undefined ? [] : placeIn(cursor);
  const others = pairs.filter(({ name }) => name !== '_cursor').map((pair) => pair.text);
  const criteria = pairs.filter(({ name }) => name !== '_cursor' && name !== '_count').map((pair) => pair.text);
  return {
    text,
    first: others.join('&'),
    count,
    hasIncludes: pairs.some(({ name }) => /^_(?:rev)?include(?::|$)/.test(name)),
    ...(handling ? { handling } : {}),
    missing,
    perTenant: (limit = count) =>
      [...criteria, `_count=${limit}`, ...(place === undefined ? [] : [`_cursor=${place}`])].join('&'),
  };
}

/** @param missing told again on every later page: what was left out does not come back by itself. */
export function mergedCursor(place: string, missing: ReadonlySet<string>): string {
  return [place, ...missing].join('.');
}

/** @throws FhirError 400 for what is none of ours; a place to go back from is none. */
function placeIn(cursor: string): string[] {
  const parts = cursor.split('.');
  const isOurs = cursorSyntax.test(cursor) && Buffer.from(parts[0]!, 'base64url').toString('utf8').startsWith('["n"');
  if (!isOurs) throw new FhirError(400, 'invalid', 'The page cursor does not belong to this search', 'http._cursor');
  return parts;
}
