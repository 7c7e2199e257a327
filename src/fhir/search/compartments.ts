/** Searches in a compartment: `Patient/1/Observation`, `Patient/1/*` (https://hl7.org/fhir/R4/search.html#compartment). */

import { compartments } from '../definitions/compartments.ts';
import type { SearchOptions } from '../store/contract.ts';
import type { ParameterRegistry } from './parameters.ts';
import { invalid, notSupported } from './refusals.ts';
import type { Criterion } from './request.ts';

/** Types that may be in a compartment, its own included. @throws FhirError 400 for what R4 has no compartment of. */
export function compartmentTypes(owner: string): string[] {
  return [...new Set([owner, ...Object.keys(definitionOf(owner))])].sort();
}

/**
 * Whether it can be told which resources of a type are in a compartment: not by whoever does not see the elements that say so.
 * @throws FhirError 400 for what R4 has no compartment of.
 */
export function isToldIn(registry: ParameterRegistry, type: string, owner: string): boolean {
  return type === owner || (definitionOf(owner)[type] ?? []).some((code) => registry.of(type).has(code));
}

/** @throws FhirError 400 when resources of the type are never in this compartment, or the caller does not see what says so. */
export function compartmentCriterion(
  registry: ParameterRegistry,
  type: string,
  { type: owner, id }: NonNullable<SearchOptions['compartment']>,
): Criterion {
  const codes = definitionOf(owner)[type];
  const isOwner = type === owner;
  if (!codes && !isOwner) throw notSupported(`${type} is not in the compartment of a ${owner}`);
  if (!/^[A-Za-z0-9.-]{1,64}$/.test(id)) throw invalid('The id of the compartment is no id');
  if (!isToldIn(registry, type, owner))
    throw notSupported(`What puts a ${type} in a compartment of ${owner} is not seen`);
  const parameters = (codes ?? []).flatMap((code) => registry.of(type).get(code) ?? []);
  return { kind: 'compartment', owner: `${owner}/${id}`, parameters, isOwner };
}

function definitionOf(owner: string) {
  const definition = compartments[owner];
  if (!definition) throw notSupported(`There is no compartment of ${owner.slice(0, 64)}`);
  return definition;
}
