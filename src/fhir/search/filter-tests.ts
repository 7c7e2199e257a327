/** What only `_filter` asks for, asked of one resource in memory: the same comparisons that filter-conditions.ts writes as SQL. */
import { elementInterval } from './dates.ts';
import type { Parameter } from './parameters.ts';
import type { Criterion, TextOperator } from './request.ts';
import { foldString, searchedStrings } from './strings.ts';

/** The date and the period of the value have a moment in common. */
export function overlaps(
  { parameter, loMs, hiMs }: Extract<Criterion, { kind: 'overlap' }>,
  resource: unknown,
): boolean {
  return parameter.select(resource).some((value) => {
    const interval = elementInterval(value);
    return interval !== undefined && interval.lo < hiMs && interval.hi > loMs;
  });
}

/** Some text of the parameter compares so with the value: strings folded, codes, references and addresses without case. */
export function textHolds(
  { parameter, operator, value }: Extract<Criterion, { kind: 'text' }>,
  resource: unknown,
): boolean {
  const isString = parameter.type === 'string';
  const wanted = isString ? foldString(value) : value.toLowerCase();
  return textsOf(parameter, resource)
    .map((text) => (isString ? foldString(text) : text.toLowerCase()))
    .some((text) => text !== '' && compares(text, operator, wanted));
}

function textsOf({ type, select }: Parameter, resource: unknown): string[] {
  const values = select(resource);
  return type === 'string' ? values.flatMap(searchedStrings) : values.flatMap(codesOf);
}

/** Texts of a code, an identifier, a reference or a uri. */
function codesOf(value: unknown): string[] {
  if (typeof value === 'string' || typeof value === 'boolean') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  const { coding, code, value: held, reference } = value as Record<string, unknown>;
  const codings = Array.isArray(coding) ? coding.flatMap(codesOf) : [];
  return [...codings, ...[code, held, reference].filter((text) => typeof text === 'string')];
}

function compares(text: string, operator: TextOperator, wanted: string): boolean {
  // The order of code points, as in the index.
  const order = Buffer.compare(Buffer.from(text), Buffer.from(wanted));
  switch (operator) {
    case 'eq':
      return order === 0;
    case 'ne':
      return order !== 0;
    case 'co':
      return text.includes(wanted);
    case 'sw':
      return text.startsWith(wanted);
    case 'ew':
      return text.endsWith(wanted);
    case 'gt':
      return order > 0;
    case 'lt':
      return order < 0;
    case 'ge':
      return order >= 0;
    case 'le':
      return order <= 0;
  }
}
