/** A resource on its way in: checked, given id and meta, turned into the text that is served and the values it is found by. */
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import { hasEndlessNumber, stringifyJson } from '../json/index.ts';
import type { Indexer } from '../search/index-values.ts';
import type { ResourceValidator } from './contract.ts';
import type { NewRow } from './rows.ts';

export interface PrepareParts {
  types: ReadonlySet<string>;
  validate: ResourceValidator;
  index: Indexer;
  /** Our own FHIR address, where it is known. */
  base: () => string | undefined;
}

const idPattern = /^[A-Za-z0-9.-]{1,64}$/;

export function checkId(type: string, id: string): void {
  if (!idPattern.test(id)) {
    throw new FhirError(400, 'invalid', 'An id has 1 to 64 of A-Z a-z 0-9 - .', `${type}.id`);
  }
}

/** The resource with its id and meta in front. `resourceType` must be one that is stored. */
export function withMeta<R extends Resource>(
  resource: R,
  id: string,
  version: number,
  updated: Date,
): R & { id: string } {
  const { resourceType, id: _, meta, ...rest } = resource as Resource & Record<string, unknown>;
  return {
    resourceType,
    id,
    meta: { ...meta, versionId: String(version), lastUpdated: updated.toISOString() },
    ...rest,
  } as unknown as R & { id: string };
}

/** @throws FhirError 400 with every issue when the resource is not valid. */
export function checkResource(parts: PrepareParts, resource: unknown): ResourceType {
  const type = checkType(parts, resource);
  const issues = parts.validate(resource);
  if (issues.some(({ severity }) => severity === 'error' || severity === 'fatal')) throw FhirError.of(400, issues);
  if (hasEndlessNumber(resource)) {
    throw new FhirError(
      400,
      'value',
      'A number is written with more than 1,000 digits or an exponent beyond 1,000',
      type,
    );
  }
  return type;
}

/** @throws FhirError 400 for what is of no type of ours. */
export function checkType(parts: PrepareParts, resource: unknown): ResourceType {
  const type = (resource as { resourceType?: unknown } | null)?.resourceType;
  if (typeof type !== 'string' || !parts.types.has(type)) {
    throw new FhirError(
      400,
      'structure',
      `Resource type ${String(type).slice(0, 64)} is not supported`,
      'resourceType',
    );
  }
  return type as ResourceType;
}

/** The row of a version. `resource` carries its id and meta already. */
export function newRow(
  parts: PrepareParts,
  tenant: string,
  resource: Resource & { id: string },
  version: number,
  updated: Date,
): NewRow {
  return {
    type: resource.resourceType,
    id: resource.id,
    version,
    updated,
    text: stringifyJson(resource),
    index: parts.index(tenant, resource.resourceType, resource),
  };
}
