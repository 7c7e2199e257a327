/** Refusals of terminology operations, in one place so that each is worded once. */
import { FhirError, parameterNamed } from '../contract.ts';

/** 404 when it was asked for itself, 422 when what was asked for needs it. */
export const unknownSystem = (url: string, status: 404 | 422 = 404): FhirError =>
  new FhirError(status, 'not-found', `Code system ${shown(url)} is not known here`);

export const unknownValueSet = (url: string, status: 404 | 422 = 404): FhirError =>
  new FhirError(status, 'not-found', `Value set ${shown(url)} is not known here`);

export const unknownConceptMap = (url: string): FhirError =>
  new FhirError(404, 'not-found', `Concept map ${shown(url)} is not known here`);

export const unknownCode = (status: 404 | 422, code: string, system: string): FhirError =>
  new FhirError(
    status,
    status === 404 ? 'not-found' : 'code-invalid',
    `Code ${shown(code)} is not in code system ${shown(system)}`,
  );

/** @param name the parameter of the operation at fault; here and below none when a definition is. */
export const tooCostly = (what: string, name?: string): FhirError =>
  new FhirError(422, 'too-costly', what, name && parameterNamed(name));

export const notSupported = (what: string, name?: string): FhirError =>
  new FhirError(422, 'not-supported', what, name && parameterNamed(name));

export const invalid = (what: string, name?: string): FhirError =>
  new FhirError(400, 'invalid', what, name && parameterNamed(name));

/** What a caller sent, short enough to be shown back. */
export function shown(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
