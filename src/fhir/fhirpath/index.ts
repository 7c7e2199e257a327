/** FHIRPath compiled to closures, for invariants. */
export { compileFhirPath, type FhirPath } from './compile.ts';
export type { Surroundings } from './compiled.ts';
export { compareTimes } from './order.ts';
export { FhirPathError } from './tokens.ts';
export { isEqual } from './values.ts';
