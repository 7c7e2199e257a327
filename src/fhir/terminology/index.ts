/** Terminology: code systems, value sets and concept maps, and what is asked about them. */
export type { Terminology } from './contract.ts';
export { createTerminology, type TerminologyOptions } from './create.ts';
export { listLoaded, loadKinds, loadTerminology, removeLoaded } from './load/index.ts';
export { terminologyOperations } from './operations/index.ts';
