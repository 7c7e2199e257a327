/** Choosing among the values of a repeating element (https://hl7.org/fhir/R4/graphql.html#list-navigation). */
import { createRequire } from 'node:module';
import { GraphQLError } from 'graphql';
import { notTaken } from '../fhirpath/index.ts';
import { limits } from './limits.ts';
import { fieldOf } from './types.ts';

/** Every argument is a condition: a leaf of that value, a FHIRPath that is true; `_offset` and `_count` then cut. */
export function chosen(values: readonly unknown[], type: string, args: ReadonlyMap<string, unknown>): unknown[] {
  let kept = [...values];
  for (const [name, wanted] of args) {
    if (name === '_offset' || name === '_count') continue;
    if (name === 'fhirpath') {
      const path = compiledPath(wanted);
      kept = kept.filter((value, index) => path(value, index).some((item) => item === true));
      continue;
    }
    if (!fieldOf(type, name)?.isLeaf)
      throw new GraphQLError(`${name} is no argument here: a leaf of ${type}, fhirpath, _offset, _count`);
    kept = kept.filter((value) => {
      const held = (value as Record<string, unknown> | null)?.[name];
      return Array.isArray(held) ? held.includes(wanted) : held === wanted;
    });
  }
  const offset = whole(args, '_offset') ?? 0;
  const count = whole(args, '_count');
  return kept.slice(offset, count === undefined ? undefined : offset + count);
}

function whole(args: ReadonlyMap<string, unknown>, name: string): number | undefined {
  const value = args.get(name);
  if (value !== undefined && (!Number.isInteger(value) || Number(value) < 0)) {
    throw new GraphQLError(`${name} is a whole number from 0 up`);
  }
  return value as number | undefined;
}

/** The text a `@slice` puts after a field's name: of a path on the value, or its place. */
export function sliceName(path: string, value: unknown, index: number): string {
  const found = compiledPath(path)(value, index);
  return found.map(String).join('.');
}

/** Evaluates on one value of a list; `$index` is its place. The library is loaded by the first query that needs it. */
function compiledPath(path: unknown): (value: unknown, index: number) => unknown[] {
  if (typeof path !== 'string' || path.length > limits.fhirPath) {
    throw new GraphQLError(`A FHIRPath is a text of at most ${limits.fhirPath} characters`);
  }
  if (path === '$index') return (_, index) => [index];
  const require = createRequire(import.meta.url);
  const library: typeof import('@medplum/core') = require('@medplum/core');
  const { evalFhirPathTyped, toTypedValue } = library;
  const cache = new Map<number, ParsedPath>();
  const parsed = (index: number) => {
    const key = path.includes('$index') ? index : 0;
    const known = cache.get(key) ?? parse(path.replaceAll('$index', String(index)), library);
    cache.set(key, known);
    return known;
  };
  parsed(0);
  return (value, index) => evalFhirPathTyped(parsed(index), [toTypedValue(value)]).map((typed) => typed.value);
}

type ParsedPath = ReturnType<typeof import('@medplum/core').parseFhirPath>;

function parse(path: string, library: typeof import('@medplum/core')): ParsedPath {
  let parsed: ParsedPath;
  try {
    parsed = library.parseFhirPath(path);
  } catch {
    throw new GraphQLError('The FHIRPath cannot be read');
  }
  const fault = notTaken(parsed.child, library);
  if (fault !== undefined) throw new GraphQLError(`The FHIRPath uses ${fault} that is not taken here`);
  return parsed;
}
