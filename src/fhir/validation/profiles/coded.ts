/** Required bindings of profiles (https://hl7.org/fhir/R4/terminologies.html#required). */
import { formatPath, isObject, report } from '../run.ts';
import { held } from './occurrences.ts';
import type { ElementTools, OccurrenceCheck } from './tools.ts';

export function bindingTest(valueSet: string, type: string, tools: Pick<ElementTools, 'inValueSet'>): OccurrenceCheck {
  const isConcept = type === 'CodeableConcept' || type === 'Coding';
  return (occurrence, run) => {
    const value = held(occurrence);
    const codings = codingsOf(value);
    // An extension may stand in for the code.
    if (codings.length === 0 && isObject(value) && value.extension) return;
    if (!isConcept && codings.length === 0) return;
    const answer = tools.inValueSet(value, valueSet);
    if (answer === false) report(run, 'code-invalid', `must be a code of the value set ${valueSet}`);
    if (answer === undefined) run.openCodes?.push({ valueSet, codings, expression: formatPath(run.path) });
  };
}

/** Codes of a code, Coding, CodeableConcept or Quantity. */
export function codingsOf(value: unknown): { system?: string; code: string }[] {
  if (typeof value === 'string') return [{ code: value }];
  if (!isObject(value)) return [];
  if (Array.isArray(value.coding)) return value.coding.flatMap(codingsOf);
  if (typeof value.code !== 'string') return [];
  return [{ ...(typeof value.system === 'string' ? { system: value.system } : {}), code: value.code }];
}
