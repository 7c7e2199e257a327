/** Arguments of a search as a FHIR query: `-` is written `_` in GraphQL (https://hl7.org/fhir/R4/graphql.html#searching). */
import { GraphQLError } from 'graphql';

/** Beginning with `_`, and harmless: no type but the searched one is reached, nothing is said about how to answer. */
const general = new Set([
  '_id',
  '_lastUpdated',
  '_tag',
  '_profile',
  '_security',
  '_source',
  '_text',
  '_content',
  '_count',
  '_sort',
]);
const pageAtMost = 1_000;
const cursorPattern = /^[A-Za-z0-9_-]{1,8000}$/;

export interface SearchAsked {
  query: string;
  /** Parameter by which the resources point to the one in scope. */
  reference?: string;
}

/** @throws GraphQLError for what cannot be asked for here. */
export function searchAsked(args: ReadonlyMap<string, unknown>): SearchAsked {
  const cursor = args.get('_cursor');
  if (cursor !== undefined) return { query: queryOfCursor(String(cursor)), ...referenceOf(args) };
  const query = new URLSearchParams();
  for (const [name, value] of args) {
    if (name === '_reference') continue;
    const parameter = parameterOf(name);
    for (const each of Array.isArray(value) ? value : [value]) query.append(parameter, textOf(name, each));
  }
  return { query: query.toString(), ...referenceOf(args) };
}

function referenceOf(args: ReadonlyMap<string, unknown>): { reference?: string } {
  const reference = args.get('_reference');
  if (reference === undefined) return {};
  const parameter = String(reference).replaceAll('_', '-');
  if (!/^[a-z][a-zA-Z0-9-]*$/.test(parameter)) throw new GraphQLError('_reference is the name of a search parameter');
  return { reference: parameter };
}

function parameterOf(name: string): string {
  if (!name.startsWith('_')) return name.replaceAll('_', '-');
  if (!general.has(name)) throw new GraphQLError(`${name} cannot be asked for here`);
  return name;
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'number') throw new GraphQLError(`${name} is a text, a number, true or false`);
  if (name === '_count' && (!Number.isInteger(value) || value < 1))
    throw new GraphQLError('_count is a whole number from 1 up');
  return String(name === '_count' ? Math.min(value, pageAtMost) : value);
}

/** A page of a connection as a text that comes back as `_cursor`. */
export function cursorOf(query: string): string {
  return Buffer.from(query).toString('base64url');
}

/** What comes back may be anything: it says no more than the arguments could. */
function queryOfCursor(cursor: string): string {
  const query = cursorPattern.test(cursor) ? Buffer.from(cursor, 'base64url').toString('utf8') : '';
  const names = [...new URLSearchParams(query).keys()];
  const isOurs = (name: string) =>
    name.startsWith('_')
      ? general.has(name) || name === '_cursor' || name === '_total'
      : /^[a-zA-Z][a-zA-Z0-9-]*$/.test(name);
  if (names.length === 0 || !names.every(isOurs)) throw new GraphQLError('_cursor is one that a connection told');
  return query;
}
