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

/** @throws FhirError 400 when resources of the type are never in this compartment. */
export function compartmentCriterion(
  registry: ParameterRegistry,
  type: string,
  { type: owner, id }: NonNullable<SearchOptions['compartment']>,
): Criterion {
  const codes = definitionOf(owner)[type];
  const isOwner = type === owner;
  if (!codes && !isOwner) throw notSupported(`${type} is not in the compartment of a ${owner}`);
  if (!/^[A-Za-z0-9.-]{1,64}$/.test(id)) throw invalid('The id of the compartment is no id');
  const parameters = (codes ?? []).flatMap((code) => registry.of(type).get(code) ?? []);
  return { kind: 'compartment', owner: `${owner}/${id}`, parameters, isOwner };
}

function definitionOf(owner: string) {
  const definition = compartments[owner];
  if (!definition) throw notSupported(`There is no compartment of ${owner.slice(0, 64)}`);
  return definition;
}
