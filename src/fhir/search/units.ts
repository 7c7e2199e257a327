/**
 * Units of quantities (https://hl7.org/fhir/R4/search.html#quantity): UCUM codes are compared in base units, so that 5.4 mg finds
 * 0.0054 g; anything else as it is written.
 */
import { createUcum, ucumSystem } from './ucum.ts';

const separator = '\u0001';

/** A code of a system, a code whatever its system, or a unit as people write it: the text that stored and searched numbers share. */
export function literalUnit(code: string, system = ''): string {
  return `unit${separator}${system}${separator}${code}`;
}

/** A unit ready to be compared in, and how numbers get there. */
export interface ComparedUnit {
  text: string;
  convert(value: number): number;
}

export interface Units {
  /** The unit that a system and code are compared in. */
  compared(system: string, code: string): ComparedUnit;
}

const asWritten = (value: number) => value;

export function createUnits(): Units {
  const canonicalUnit = createUcum();
  return {
    compared(system, code) {
      const canonical = system === ucumSystem ? canonicalUnit(code) : undefined;
      if (!canonical) return { text: literalUnit(code, system), convert: asWritten };
      return { text: `ucum${separator}${canonical.dimension}`, convert: canonical.convert };
    },
  };
}
