/** What a value `a$b` of a composite parameter asks (https://hl7.org/fhir/R4/search.html#composite); composites.ts says of which rows. */

import { dateTest, numberTest } from './comparisons.ts';
import { headForm, headText } from './composite-facts.ts';
import { type FacetPart, headTypes } from './composites.ts';
import { splitParts, unescapeValue } from './escapes.ts';
import { keyKind, keyText } from './keys.ts';
import type { Parameter } from './parameters.ts';
import { invalid } from './refusals.ts';
import { foldString } from './strings.ts';
import { localReference } from './token-facts.ts';
import { quantityTest, type TestScope, tokenKey } from './value-syntax.ts';
import { anyOf, oneKey, type RangeTest, type ValueTest } from './value-test.ts';

/** @throws FhirError 400 when the value does not have the parts of the parameter. */
export function compositeTest(parameter: Parameter, value: string, scope: TestScope): ValueTest {
  const facets = parameter.facets ?? [];
  const parts = facets[0]?.parts ?? [];
  const texts = splitParts(value);
  if (texts.length !== parts.length || texts.includes('')) {
    throw invalid(`${parameter.code} takes ${parts.map(({ type }) => type).join('$')}`);
  }
  const pairs = parts.map((part, n) => ({ part, text: texts[n]! }));
  const ordered = pairs.filter(({ part }) => !headTypes.includes(part.type));
  const forms = pairs.flatMap(({ part, text }) =>
    headTypes.includes(part.type) ? [form(parameter, part, text, { besideOrder: ordered.length > 0, ...scope })] : [],
  );
  if (ordered.length === 0)
    return oneKey(facets.map(({ name }) => keyText(scope.tenant, name, keyKind.pair, ...forms)));
  const test = orderedTest(parameter, headText(forms), ordered, scope);
  return anyOf(facets.map(({ key }) => ({ ...test, param: key })));
}

type RowTest = Extract<ValueTest, { kind: 'number' | 'head-string' }>;

function orderedTest(
  parameter: Parameter,
  head: string,
  [first, second]: { part: FacetPart; text: string }[],
  { nowMs }: TestScope,
): RowTest {
  const { code, shared, key: param } = parameter;
  const text = first!.text;
  switch (first!.part.type) {
    case 'string': {
      const folded = foldString(unescapeValue(text));
      if (folded === '') throw invalid(`${code} has nothing to search for`);
      return { kind: 'head-string', param, head, starts: folded };
    }
    case 'date':
      return { kind: 'number', param, unit: head, range: dateTest(code, unescapeValue(text), nowMs) };
    case 'quantity': {
      const { range, unit } = quantityTest({ code, type: 'quantity', shared }, text);
      return { kind: 'number', param, unit: unit === undefined ? head : `${head}\u0001${unit}`, range };
    }
    default: {
      const range = numberTest(code, unescapeValue(text));
      // The row has one number in each of its ends.
      const both = second && [onEnd(range, 'lo'), onEnd(numberTest(code, unescapeValue(second.text)), 'hi')];
      return { kind: 'number', param, unit: head, range: both ? { all: both } : range };
    }
  }
}

function onEnd(test: RangeTest, end: 'lo' | 'hi'): RangeTest {
  if ('all' in test) return { all: test.all.map((part) => onEnd(part, end)) };
  if ('any' in test) return { any: test.any.map((part) => onEnd(part, end)) };
  return 'not' in test ? { not: onEnd(test.not, end) } : { ...test, end };
}

function form(
  parameter: Parameter,
  { type }: FacetPart,
  text: string,
  { besideOrder, tenant }: { besideOrder: boolean; tenant: string },
): string {
  if (type === 'token') {
    const [kind, ...parts] = tokenKey(parameter, text);
    if (kind === keyKind.system && besideOrder)
      throw invalid(`${parameter.code}: a system alone is not searched beside a value`);
    return headForm(kind, ...parts);
  }
  const address = unescapeValue(text);
  if (type === 'uri') return headForm(keyKind.value, address);
  const reference = localReference(address, parameter.shared.base, tenant);
  if (!reference.includes('/') && !reference.includes(':'))
    throw invalid(`${parameter.code} needs a reference of the form Type/id`);
  return headForm(keyKind.value, reference);
}
