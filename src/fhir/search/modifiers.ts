/** Which modifier each type of parameter takes (https://hl7.org/fhir/R4/search.html#modifiers). */
import type { SearchParameterType } from '../definitions/search-parameters.ts';
import type { Parameter } from './parameters.ts';
import { invalid } from './refusals.ts';

/** Beside `:missing`, which all take, and the types of resources, which references take. */
const modifiers: Readonly<Record<SearchParameterType, readonly string[]>> = {
  string: ['exact', 'contains', 'text'],
  token: ['text', 'not', 'in', 'not-in', 'above', 'below', 'of-type'],
  reference: ['identifier'],
  uri: ['above', 'below'],
  date: [],
  number: [],
  quantity: [],
  composite: [],
  special: [],
};

/** @throws FhirError 400 naming the modifier and those that the parameter takes. */
export function checkModifier(parameter: Parameter, modifier: string | undefined, types: ReadonlySet<string>): void {
  if (modifier === undefined) return;
  const allowed = modifiersOf(parameter);
  if (allowed.includes(modifier) || (parameter.type === 'reference' && types.has(modifier))) return;
  const list = [...allowed.map((name) => `:${name}`), ...(parameter.type === 'reference' ? [':[type]'] : [])];
  throw invalid(
    `Modifier :${modifier.slice(0, 40)} is not allowed on the ${parameter.type} parameter ${parameter.code}: ${
      list.length > 0 ? `it takes ${list.join(', ')}` : 'it takes none'
    }`,
  );
}

/** Modifiers a parameter takes, types of resources left out. */
function modifiersOf({ code, type }: Parameter): readonly string[] {
  // Words of the text cannot be missing in any useful sense, and an id has no words, system or type.
  if (code === '_text' || code === '_content') return [];
  if (code === '_id') return ['missing', 'not'];
  // Sounds are compared, not letters.
  if (code === 'phonetic') return ['missing'];
  return ['missing', ...modifiers[type]];
}
