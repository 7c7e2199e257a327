import { loadStructure, type StructureFile } from './structure-file.ts';

/** The definitions of R4 4.0.1, read once. */
export const r4Structure: StructureFile = loadStructure();
