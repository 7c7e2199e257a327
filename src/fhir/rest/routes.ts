/**
 * The addresses of the RESTful API (https://hl7.org/fhir/R4/http.html#summary), in one list: HTTP routes, entries of Bundles and
 * the CapabilityStatement are made from it.
 */
import type { ResourceType } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import { isId, isResourceType } from '../validation/index.ts';
import { batch } from './batch.ts';
import type { Address, Interaction, Route } from './call.ts';
import { compartmentTypes } from './compartments.ts';
import { create } from './create.ts';
import { conditionalDelete, deleteInstance } from './delete.ts';
import { historyInstance, historySystem, historyType } from './history.ts';
import { capabilities } from './metadata.ts';
import { operationInteraction } from './operation.ts';
import { conditionalPatch, patch } from './patch.ts';
import { read } from './read.ts';
import { searchSystem } from './search-system.ts';
import { searchType } from './search-type.ts';
import { transaction } from './transaction.ts';
import { conditionalUpdate, update } from './update.ts';
import { vread } from './vread.ts';

const getOperation = operationInteraction(true);
const postOperation = operationInteraction(false);

export const routes: readonly Route[] = [
  { method: 'GET', path: 'metadata', interaction: capabilities },
  { method: 'GET', path: '_history', interaction: historySystem },
  { method: 'GET', path: '', interaction: searchSystem },
  { method: 'POST', path: '_search', interaction: searchSystem },
  { method: 'GET', path: ':type', interaction: searchType },
  { method: 'POST', path: ':type/_search', interaction: searchType },
  { method: 'GET', path: ':type/_history', interaction: historyType },
  { method: 'GET', path: ':type/:id', interaction: read },
  { method: 'GET', path: ':type/:id/_history', interaction: historyInstance },
  { method: 'GET', path: ':type/:id/_history/:versionId', interaction: vread },
  { method: 'GET', path: ':compartment/:id/*', interaction: searchSystem },
  { method: 'GET', path: ':compartment/:id/:member', interaction: searchType },
  { method: 'POST', path: ':compartment/:id/_search', interaction: searchSystem },
  { method: 'POST', path: ':compartment/:id/:member/_search', interaction: searchType },
  { method: 'POST', path: ':type', interaction: create },
  { method: 'PUT', path: ':type/:id', interaction: update },
  { method: 'PUT', path: ':type', interaction: conditionalUpdate },
  { method: 'PATCH', path: ':type/:id', interaction: patch },
  { method: 'PATCH', path: ':type', interaction: conditionalPatch },
  { method: 'DELETE', path: ':type/:id', interaction: deleteInstance },
  { method: 'DELETE', path: ':type', interaction: conditionalDelete },
  ...['$', ':type/$', ':type/:id/$'].flatMap((path): Route[] => [
    { method: 'GET', path, interaction: getOperation },
    { method: 'POST', path, interaction: postOperation },
  ]),
];

export { compartmentTypes };

/** Interactions of `POST [base]`, by the Bundle's type. */
export const bundleInteractions: Readonly<Record<string, Interaction>> = { batch, transaction };

/** The patterns cut into segments once, not for every request. */
const patterns = routes.map((route) => ({ ...route, segments: segmentsOf(route.path) }));

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/** What a method and a path below the base mean. @throws FhirError 404, 405. */
export function resolve(method: string, path: string): { interaction: Interaction; address: Address } {
  const segments = segmentsOf(path);
  let known = false;
  for (const route of patterns) {
    const address = match(route.segments, segments);
    if (!address) continue;
    if (route.method === method) return { interaction: route.interaction, address };
    known = true;
  }
  if (known) throw new FhirError(405, 'not-supported', 'this address does not take that method');
  throw new FhirError(404, 'not-found', 'no such address');
}

/** @throws FhirError 404 when the shape fits and the type does not exist. */
function match(pattern: readonly string[], segments: readonly string[]): Address | undefined {
  if (pattern.length !== segments.length) return undefined;
  const address: Address = {};
  let compartment: ResourceType | undefined;
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index]!;
    if (expected === ':type' || expected === ':member') {
      if (!isResourceType(segment)) return undefined;
      address.type = segment as ResourceType;
    } else if (expected === ':compartment') {
      if (!compartmentTypes.has(segment)) return undefined;
      compartment = segment as ResourceType;
    } else if (expected === ':id' || expected === ':versionId') {
      if (!isId(segment)) return undefined;
      address[expected === ':id' ? 'id' : 'versionId'] = segment;
    } else if (expected === '$') {
      if (!segment.startsWith('$')) return undefined;
      address.operation = segment.slice(1);
    } else if (expected !== segment) return undefined;
  }
  if (!compartment) return address;
  const { id, ...rest } = address;
  return { ...rest, compartment: { type: compartment, id: id! } };
}
