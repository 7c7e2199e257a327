/** FHIRPath compiled to closures, for invariants; and which FHIRPath of callers may be interpreted. */
export { notTaken } from './callers.ts';
export { presentAt } from './clock.ts';
export { compileFhirPath, type FhirPath } from './compile.ts';
export type { Surroundings } from './compiled.ts';
export { movedTime } from './durations.ts';
export { compareQuantities, type UnitOf } from './order.ts';
export { patternFault } from './patterns.ts';
export { compareTimes } from './times.ts';
export { FhirPathError } from './tokens.ts';
export { isEqual } from './values.ts';
