/**
 * What one question about a value set may cost (https://hl7.org/fhir/R4/valueset-operation-expand.html, `too-costly`): definitions are
 * sent by anybody, and each of their parts is looked up one after the other, in a transaction that holds a connection.
 */
import { tooCostly } from './problems.ts';

/** Value sets resolved, those met again too. */
const importLimit = 200;
/** Includes, excludes and filters, of the value set and of everything it imports; systems and versions they come to. */
const partLimit = 1_000;
/** Real milliseconds for everything asked at once. */
const patienceMs = 10_000;

/** Every method throws FhirError 422 `too-costly` when the limit is passed. */
export interface Budget {
  import(): void;
  parts(count: number): void;
  /** Parts beside each other at one moment. */
  atOnce(count: number): void;
  /** To be asked between two look-ups. */
  time(): void;
  /** For a further question of the same answer: as many parts again, but no more time. */
  another(): Budget;
}

/** @param now milliseconds of a clock that only goes forward. */
export function openBudget(now: () => number = () => performance.now(), until = now() + patienceMs): Budget {
  let imports = 0;
  let parts = 0;
  const atOnce = (count: number) => {
    if (count > partLimit) throw tooCostly(`The value set has more than ${partLimit} parts`);
  };
  return {
    import() {
      if (++imports > importLimit) throw tooCostly('The value set imports too many others');
    },
    parts(count) {
      parts += count;
      atOnce(parts);
    },
    atOnce,
    time() {
      if (now() > until) throw tooCostly('This takes too long: ask for less');
    },
    another: () => openBudget(now, until),
  };
}
