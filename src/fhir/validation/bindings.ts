/** Required bindings: codes that must come from one value set (https://hl7.org/fhir/R4/terminologies.html#required). */
import type { ValueSetCodes } from '../definitions/structure-file.ts';
import { type Check, isObject, report } from './run.ts';

/** Value sets whose code system is a syntax, not a list; `*` in the definitions. */
const syntaxes: Record<string, (code: string) => boolean> = {
  // RFC 2045, and the short names (`json`, `xml`) the specification itself uses in CapabilityStatement.format.
  'urn:ietf:bcp:13': (code) => /^[\w!#$&^.+*-]+(?:\/[\w!#$&^.+*-]+)?(?:\s*;.*)?$/.test(code),
  'urn:iso:std:iso:4217': (code) => /^[A-Z]{3}$/.test(code),
};

export interface ValueSetTest {
  hasCode(code: string): boolean;
  hasCoding(system: unknown, code: unknown): boolean;
}

export function valueSetTest(codes: ValueSetCodes): ValueSetTest {
  const bySystem = new Map(
    Object.entries(codes).map(([system, list]) => {
      const members = new Set(list.split(' '));
      return [system, list === '*' ? syntaxes[system]! : (code: string) => members.has(code)] as const;
    }),
  );
  const tests = [...bySystem.values()];
  return {
    hasCode: (code) => tests.some((has) => has(code)),
    hasCoding: (system, code) =>
      typeof system === 'string' && typeof code === 'string' && (bySystem.get(system)?.(code) ?? false),
  };
}

/** For an element of type `code`, CodeableConcept or Coding; `undefined` for types that carry no code. */
export function bindingCheck(type: string, valueSet: string, codes: ValueSetCodes): Check | undefined {
  const test = valueSetTest(codes);
  const problem = `must be a code of the value set ${valueSet}`;
  if (type === 'code') {
    return (value, run) => {
      if (typeof value === 'string' && value.length > 0 && !test.hasCode(value)) report(run, 'code-invalid', problem);
    };
  }
  if (type === 'Coding') {
    return (value, run) => {
      if (isObject(value) && !value.extension && !test.hasCoding(value.system, value.code))
        report(run, 'code-invalid', problem);
    };
  }
  if (type !== 'CodeableConcept') return undefined;
  return (value, run) => {
    if (!isObject(value)) return;
    const codings = Array.isArray(value.coding) ? value.coding.filter(isObject) : [];
    // An extension may stand in for the code (data-absent-reason).
    if (codings.length === 0 && value.extension) return;
    if (!codings.some((coding) => test.hasCoding(coding.system, coding.code))) report(run, 'code-invalid', problem);
  };
}
