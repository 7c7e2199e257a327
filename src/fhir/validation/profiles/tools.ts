/** What the checks of elements, slices and references need of the profile they belong to. */
import type { ElementDefinitionConstraint } from '@medplum/fhirtypes';
import type { Shapes } from '../../definitions/shapes.ts';
import type { FhirPath } from '../../fhirpath/index.ts';
import type { Check, Run } from '../run.ts';
import type { Occurrence } from './occurrences.ts';
import type { ElementNode } from './tree.ts';

export type OccurrenceCheck = (occurrence: Occurrence, run: Run) => void;

export interface ElementTools {
  shapes: Shapes;
  /** A FHIRPath below an occurrence of a type. */
  path(expression: string, type: string): FhirPath;
  /** Tree of a profile by its URL; undefined when it is not known. */
  tree(profile: string): ElementNode | undefined;
  /** FHIR type a profile is about. */
  typeOf(profile: string): string | undefined;
  /** Check of a profile by its URL; undefined when it is not known. */
  profile(url: string): Check | undefined;
  /** Whether a value conforms to a profile; undefined when the profile is not known. */
  conforms(value: unknown, profile: string, run: Run): boolean | undefined;
  /** Whether a coded value is in a value set; undefined when the value set is not at hand. */
  inValueSet(value: unknown, valueSet: string): boolean | undefined;
  /** Check of a constraint on elements of a type; undefined when there is nothing to evaluate. */
  constraint(constraint: ElementDefinitionConstraint, type: string): Check | undefined;
}
