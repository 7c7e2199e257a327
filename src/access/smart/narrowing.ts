/** What is seen with a token that sees less than its account, worked out once for each sight of the account. */
import { type Actor, limitedTypes, type Sight } from '../../fhir/index.ts';
import { isNarrow, narrowedSight } from './row-conditions.ts';

export function createNarrowing(): <Seen extends Sight>(actor: Pick<Actor, 'scopes' | 'patient'>, seen: Seen) => Seen {
  const known = new WeakMap<Sight, Sight>();
  return (actor, seen) => {
    const { scopes, patient } = actor;
    if (scopes === undefined || !isNarrow(scopes)) return seen;
    // A sight is of one actor, scopes included: what was worked out for it is of no other token.
    const narrowed =
      known.get(seen) ?? narrowedSight(seen, { scopes, ...(patient === undefined ? {} : { patient }) }, limitedTypes());
    known.set(seen, narrowed);
    return narrowed as typeof seen;
  };
}
