/** Invariants of data types that hold for every resource and are cheap. */
import { type Run, report } from './run.ts';

type Invariant = (value: Record<string, unknown>, run: Run) => void;

/** ext-1 (https://hl7.org/fhir/R4/extensibility.html#Extension): a value or nested extensions, never both, never neither. */
const extension: Invariant = (value, run) => {
  const hasValue = Object.keys(value).some((property) => property.startsWith('value') || property.startsWith('_value'));
  if (hasValue === (value.extension !== undefined)) {
    report(
      run,
      'invariant',
      hasValue ? 'must not have both a value and extensions' : 'must have a value or extensions',
    );
  }
};

export const typeInvariants: Readonly<Record<string, Invariant>> = { Extension: extension };
