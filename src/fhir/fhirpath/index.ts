/** FHIRPath compiled to closures, for invariants. */
export { compileFhirPath, type FhirPath } from './compile.ts';
export type { Surroundings } from './compiled.ts';
export { FhirPathError } from './tokens.ts';
