/** Patches of resources: JSON Patch and FHIRPath Patch (https://hl7.org/fhir/R4/http.html#patch). */
import type { Binary, Resource } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import { parseJson, parseSentJson } from '../json/index.ts';
import { validatePart } from '../validation/index.ts';
import { applyFhirPathPatch } from './fhirpath-patch.ts';
import { applyJsonPatch } from './json-patch.ts';
import { isJsonObject } from './json-pointer.ts';

export { typeAtPointer } from './pointer-path.ts';

/** Media types a PATCH is sent as; FHIRPath Patch travels as the Parameters resource it is. */
export const jsonPatchType = 'application/json-patch+json';

/**
 * The resource a patch makes of a stored one. `patch` is the parsed body: an array is a JSON Patch, Parameters are a FHIRPath Patch, a
 * Binary carries a JSON Patch, as Bundles need it. The result is not validated here; its type and id are those of the original.
 * @param text JSON of the stored resource.
 * @throws FhirError 400 for what is no patch, 422 for one that cannot be applied.
 */
export function patchedResource(text: string, patch: unknown): Resource {
  const original = parseJson(text) as Record<string, unknown>;
  const { resourceType, id } = original;
  const patched = apply(original, patch);
  if (!isJsonObject(patched) || patched.resourceType !== resourceType)
    throw new FhirError(422, 'business-rule', 'a patch cannot change the type of a resource', String(resourceType));
  if (patched.id !== id)
    throw new FhirError(422, 'business-rule', 'a patch cannot change the id of a resource', `${resourceType}.id`);
  return patched as unknown as Resource;
}

function apply(original: Record<string, unknown>, patch: unknown): unknown {
  if (Array.isArray(patch)) return applyJsonPatch(original, patch);
  if (isJsonObject(patch)) {
    if (patch.resourceType === 'Binary') return applyJsonPatch(original, sentPatch(patch));
    if (patch.resourceType === 'Parameters') {
      const issues = validatePart(patch);
      if (issues.some(({ severity }) => severity === 'error' || severity === 'fatal')) throw FhirError.of(400, issues);
      return applyFhirPathPatch(original, patch);
    }
  }
  throw new FhirError(400, 'structure', 'a patch is a JSON Patch, or Parameters with operations');
}

/** What a PATCH in a Bundle carries: the operations of the JSON Patch in a Binary, anything else as it is. @throws FhirError 400. */
export function sentPatch(body: unknown): unknown {
  return isJsonObject(body) && body.resourceType === 'Binary' ? patchInside(body as unknown as Binary) : body;
}

function patchInside({ contentType, data }: Binary): unknown {
  if (contentType?.split(';')[0]?.trim().toLowerCase() !== jsonPatchType)
    throw new FhirError(400, 'not-supported', `a Binary with a patch is ${jsonPatchType}`, 'Binary.contentType');
  try {
    return parseSentJson(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(data ?? '', 'base64')));
  } catch (error) {
    if (error instanceof FhirError) throw error;
    throw new FhirError(400, 'structure', 'the patch is not JSON in UTF-8', 'Binary.data');
  }
}
