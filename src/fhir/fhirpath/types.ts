/** `is`, `as` and `ofType` (http://hl7.org/fhirpath/N1/#types): answered from the definitions and from JSON's own names. */
import type { Shapes } from '../definitions/shapes.ts';
import { type Compiled, fromItems, fromTruth } from './compiled.ts';
import { resourcesOfType } from './members.ts';
import { FhirPathError } from './tokens.ts';

const systemTypes: Readonly<Record<string, string>> = {
  Boolean: 'boolean',
  String: 'string',
  Integer: 'integer',
  Decimal: 'decimal',
  Date: 'date',
  DateTime: 'dateTime',
  Time: 'time',
};

/** `FHIR.Patient` → `Patient`, `System.Boolean` → `boolean`. */
function fhirType(name: string, shapes: Shapes): string {
  const last = name.slice(name.lastIndexOf('.') + 1);
  const type = systemTypes[last] ?? last;
  if (!shapes.of(type)) throw new FhirPathError(`${name} is no type`);
  return type;
}

export function compileTypeOperator(input: Compiled, operator: 'is' | 'as', name: string, shapes: Shapes): Compiled {
  const type = fhirType(name, shapes);
  const kept = restrict(input, type, shapes);
  if (operator === 'as') return kept;
  return fromTruth((focus, scope) => (input.exists(focus, scope) ? kept.exists(focus, scope) : undefined));
}

export function compileOfType(input: Compiled, name: string, shapes: Shapes): Compiled {
  return restrict(input, fhirType(name, shapes), shapes);
}

function restrict(input: Compiled, type: string, shapes: Shapes): Compiled {
  if (shapes.isResource(type)) return resourcesOfType(input, type, shapes);
  const known = input.types;
  if (known?.every((each) => shapes.lineage(each).includes(type) || each === type)) return input;
  if (known && !known.some((each) => shapes.lineage(each).includes(type))) return fromItems(() => [], [type]);
  const restricted = input.ofType?.(type);
  if (!restricted) throw new FhirPathError(`a test for ${type} is compiled after the name of an element only`);
  return restricted;
}
