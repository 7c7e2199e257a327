/** Parameters that several interactions share (https://hl7.org/fhir/R4/http.html#parameters, https://hl7.org/fhir/R4/search.html#Summary). */
import type { Item } from './description.ts';

const text = { type: 'string' };

const inPath = (name: string, description: string): Item => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string', pattern: '^[A-Za-z0-9.-]{1,64}$' },
});
const inQuery = (name: string, description: string, schema: Item = text): Item => ({
  name,
  in: 'query',
  description,
  schema,
});
const inHeader = (name: string, description: string): Item => ({ name, in: 'header', description, schema: text });

export const sharedParameters: Readonly<Record<string, Item>> = {
  id: inPath('id', 'Logical id'),
  versionId: inPath('versionId', 'Version'),
  member: {
    name: 'member',
    in: 'path',
    required: true,
    description: 'Type of resource in the compartment',
    schema: text,
  },
  _format: inQuery('_format', 'json, xml, html or a media type; goes before Accept'),
  _pretty: inQuery('_pretty', 'true: indented', { type: 'boolean' }),
  _since: inQuery('_since', 'Only versions stored at or after this instant', { type: 'string', format: 'date-time' }),
  _count: inQuery('_count', 'Resources on a page', { type: 'integer', minimum: 0 }),
  _sort: inQuery('_sort', 'Search parameters separated by commas, - in front for descending'),
  _include: inQuery('_include', 'Type:parameter of the resources referred to that come along'),
  _revinclude: inQuery('_revinclude', 'Type:parameter of the resources that refer to what was found'),
  _summary: inQuery('_summary', 'Which part of each resource', {
    type: 'string',
    enum: ['true', 'text', 'data', 'count', 'false'],
  }),
  _elements: inQuery('_elements', 'Elements of each resource, separated by commas'),
  _total: inQuery('_total', 'Whether all matches are counted', {
    type: 'string',
    enum: ['none', 'estimate', 'accurate'],
  }),
  'If-Match': inHeader('If-Match', 'ETag of the version the change is about'),
  'If-None-Match': inHeader('If-None-Match', 'ETag of the version the caller has'),
  'If-Modified-Since': inHeader('If-Modified-Since', 'HTTP date'),
  'If-None-Exist': inHeader('If-None-Exist', 'Search criteria: create only when nothing matches'),
  Prefer: inHeader('Prefer', 'return=minimal, representation or OperationOutcome; handling=strict or lenient'),
};

const representation = ['_format', '_pretty'];
const results = ['_count', '_sort', '_include', '_revinclude', '_summary', '_elements', '_total'];

/** Names of shared parameters by code of the interaction. */
const byInteraction: Readonly<Record<string, readonly string[]>> = {
  read: ['If-None-Match', 'If-Modified-Since', '_summary', '_elements'],
  create: ['If-None-Exist', 'Prefer'],
  update: ['If-Match', 'If-None-Match', 'Prefer'],
  patch: ['If-Match', 'Prefer'],
  delete: ['If-Match'],
  'search-type': [...results, 'Prefer'],
  'search-system': [...results, 'Prefer'],
  'history-instance': ['_count', '_since'],
  'history-type': ['_count', '_since'],
  'history-system': ['_count', '_since'],
};

export function parametersOf(code: string): Item[] {
  return [...(byInteraction[code] ?? []), ...representation].map(reference);
}

/** @param path with `{id}` and the like. */
export function pathParameters(path: string): Item[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => reference(name!));
}

function reference(name: string): Item {
  return { $ref: `#/components/parameters/${name}` };
}
