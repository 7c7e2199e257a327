/** What other rooms do to every write, or to those of some types: dozens of rules, of which a write meets the few that are about it. */
import type { ResourceType } from '@medplum/fhirtypes';

export interface Hooks<Hook> {
  /** @param types what it is about; everything when there are none. */
  add(hook: Hook, types: readonly ResourceType[]): void;
  /** Those about a type, in the order they were added. */
  of(type: string | undefined): readonly Hook[];
}

export function createHooks<Hook>(): Hooks<Hook> {
  const added: { hook: Hook; types: ReadonlySet<string> }[] = [];
  /** Of each type that some hook names; any other has those about everything. */
  let named = new Map<string, readonly Hook[]>();
  let others: readonly Hook[] = [];
  const about = (type?: string) =>
    added.flatMap(({ hook, types }) => (types.size === 0 || (type !== undefined && types.has(type)) ? [hook] : []));
  return {
    add(hook, types) {
      added.push({ hook, types: new Set(types) });
      others = about();
      named = new Map(added.flatMap(({ types }) => Array.from(types, (type) => [type, about(type)] as const)));
    },
    of: (type) => (type === undefined ? others : (named.get(type) ?? others)),
  };
}
