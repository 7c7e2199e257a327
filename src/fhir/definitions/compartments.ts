/** The R4 compartments (https://hl7.org/fhir/R4/compartmentdefinition.html), as scripts/generate-compartments.ts wrote them. */
import { readFileSync } from 'node:fs';

/** Compartment → type → reference parameters of which one must point to the compartment's resource. */
export type Compartments = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export const compartments: Compartments = JSON.parse(
  readFileSync(new URL('./compartments.generated.json', import.meta.url), 'utf8'),
);
