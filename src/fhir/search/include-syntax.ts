/** Reads `_include` and `_revinclude` (https://hl7.org/fhir/R4/search.html#include). */
import type { ParameterRegistry } from './parameters.ts';
import { invalid } from './refusals.ts';
import type { Include } from './request.ts';

/** @throws FhirError 400 for what is neither `*`, `Type:*`, `Type:parameter` nor `Type:parameter:Target`. */
export function readInclude(
  registry: ParameterRegistry,
  types: readonly string[],
  reverse: boolean,
  modifier: string | undefined,
  value: string,
): Include {
  const name = reverse ? '_revinclude' : '_include';
  // `recurse` was the word before R4.
  const iterate = modifier === 'iterate' || modifier === 'recurse';
  if (modifier !== undefined && !iterate)
    throw invalid(`Modifier :${modifier.slice(0, 40)} is not supported on ${name}`);
  if (value === '*') {
    // Of the matches only, unless it iterates or goes backwards: then of whatever it meets.
    const [only, ...others] = types;
    return { reverse, iterate, ...(reverse || iterate || others.length > 0 || !only ? {} : { sourceType: only }) };
  }
  const [sourceType, code, targetType, ...more] = value.split(':');
  if (!sourceType || !code || more.length > 0 || !registry.types.has(sourceType)) {
    throw invalid(`${name}=${value.slice(0, 100)} is not *, Type:*, Type:parameter or Type:parameter:Target`);
  }
  if (targetType && !registry.types.has(targetType)) {
    throw invalid(`${name}: ${targetType.slice(0, 60)} is no resource type`);
  }
  const target = targetType ? { targetType } : {};
  if (code === '*') return { sourceType, reverse, iterate, ...target };
  const parameter = registry.of(sourceType).get(code);
  if (parameter?.type !== 'reference') {
    throw invalid(`${name}: ${code.slice(0, 60)} is no reference parameter of ${sourceType}`);
  }
  return { sourceType, parameter, reverse, iterate, ...target };
}
