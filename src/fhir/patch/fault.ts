/**
 * Errors of patches (RFC 5789 §2.2): 400 for a document that is no patch, 422 for one that cannot be applied to this resource.
 * They name the operation in the patch and never repeat a value.
 */
import { FhirError } from '../contract.ts';

type IssueCode = ConstructorParameters<typeof FhirError>[1];

/** @param expression the operation (`Parameters.parameter[1]`) or, of a JSON Patch, the element it works on. */
export function patchFault(status: 400 | 422, code: IssueCode, diagnostics: string, expression: string): FhirError {
  return new FhirError(status, code, diagnostics, expression);
}
