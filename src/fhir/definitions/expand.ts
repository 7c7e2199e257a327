/** Value sets as lists of codes, where their content is at hand and needs no terminology server (https://hl7.org/fhir/R4/valueset.html#compose). */
import type { CodeSystem, CodeSystemConcept, Resource, ValueSet } from '@medplum/fhirtypes';
import type { ValueSetCodes } from './structure-file.ts';

const maxImports = 10;

/** @returns undefined when a part of it is not at hand, or is told by a rule (filters, exclusions). */
export function expandValueSet(
  resource: Resource | undefined,
  find: (url: string) => Resource | undefined,
  depth = 0,
): ValueSetCodes | undefined {
  const valueSet = resource as ValueSet | undefined;
  if (valueSet?.resourceType !== 'ValueSet' || valueSet.compose?.exclude || depth > maxImports) return undefined;
  const codes: ValueSetCodes = {};
  for (const { filter, valueSet: others, system, concept } of valueSet.compose?.include ?? []) {
    if (filter) return undefined;
    for (const other of others ?? []) {
      const nested = system ? undefined : expandValueSet(find(other.split('|')[0]!), find, depth + 1);
      if (!nested) return undefined;
      for (const [name, list] of Object.entries(nested)) add(codes, name, list);
    }
    if (!system) continue;
    const listed = concept?.map(({ code }) => code) ?? codesOf(find(system) as CodeSystem | undefined);
    if (!listed) return undefined;
    add(codes, system, listed.join(' '));
  }
  return Object.keys(codes).length > 0 ? codes : undefined;
}

function add(codes: ValueSetCodes, system: string, list: string): void {
  codes[system] = [codes[system], list].filter(Boolean).join(' ');
}

function codesOf(system: CodeSystem | undefined): string[] | undefined {
  if (system?.resourceType !== 'CodeSystem' || system.content !== 'complete' || !system.concept?.length)
    return undefined;
  return allCodes(system.concept);
}

function allCodes(concepts: readonly CodeSystemConcept[]): string[] {
  return concepts.flatMap((concept) => [...(concept.code ? [concept.code] : []), ...allCodes(concept.concept ?? [])]);
}
