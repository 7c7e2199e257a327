import type { ResourceType } from '@medplum/fhirtypes';
import { loadStructure, resourceTypesOf, type StructureFile } from './structure-file.ts';

/** The definitions of R4 4.0.1, read once. */
export const r4Structure: StructureFile = loadStructure();

/** Every type of resource R4 defines. */
export const r4Types = resourceTypesOf(r4Structure) as readonly ResourceType[];
