/**
 * The R4 StructureDefinitions reduced to what validation needs, as kept in structure.generated.json
 * (https://hl7.org/fhir/R4/structuredefinition.html, https://hl7.org/fhir/R4/terminologies.html#required).
 */
import { readFileSync } from 'node:fs';

/** One type: a resource, a data type, or a part of one (named by its path, e.g. `Patient.contact`). */
export interface StructureType {
  kind: 'resource' | 'complex' | 'primitive';
  /** Types whose elements are present too, e.g. `DomainResource`. */
  base?: string;
  /** Never present as such in an instance. */
  abstract?: true;
  /** Own elements by name (`value[x]` for a choice); see `parseElement` for the notation. */
  elements: Record<string, string>;
}

/** Codes of a value set by code system, separated by one space. */
export type ValueSetCodes = Record<string, string>;

/** A FHIRPath constraint of the definitions (https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.constraint). */
export interface Invariant {
  key: string;
  severity: 'error' | 'warning';
  expression: string;
  /** Types (`Patient`, `Patient.contact`) and elements (`Organization.telecom`) whose instances it is about. */
  at: string[];
}

export interface StructureFile {
  fhirVersion: string;
  types: Record<string, StructureType>;
  /** By last segment of the canonical url, e.g. `administrative-gender`. Only those of required bindings. */
  valueSets: Record<string, ValueSetCodes>;
  invariants: Invariant[];
}

/** What one element may hold. */
export interface ElementRule {
  min: number;
  /** More than one: a JSON array. */
  repeats: boolean;
  types: { code: string; targets?: string[] }[];
  /** Value set of a required binding. */
  valueSet?: string;
}

/**
 * Reads the notation `min..max types @valueSet`, where `types` are separated by `|` and the allowed targets of a reference
 * follow it in parentheses: `0..* Reference(Patient,Group)`, `1..1 code @observation-status`.
 */
export function parseElement(notation: string): ElementRule {
  const match = /^(\d+)\.\.(\d+|\*) (\S+)(?: @(\S+))?$/.exec(notation);
  if (!match) throw new Error(`not an element rule: ${notation}`);
  const [, min, max, types, valueSet] = match;
  return {
    min: Number(min),
    repeats: max !== '1',
    types: types!.split('|').map((type) => {
      const [code, targets] = type.split('(');
      return targets ? { code: code!, targets: targets.slice(0, -1).split(',') } : { code: code! };
    }),
    ...(valueSet ? { valueSet } : {}),
  };
}

/** JSON property of a choice with a type: `value`, `Quantity` → `valueQuantity` (https://hl7.org/fhir/R4/formats.html#choice). */
export function choiceProperty(name: string, type: string): string {
  const suffix = type === 'SimpleQuantity' || type === 'MoneyQuantity' ? 'Quantity' : type;
  return name + suffix[0]!.toUpperCase() + suffix.slice(1);
}

/** Reads the committed file: about 4 ms. Regenerate it with `node scripts/generate-structure.ts`. */
export function loadStructure(): StructureFile {
  return JSON.parse(readFileSync(new URL('./structure.generated.json', import.meta.url), 'utf8')) as StructureFile;
}

/** Names of all R4 resource types, sorted. */
export function resourceTypesOf(structure: StructureFile): string[] {
  return Object.entries(structure.types)
    .filter(([, type]) => type.kind === 'resource' && !type.abstract)
    .map(([name]) => name)
    .sort();
}
