/** What one clause of a search asks of a resource (https://hl7.org/fhir/R4/search.html#ptypes). */
import type { Coding } from '../terminology/contract.ts';
import { dateTest, instantTest } from './comparisons.ts';
import { compositeTest } from './composite-tests.ts';
import { elementPaths } from './content-path.ts';
import { splitBars, unescapeValue } from './escapes.ts';
import { type KeyKind, keyKind, keyText } from './keys.ts';
import { checkModifier } from './modifiers.ts';
import { parseNear } from './near.ts';
import type { Parameter } from './parameters.ts';
import { phoneticKeys } from './phonetic.ts';
import { invalid, notSupported, tooCostly } from './refusals.ts';
import type { Clause } from './request.ts';
import { foldString } from './strings.ts';
import { addressesAbove, localReference } from './token-facts.ts';
import { quantityTest, storedCoding, storedTokens, type TestScope } from './value-syntax.ts';
import { anyOf, not, oneKey, type ValueTest } from './value-test.ts';

export type { TestScope } from './value-syntax.ts';

/** A clause with the codes that `:in`, `:not-in`, `:above` and `:below` of a token stand for (terminology-clauses.ts). */
export type ResolvedClause = Clause & { codings?: readonly Coding[] };

/** @throws FhirError 400 for values and modifiers that the parameter does not take. */
export function clauseTest(clause: ResolvedClause, scope: TestScope): ValueTest {
  const { parameter, modifier, values } = clause;
  checkModifier(parameter, modifier, scope.types);
  if (modifier === 'missing') return missingTest(clause, scope);
  if (parameter.code === '_id') return idTest(clause);
  switch (parameter.type) {
    case 'token':
      return tokenTest(clause, scope);
    case 'reference':
      return referenceTest(clause, scope);
    case 'uri':
      return oneKey(values.flatMap((value) => uriKeys(parameter, modifier, unescapeValue(value), scope)));
    case 'string':
      return stringTest(clause, scope);
    case 'date':
      return anyOf(values.map((value) => dateValueTest(parameter, unescapeValue(value), scope)));
    case 'number':
    case 'quantity':
      return anyOf(
        values.map((value) => ({ kind: 'number', param: parameter.key, ...quantityTest(parameter, value) })),
      );
    case 'composite':
      return anyOf(values.map((value) => compositeTest(parameter, value, scope)));
    case 'special':
      return specialTest(parameter, values);
  }
}

function keyOf({ code }: Parameter, { tenant }: TestScope) {
  return (kind: KeyKind, ...parts: string[]) => keyText(tenant, code, kind, ...parts);
}

function missingTest({ parameter, values }: Clause, scope: TestScope): ValueTest {
  const [value] = values;
  if (values.length !== 1 || (value !== 'true' && value !== 'false')) {
    throw invalid(`${parameter.code}:missing is true or false`);
  }
  if (parameter.code === '_id' || parameter.code === '_lastUpdated')
    return { kind: 'constant', value: value === 'false' };
  const present = oneKey([keyOf(parameter, scope)(keyKind.present)]);
  return value === 'true' ? not(present) : present;
}

function idTest({ modifier, values }: Clause): ValueTest {
  // As a token `|id` is one without a system, and an id has none.
  const test: ValueTest = { kind: 'id', ids: values.map((value) => unescapeValue(value.replace(/^\|/, ''))) };
  return modifier === 'not' ? not(test) : test;
}

function tokenTest({ parameter, modifier, values, codings }: ResolvedClause, scope: TestScope): ValueTest {
  const key = keyOf(parameter, scope);
  switch (modifier) {
    case undefined:
      return oneKey(values.flatMap((value) => storedTokens(parameter, value).map((parts) => key(...parts))));
    case 'not':
      return not(oneKey(values.flatMap((value) => storedTokens(parameter, value).map((parts) => key(...parts)))));
    case 'of-type':
      return oneKey(values.map((value) => key(keyKind.ofType, ...identifierOfType(parameter, value))));
    case 'text':
      return tokenTextTest(parameter, values);
    default: {
      if (!codings) throw notSupported(`Modifier :${modifier} needs a terminology, which this search has none of`);
      const test = oneKey(
        codings.flatMap(({ system, code }) => storedCoding(parameter, system, code).map((parts) => key(...parts))),
      );
      return modifier === 'not-in' ? not(test) : test;
    }
  }
}

function identifierOfType({ code: name }: Parameter, value: string): string[] {
  const parts = splitBars(value);
  if (parts.length !== 3 || parts.includes('')) throw invalid(`${name}:of-type takes system|code|value`);
  return parts;
}

function tokenTextTest(parameter: Parameter, values: readonly string[]): ValueTest {
  const paths = elementPaths(parameter.expression);
  if (!paths)
    throw notSupported(`Modifier :text is not supported on ${parameter.code}: it is computed, and has no text`);
  return anyOf(
    values.map((value) => ({
      kind: 'words',
      place: { kind: 'codes', paths, select: parameter.select },
      patterns: parameter.shared.words.of(`${parameter.code}:text`, unescapeValue(value)),
    })),
  );
}

/** A bare id may be of each of 145 types: 60 kB of such ids would be millions of keys. */
const mostKeys = 50_000;

function referenceTest({ parameter, modifier, values }: Clause, scope: TestScope): ValueTest {
  const key = keyOf(parameter, scope);
  if (modifier === 'identifier') {
    return oneKey(
      values.map((value) => {
        const parts = splitBars(value);
        if (parts.length > 2 || parts.at(-1) === '') {
          throw invalid(`${parameter.code}:identifier takes value or system|value`);
        }
        return key(keyKind.identifier, ...parts);
      }),
    );
  }
  let bare = 0;
  const keys = values.flatMap((value) => {
    const asked = unescapeValue(value);
    const reference = localReference(asked, parameter.shared.base, scope.tenant);
    // The url of a definition stays what it is, also when it begins with our own address.
    if (parameter.form !== 'literal' && modifier === undefined && reference !== asked)
      return [key(keyKind.value, reference), key(keyKind.value, asked)];
    if (modifier !== undefined) {
      const id = reference.startsWith(`${modifier}/`) ? reference.slice(modifier.length + 1) : reference;
      return [key(keyKind.value, `${modifier}/${id}`)];
    }
    if (reference.includes('/') || reference.includes(':')) return [key(keyKind.value, reference)];
    // A bare id may be of any type the parameter points to; a canonical is any text.
    bare += 1;
    if (bare * parameter.target.length > mostKeys)
      throw tooCostly(
        `${parameter.code} has too many ids: name the type of each, as in Patient/1, or ask for fewer at once`,
      );
    return [reference, ...parameter.target.map((type) => `${type}/${reference}`)].map((text) =>
      key(keyKind.value, text),
    );
  });
  return oneKey(keys);
}

function uriKeys(parameter: Parameter, modifier: string | undefined, uri: string, scope: TestScope): string[] {
  const key = keyOf(parameter, scope);
  const either = (address: string) => [key(keyKind.value, address), key(keyKind.value, `${address}/`)];
  if (modifier === undefined) return [key(keyKind.value, uri)];
  if (!uri.includes('://')) throw invalid(`${parameter.code}:${modifier} takes an address with levels, not an urn`);
  const address = uri.replace(/(?<!\/)\/+$/, '');
  if (modifier === 'below') return [...either(address), key(keyKind.below, address)];
  return [key(keyKind.value, uri), ...either(address), ...addressesAbove(address).flatMap(either)];
}

function stringTest({ parameter, modifier, values }: Clause, scope: TestScope): ValueTest {
  const { code, key: param } = parameter;
  const texts = values.map(unescapeValue);
  if (modifier === 'exact') return oneKey(texts.map((text) => keyOf(parameter, scope)(keyKind.exact, text)));
  if (code === 'phonetic') return anyOf(texts.map((text) => soundTest(parameter, text, scope)));
  const folded = texts.map(foldString);
  if (folded.includes('')) throw invalid(`${code} has nothing to search for`);
  const tests = folded.map((text) => {
    if (modifier === 'contains') return { contains: text };
    return modifier === 'text' ? { words: text.split(' ') } : { starts: text };
  });
  return { kind: 'string', param, tests };
}

/** Every word of the value sounds like a word of the name. */
function soundTest(parameter: Parameter, text: string, scope: TestScope): ValueTest {
  const sounds = phoneticKeys(text);
  if (sounds.length === 0) throw invalid(`${parameter.code} has nothing to search for`);
  return { kind: 'all', of: sounds.map((sound) => oneKey([keyOf(parameter, scope)(keyKind.sound, sound)])) };
}

function dateValueTest({ code, key, dateColumn }: Parameter, value: string, { nowMs }: TestScope): ValueTest {
  if (code === '_lastUpdated') return { kind: 'updated', range: instantTest(code, value, nowMs) };
  const range = dateTest(code, value, nowMs);
  return dateColumn === undefined
    ? { kind: 'date', param: key, range }
    : { kind: 'date-column', column: dateColumn, range };
}

function specialTest(parameter: Parameter, values: readonly string[]): ValueTest {
  const { code, key, shared } = parameter;
  switch (code) {
    case 'near':
      return anyOf(values.map((value) => ({ kind: 'near', param: key, near: parseNear(code, value, shared.units) })));
    case '_text':
    case '_content':
      return anyOf(
        values.map((value) => ({
          kind: 'words',
          place: { kind: code === '_text' ? 'narrative' : 'content' },
          patterns: shared.words.of(code, unescapeValue(value)),
        })),
      );
    default:
      throw notSupported(`Search parameter ${code} is not supported`);
  }
}
