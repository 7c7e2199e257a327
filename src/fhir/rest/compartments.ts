import { compartments } from '../definitions/compartments.ts';

/** Types that have a compartment (https://hl7.org/fhir/R4/compartmentdefinition.html). */
export const compartmentTypes: ReadonlySet<string> = new Set(Object.keys(compartments));
