/** Validation of resources against the base definitions of R4. */
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import type { StructureFile } from '../definitions/structure-file.ts';
import { r4Structure } from '../definitions/structure-r4.ts';
import { compiler } from './compile.ts';
import { startRun } from './run.ts';

export { isId } from './primitives.ts';
export { type Literal, parseReference } from './references.ts';
export { maxDepth } from './run.ts';

/** What is wrong with a resource; empty when it is valid. Every issue is an error and names its element (`expression`). */
export type Validate = (resource: unknown) => OperationOutcomeIssue[];

export interface Validator {
  validate: Validate;
  isResourceType(name: string): boolean;
}

/** A validator of its own for given definitions; types are compiled when first met. */
export function createValidator(structure: StructureFile): Validator {
  const { resource, isResourceType } = compiler(structure);
  return {
    isResourceType,
    validate(value) {
      const run = startRun();
      resource(value, run);
      return run.issues;
    },
  };
}

const r4 = createValidator(r4Structure);

/** Validates against R4 4.0.1. 5 to 30 µs for a resource of 1 to 2.5 kB; see docs/decisions/0003-validation.md. */
export const validateResource: Validate = r4.validate;

/** True for the name of a concrete R4 resource type. */
export const isResourceType: (name: string) => boolean = r4.isResourceType;
