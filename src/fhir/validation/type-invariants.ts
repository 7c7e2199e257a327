/** Invariants of data types that are cheaper said here than in FHIRPath. */
import { type Check, isObject, report } from './run.ts';

/** ext-1 (https://hl7.org/fhir/R4/extensibility.html#Extension): a value or nested extensions, never both, never neither; and what
 * its definition says, where that is known. */
const extension: Check = (value, run) => {
  if (!isObject(value)) return;
  const hasValue = Object.keys(value).some((property) => property.startsWith('value') || property.startsWith('_value'));
  if (hasValue === (value.extension !== undefined)) {
    report(
      run,
      'invariant',
      hasValue ? 'must not have both a value and extensions' : 'must have a value or extensions',
    );
  }
  if (run.profiles && typeof value.url === 'string') run.profiles.extension(value.url)?.(value, run);
};

export const typeInvariants: Readonly<Record<string, Check>> = { Extension: extension };
