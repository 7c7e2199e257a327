/** Concepts of a code system, wherever they are kept (https://hl7.org/fhir/R4/codesystem.html#concept). */
import type { CodeSystem, CodeSystemConcept, CodeSystemConceptProperty, Coding } from '@medplum/fhirtypes';

/** One more name of a concept. */
export interface Designation {
  language?: string;
  use?: Coding;
  value: string;
}

export type PropertyType = 'code' | 'Coding' | 'string' | 'integer' | 'boolean' | 'dateTime' | 'decimal';

/** A value of a property, as text; `system` and `display` are those of a Coding. */
export interface ConceptProperty {
  code: string;
  type: PropertyType;
  value: string;
  system?: string;
  display?: string;
}

export interface Concept {
  code: string;
  display?: string;
  definition?: string;
  designations: readonly Designation[];
  properties: readonly ConceptProperty[];
  /** Codes of the concepts directly above it. */
  parents: readonly string[];
  /** For grouping, not for use in records. */
  abstract: boolean;
  /** Inactive, retired or deprecated. */
  inactive: boolean;
}

/** What a system says of itself. */
export interface SystemInfo {
  url: string;
  version?: string;
  name: string;
  title?: string;
  language?: string;
  caseSensitive: boolean;
  /** False when codes exist that are not listed here (fragment, example). */
  complete: boolean;
  /** Canonical URL of the value set of all codes. */
  valueSet?: string;
  properties: readonly { code: string; type: PropertyType; description?: string }[];
}

/** Words for codes that may not be used any more, as R4, v2 and v3 write them in the property `status`. */
const inactiveStatus = new Set(['retired', 'inactive', 'deprecated', 'withdrawn', 'obsolete', 'discouraged']);

const says = (concept: { properties: readonly ConceptProperty[] }, codes: readonly string[]): boolean =>
  concept.properties.some(({ code, value }) => codes.includes(code) && value === 'true');

/** Adds what the properties mean: https://hl7.org/fhir/R4/codesystem-concept-properties.html. */
function markConcept(concept: Omit<Concept, 'abstract' | 'inactive'>): Concept {
  return {
    ...concept,
    abstract: says(concept, ['notSelectable', 'abstract', 'not-selectable']),
    inactive:
      says(concept, ['inactive']) ||
      concept.properties.some(({ code, value }) => code === 'status' && inactiveStatus.has(value.toLowerCase())),
  };
}

/** Concepts of a resource in the order they are written, nested ones after their parent. A code written twice counts once. */
export function conceptsOf(resource: Pick<CodeSystem, 'concept'>): Concept[] {
  const found = new Map<string, Concept & { parents: string[] }>();
  const extraChildren: [parent: string, child: string][] = [];
  const walk = (list: readonly CodeSystemConcept[] | undefined, parent: string | undefined) => {
    for (const written of list ?? []) {
      const known = found.get(written.code);
      const properties = (written.property ?? []).flatMap(propertyOf);
      const parents = [
        ...(parent === undefined ? [] : [parent]),
        ...properties.filter(({ code }) => code === 'parent' || code === 'subsumedBy').map(({ value }) => value),
      ];
      for (const { code, value } of properties) if (code === 'child') extraChildren.push([written.code, value]);
      if (known) known.parents.push(...parents.filter((code) => !known.parents.includes(code)));
      else {
        found.set(written.code, {
          ...markConcept({
            code: written.code,
            ...(written.display === undefined ? {} : { display: written.display }),
            ...(written.definition === undefined ? {} : { definition: written.definition }),
            designations: (written.designation ?? []).map(({ language, use, value }) => ({
              ...(language ? { language } : {}),
              ...(use ? { use } : {}),
              value,
            })),
            properties: properties.filter(({ code }) => !hierarchy.has(code)),
            parents,
          }),
          parents: [...new Set(parents)],
        });
      }
      walk(written.concept, written.code);
    }
  };
  walk(resource.concept, undefined);
  for (const [parent, child] of extraChildren) {
    const concept = found.get(child);
    if (concept && !concept.parents.includes(parent)) concept.parents.push(parent);
  }
  return [...found.values()];
}

/** Properties that say where a concept stands; they are asked for by these names and kept as parents. */
const hierarchy = new Set(['parent', 'child', 'subsumedBy']);

function propertyOf(property: CodeSystemConceptProperty): ConceptProperty[] {
  const { code } = property;
  const of = (type: PropertyType, value: unknown): ConceptProperty[] => [{ code, type, value: String(value) }];
  if (property.valueCode !== undefined) return of('code', property.valueCode);
  if (property.valueString !== undefined) return of('string', property.valueString);
  if (property.valueBoolean !== undefined) return of('boolean', property.valueBoolean);
  if (property.valueInteger !== undefined) return of('integer', property.valueInteger);
  if (property.valueDecimal !== undefined) return of('decimal', property.valueDecimal);
  if (property.valueDateTime !== undefined) return of('dateTime', property.valueDateTime);
  const { system, display, code: value } = property.valueCoding ?? {};
  if (value === undefined) return [];
  return [{ code, type: 'Coding', value, ...(system ? { system } : {}), ...(display ? { display } : {}) }];
}

export function systemInfo(resource: CodeSystem, concepts: readonly Concept[]): SystemInfo {
  const declared = new Map((resource.property ?? []).map((property) => [property.code, property]));
  const used = new Map<string, PropertyType>();
  for (const concept of concepts) for (const { code, type } of concept.properties) used.set(code, type);
  for (const [code, { type }] of declared) if (!used.has(code)) used.set(code, type as PropertyType);
  return {
    url: resource.url ?? '',
    ...(resource.version ? { version: resource.version } : {}),
    name: resource.name ?? resource.title ?? resource.url ?? '',
    ...(resource.title ? { title: resource.title } : {}),
    ...(resource.language ? { language: resource.language } : {}),
    caseSensitive: resource.caseSensitive ?? true,
    complete: resource.content === 'complete',
    ...(resource.valueSet ? { valueSet: resource.valueSet } : {}),
    properties: [...used]
      .filter(([code]) => !hierarchy.has(code))
      .map(([code, type]) => ({
        code,
        type,
        ...(declared.get(code)?.description ? { description: declared.get(code)!.description } : {}),
      })),
  };
}
