/** What comes along with the matches of a search, by looking at every resource. */
import type { Include } from './condition.ts';
import type { World } from './evaluate.ts';
import type { Stored } from './references.ts';
import { leadsTo } from './references.ts';

/** `Type/id` of what is included, sorted; nothing that is a match. @param matches ids of the type searched. */
export function includedBy(
  { resources, select }: World,
  type: string,
  matches: readonly string[],
  { reverse, type: from, parameter, target }: Include,
): string[] {
  const asked = new Set(matches);
  const isMatch = (resource: Stored) => resource.resourceType === type && asked.has(resource.id);
  const isOf = (of: string | undefined, { resourceType }: Stored) => of === undefined || resourceType === of;
  const points = (source: Stored, to: Stored) =>
    isOf(target, to) &&
    select(parameter.expression, source).some(
      // A canonical and what points in reverse keep to the types that the parameter names.
      (value) =>
        ((typeof value !== 'string' && !reverse) || parameter.target.includes(to.resourceType)) &&
        leadsTo(resources, value, to),
    );
  const sources = resources.filter((resource) => isOf(from, resource) && (reverse || isMatch(resource)));
  const matched = resources.filter(isMatch);
  const found = reverse
    ? sources.filter((source) => matched.some((match) => points(source, match)))
    : resources.filter((resource) => sources.some((source) => points(source, resource)));
  return found
    .filter((resource) => !isMatch(resource))
    .map(({ resourceType, id }) => `${resourceType}/${id}`)
    .sort();
}
