/** Which conditions on rows a scope may carry: only those that hold in every way a resource can be reached. */
import type { ResourceScope } from './scopes.ts';

/** Why a scope cannot be granted; undefined when it can. */
export function unenforceable({ criteria }: ResourceScope): string | undefined {
  return criteria.length > 0 ? 'conditions cannot be enforced on every way to its resources' : undefined;
}
