/** Definitions of search parameters: those of R4, boiled down at build time, and our own from `fhir-profiles/`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SearchParameter } from '@medplum/fhirtypes';
import { profilesFolder } from './profiles-folder.ts';

export type SearchParameterType =
  | 'number'
  | 'date'
  | 'string'
  | 'token'
  | 'reference'
  | 'quantity'
  | 'uri'
  | 'composite'
  | 'special';

/** One part of a composite parameter. */
export interface SearchComponent {
  type: SearchParameterType;
  /** FHIRPath on the element the composite's expression selects; `%resource` is the resource. */
  expression: string;
}

export interface SearchParameterDefinition {
  code: string;
  type: SearchParameterType;
  /** FHIRPath, the operands about this type only; empty for `_text` and `_content`, which have none. */
  expression: string;
  /** Canonical URL. */
  url: string;
  /** Types a reference may point to; empty when it is no reference. */
  target: readonly string[];
  /** Parts of a composite: their values are paired within one element. */
  components?: readonly SearchComponent[];
}

export interface SearchDefinitions {
  /** Every R4 resource type that can be stored. */
  types: readonly string[];
  /** Parameters of a type, those of every type included. */
  parameters(type: string): readonly SearchParameterDefinition[];
  choices: Readonly<Record<string, readonly string[]>>;
  /** Top-level elements in a type's summary. */
  summary(type: string): readonly string[];
  /** Top-level elements a type must have. */
  mandatory(type: string): readonly string[];
}

interface GeneratedFile {
  types: string[];
  parameters: Record<
    string,
    Record<
      string,
      { type: SearchParameterType; expression: string; id?: string; target?: string[]; components?: SearchComponent[] }
    >
  >;
  choices: Record<string, string[]>;
  summary: Record<string, string[]>;
  mandatory: Record<string, string[]>;
}

const generatedFile = new URL('./search-parameters.generated.json', import.meta.url);
const searchTypes: readonly string[] = [
  'number',
  'date',
  'string',
  'token',
  'reference',
  'quantity',
  'uri',
  'composite',
];

/** Reads the definitions; about 5 ms. `folder` holds our own, as SearchParameter resources in JSON, subfolders included. */
export function loadSearchDefinitions(folder = profilesFolder): SearchDefinitions {
  const file: GeneratedFile = JSON.parse(readFileSync(generatedFile, 'utf8'));
  const own = readOwnParameters(folder);
  const describe = (type: string): SearchParameterDefinition[] =>
    Object.entries(file.parameters[type] ?? {}).map(([code, { type: kind, expression, id, target, components }]) => ({
      code,
      type: kind,
      expression,
      url: canonicalUrl(id ?? `${type}-${code}`),
      target: target ?? [],
      ...(components ? { components } : {}),
    }));
  // Types of the parameters that composites of ours are made of.
  const typeByUrl = () =>
    new Map([
      ...Object.keys(file.parameters).flatMap((type) =>
        describe(type).map(({ url, type: kind }) => [url, kind] as const),
      ),
      ...own.map(({ url, type: kind }) => [url, kind as SearchParameterType] as const),
    ]);
  return {
    types: file.types,
    choices: file.choices,
    parameters: (type) => {
      const byCode = new Map<string, SearchParameterDefinition>();
      for (const parameter of [...describe('Resource'), ...describe(type), ...ownParameters(own, type, typeByUrl)]) {
        byCode.set(parameter.code, parameter);
      }
      return [...byCode.values()];
    },
    summary: (type) => file.summary[type] ?? [],
    mandatory: (type) => file.mandatory[type] ?? [],
  };
}

function canonicalUrl(id: string): string {
  return id.includes(':') ? id : `http://hl7.org/fhir/SearchParameter/${id}`;
}

function readOwnParameters(folder: string): SearchParameter[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
    .filter((resource): resource is SearchParameter => resource?.resourceType === 'SearchParameter');
}

function ownParameters(
  own: readonly SearchParameter[],
  type: string,
  typeByUrl: () => ReadonlyMap<string, SearchParameterType>,
): SearchParameterDefinition[] {
  return own
    .filter((parameter) => parameter.status !== 'retired' && parameter.base.some((base) => base === type))
    .map((parameter) => {
      if (!parameter.expression || !searchTypes.includes(parameter.type)) {
        throw new Error(`SearchParameter ${parameter.url}: type ${parameter.type} with an expression is needed`);
      }
      return {
        code: parameter.code,
        type: parameter.type as SearchParameterType,
        expression: parameter.expression,
        url: parameter.url,
        target: parameter.target ?? [],
        ...(parameter.type === 'composite' ? { components: ownComponents(parameter, typeByUrl()) } : {}),
      };
    });
}

function ownComponents(
  parameter: SearchParameter,
  typeByUrl: ReadonlyMap<string, SearchParameterType>,
): SearchComponent[] {
  return (parameter.component ?? []).map(({ definition, expression }) => {
    const type = typeByUrl.get(definition);
    if (!type) throw new Error(`SearchParameter ${parameter.url}: component ${definition} is not known`);
    return { type, expression };
  });
}
