/** The ways a search is refused, each with the issue type of FHIR that says so. */
import { FhirError } from '../contract.ts';

/** The query says something that cannot be. @param parameter name of the one at fault, where the caller does not add it. */
export function invalid(diagnostics: string, parameter?: string): FhirError {
  return new FhirError(400, 'invalid', diagnostics, parameter && expressionOf(parameter));
}

/** The query asks for something this server does not know; lenient handling ignores it. @param parameter as of `invalid`. */
export function notSupported(diagnostics: string, parameter?: string): FhirError {
  return new FhirError(400, 'not-supported', diagnostics, parameter && expressionOf(parameter));
}

/** The query is understood, but answering it would take more than one search may: never answered in part without saying so. */
export function tooCostly(diagnostics: string): FhirError {
  return new FhirError(422, 'too-costly', diagnostics);
}

/** What was thrown while a parameter was read or answered: a refusal that names no place gets the parameter's name. */
export function aboutParameter(error: unknown, name: string): unknown {
  const isRefusal = error instanceof FhirError && (error.status === 400 || error.status === 422);
  return isRefusal && !error.outcome.issue.some(({ expression }) => expression)
    ? error.about(expressionOf(name))
    : error;
}

function expressionOf(parameter: string): string {
  return `http.${parameter.slice(0, 100)}`;
}
