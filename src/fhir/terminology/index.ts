/** Terminology: code systems, value sets and concept maps, and what is asked about them. */
export type { CodeValidity, Coding, Terminology } from './contract.ts';
export { createTerminology, type TerminologyOptions, type TerminologyRoom } from './create.ts';
export { LoadError, listLoaded, loadKinds, loadTerminology, removeLoaded } from './load/index.ts';
export { terminologyOperations } from './operations/index.ts';
