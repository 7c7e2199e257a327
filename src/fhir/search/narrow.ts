/**
 * Which criteria leave few rows of a table of any size, by what they mean: an identifier is one thing's, and what is of one patient, one
 * request or one case is a handful. The planner cannot know: its statistics keep frequent keys only.
 */
import { unescapeValue } from './escapes.ts';
import type { Clause, Criterion } from './request.ts';
import { isLimitedType } from './row-limits.ts';
import { localReference } from './token-facts.ts';

/** Resources at the end of a chain whose own resources are still few together. */
const fewAtMost = 100;

/** True for what says by itself that few rows are left; of chains, {@link areFew} tells once they are resolved. */
export function isNarrow(criterion: Criterion): boolean {
  switch (criterion.kind) {
    case 'clause':
      return asksForIdentifier(criterion.clause) || asksForRecord(criterion.clause);
    case 'compartment':
      return isOfRecord(criterion.owner);
    default:
      return false;
  }
}

/** References to few resources, each of a record of somebody: what points to them is few, too. */
export function areFew(references: readonly string[]): boolean {
  return references.length <= fewAtMost && references.every(isOfRecord);
}

/** An identifier, not just its system. */
function asksForIdentifier({ parameter, modifier, values }: Clause): boolean {
  const isIdentifier = parameter.type === 'token' && parameter.code === 'identifier';
  return (
    isIdentifier && (modifier === undefined || modifier === 'of-type') && values.every((value) => !value.endsWith('|'))
  );
}

/** A reference to a patient, a request, a case: to nothing of a directory, which much of a hospital points to. */
function asksForRecord({ parameter, modifier, values }: Clause): boolean {
  if (parameter.type !== 'reference' || values.length > fewAtMost) return false;
  if (modifier !== undefined) return modifier !== 'Group' && isTypeName(modifier) && isLimitedType(modifier);
  return values.every((value) => {
    const reference = localReference(unescapeValue(value), parameter.shared.base);
    // A bare id may be of any type the parameter points to.
    return reference.includes('/')
      ? isOfRecord(reference)
      : parameter.target.length > 0 && parameter.target.every(isLimitedType);
  });
}

function isTypeName(modifier: string): boolean {
  return /^[A-Z]/.test(modifier);
}

/** Groups are pointed to by as many as they like. */
function isOfRecord(reference: string): boolean {
  const [, type] = /^([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}$/.exec(reference) ?? [];
  return type !== undefined && type !== 'Group' && isLimitedType(type);
}
