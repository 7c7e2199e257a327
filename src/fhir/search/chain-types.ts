/** Where a link of a chain may lead. */
import type { Parameter, ParameterRegistry } from './parameters.ts';
import { invalid } from './refusals.ts';

/** Types of the targets, or the one asked for. @throws FhirError 400 when the parameter is no reference, or there is no such type. */
export function chainTypes(registry: ParameterRegistry, parameter: Parameter, type?: string): readonly string[] {
  if (parameter.type !== 'reference') throw invalid(`${parameter.code} is not a reference: it cannot be chained`);
  if (type === undefined) return parameter.target.filter((target) => registry.types.has(target));
  if (!registry.types.has(type)) throw invalid(`${parameter.code}:${type.slice(0, 60)} names no resource type`);
  return [type];
}
