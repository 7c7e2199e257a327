/**
 * `_summary` and `_elements` outside searches (https://hl7.org/fhir/R4/http.html#summary), and the way back: what was reduced is marked
 * SUBSETTED and must not be stored as if it were whole (https://hl7.org/fhir/R4/search.html#summary).
 */
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import type { SearchDefinitions } from '../definitions/search-parameters.ts';
import { parseJson, stringifyJson } from '../json/index.ts';
import { subsetText, subsetted } from '../search/subset.ts';
import type { StoredVersion } from '../store/contract.ts';
import type { Call } from './call.ts';

/** Reduces the text of a version; leaves it as it is when nothing was asked. */
export type Subset = (version: StoredVersion) => StoredVersion;

const summaries = ['true', 'false', 'text', 'data'] as const;
type Summary = (typeof summaries)[number];

/** Names of the parameters read here. */
export const subsetParameters: ReadonlySet<string> = new Set(['_summary', '_elements']);

/** What `_summary` and `_elements` of a query ask for. @throws FhirError 400 for a value that is none of theirs. */
export function subsetOf(parameters: URLSearchParams, definitions: SearchDefinitions): Subset {
  const summary = parameters.get('_summary') ?? 'false';
  if (!isSummary(summary))
    throw new FhirError(400, 'value', `_summary is one of ${summaries.join(', ')} here`, 'http._summary');
  const elements = parameters
    .getAll('_elements')
    .flatMap((list) => list.split(','))
    .filter((name) => name !== '');
  if (elements.some((name) => !/^[A-Za-z][A-Za-z0-9]*$/.test(name)))
    throw new FhirError(400, 'value', '_elements is a list of names of elements', 'http._elements');
  if (summary === 'false' && elements.length === 0) return (version) => version;
  return (version) => subsetText(definitions, version, summary === 'false' ? undefined : summary, elements);
}

/** Resources that were not read as stored versions: entries of a Bundle an operation made. */
export function subsetResource(resource: Resource, subset: Subset): Resource {
  const version: StoredVersion = {
    type: resource.resourceType as ResourceType,
    id: resource.id ?? '',
    version: 1,
    updated: new Date(0),
    deleted: false,
    text: stringifyJson(resource),
  };
  const reduced = subset(version);
  return reduced === version ? resource : (parseJson(reduced.text) as Resource);
}

/** The parameters of a read. @throws FhirError 400 for any other, unless handling is lenient. */
export function readParameters({ query, prefer }: Call): URLSearchParams {
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (!subsetParameters.has(name) && prefer.handling !== 'lenient')
      throw new FhirError(
        400,
        'not-supported',
        'a read takes _summary, _elements, _format and _pretty',
        `http.${name.slice(0, 100)}`,
      );
  }
  return parameters;
}

/** @throws FhirError 422 for a resource that says itself that parts of it are missing. */
export function refuseSubsetted(resource: Resource): void {
  const tags: unknown = resource.meta?.tag;
  if (!Array.isArray(tags)) return;
  for (const [index, tag] of tags.entries()) {
    if (tag?.code === subsetted.code && tag.system === subsetted.system)
      throw new FhirError(
        422,
        'business-rule',
        'a resource marked SUBSETTED lacks elements: read it whole before changing it',
        `${resource.resourceType}.meta.tag[${index}]`,
      );
  }
}

function isSummary(text: string): text is Summary {
  return (summaries as readonly string[]).includes(text);
}
