/** What a search parameter selects from a resource, by the FHIRPath of `@medplum/core`: no part of the server is asked. */
import { evalFhirPathTyped, parseFhirPath, toTypedValue } from '@medplum/core';
import type { Resource } from '@medplum/fhirtypes';

/** Values an expression selects; remembered for each resource. */
export function createSelector() {
  const known = new WeakMap<object, Map<string, unknown[]>>();
  const parsed = new Map<string, ReturnType<typeof parseFhirPath>>();

  function evaluate(expression: string, element: object): unknown[] {
    let atom = parsed.get(expression);
    if (!atom) {
      atom = parseFhirPath(expression);
      parsed.set(expression, atom);
    }
    const typed = toTypedValue(element);
    return evalFhirPathTyped(atom, [typed], { '%resource': typed }).map(({ value }) => value as unknown);
  }

  return function select(expression: string, resource: Resource): unknown[] {
    let byExpression = known.get(resource);
    if (!byExpression) {
      byExpression = new Map();
      known.set(resource, byExpression);
    }
    let values = byExpression.get(expression);
    if (!values) {
      // Operand by operand: the union of core takes very small numbers for the same.
      values = operands(expression).flatMap((operand) => selectOperand(operand, resource, evaluate));
      byExpression.set(expression, values);
    }
    return values;
  };
}

export type Select = ReturnType<typeof createSelector>;

function selectOperand(
  operand: string,
  resource: Resource,
  evaluate: (expression: string, element: object) => unknown[],
): unknown[] {
  // Core knows no base types in paths, and resolves nothing: the type of a target is in its reference.
  const path = operand.replace(/^(\(?)(Resource|DomainResource)\b/, `$1${resource.resourceType}`);
  const resolved = /^(.*)\.where\(resolve\(\) is ([A-Za-z]+)\)$/.exec(path);
  if (!resolved) return evaluate(path, resource);
  const [, references, type] = resolved;
  const { contained = [] } = resource as { contained?: Resource[] };
  return evaluate(references!, resource).filter((value) => {
    const { reference = '' } = value as { reference?: string };
    const inside = contained.find(({ id }) => reference === `#${id}`);
    return inside?.resourceType === type || new RegExp(`(^|/)${type}/[^/]+(/_history/[^/]+)?$`).test(reference);
  });
}

function operands(expression: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < expression.length; at++) {
    if (expression[at] === '(') depth++;
    if (expression[at] === ')') depth--;
    if (expression[at] === '|' && depth === 0) {
      parts.push(expression.slice(start, at).trim());
      start = at + 1;
    }
  }
  return [...parts, expression.slice(start).trim()];
}
