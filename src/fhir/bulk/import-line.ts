/** One line of an import, read as a request to update would read its body (https://hl7.org/fhir/R4/http.html#update). */
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import { parseSentJson } from '../json/index.ts';
import { asSent } from '../rest/written.ts';
import { isId, isResourceType, validateResource } from '../validation/index.ts';
import type { InputLine } from './import-input.ts';

export type Identified = Resource & { id: string };

/** Letters of another encoding must not become replacement characters. Without the option `stream` it keeps nothing between calls. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

export interface Reading {
  /** Service base URL the import was asked at. */
  base: string;
  /** Throws when the account may not write the type. */
  mayWrite(type: ResourceType): void;
  /** Whether the resource is validated here already; it is when it is stored. */
  validated: boolean;
}

/** A resource under its own id, the refusal of the line, or nothing for an empty line. */
export function readLine(
  { data }: InputLine,
  { base, mayWrite, validated }: Reading,
): Identified | FhirError | undefined {
  if (data === undefined) return new FhirError(413, 'too-long', 'the line is longer than a resource may be');
  try {
    const text = utf8.decode(data).trim();
    if (text === '') return undefined;
    const resource = identified(parseSentJson(text));
    mayWrite(resource.resourceType);
    const sent = asSent(resource, base) as Identified;
    const issues = validated ? validateResource(sent) : [];
    if (issues.some(({ severity }) => severity === 'error' || severity === 'fatal')) return FhirError.of(400, issues);
    return sent;
  } catch (error) {
    if (error instanceof FhirError) return error;
    if (error instanceof SyntaxError) return new FhirError(400, 'structure', 'the line is not JSON');
    if (error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      return new FhirError(400, 'structure', 'the line is not UTF-8');
    throw error;
  }
}

/** @throws FhirError 400. */
function identified(value: unknown): Identified {
  const { resourceType, id } = (value ?? {}) as Record<string, unknown>;
  if (typeof resourceType !== 'string' || !isResourceType(resourceType))
    throw new FhirError(400, 'structure', 'the line is no resource');
  if (typeof id !== 'string' || !isId(id))
    throw new FhirError(400, 'required', 'an imported resource has an id of its own', `${resourceType}.id`);
  return value as Identified;
}
