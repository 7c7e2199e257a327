/** The ways a search is refused, each with the issue type of FHIR that says so. */
import { FhirError } from '../contract.ts';

/** The query says something that cannot be. */
export function invalid(diagnostics: string): FhirError {
  return new FhirError(400, 'invalid', diagnostics);
}

/** The query asks for something this server does not know; lenient handling ignores it. */
export function notSupported(diagnostics: string): FhirError {
  return new FhirError(400, 'not-supported', diagnostics);
}

/** The query is understood, but answering it would take more than one search may: never answered in part without saying so. */
export function tooCostly(diagnostics: string): FhirError {
  return new FhirError(422, 'too-costly', diagnostics);
}
