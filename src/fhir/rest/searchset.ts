/** The searchset Bundle of a page (https://hl7.org/fhir/R4/bundle.html#searchset). */

import type { SearchPage } from '../store/contract.ts';
import { bundleText, entryText, fullUrl, outcomeEntry } from './bundle.ts';

/**
 * @param url address searched, without a query.
 * @param own resources of ours that match too, before those of the tenant.
 */
export function searchsetText(
  base: string,
  url: string,
  page: SearchPage,
  own: readonly { resourceType: string; id?: string }[],
  now: Date,
): string {
  const { matches, included, warnings } = page;
  const link = (relation: 'self' | 'next' | 'previous', query: string | undefined) =>
    query === undefined ? [] : [{ relation, url: query ? `${url}?${query}` : url }];
  return bundleText({
    type: 'searchset',
    timestamp: now,
    ...(page.total === undefined ? {} : { total: page.total + own.length }),
    links: [...link('self', page.self), ...link('next', page.next), ...link('previous', page.previous)],
    entries: [
      ...own.map((resource) =>
        entryText({
          fullUrl: `${base}/${resource.resourceType}/${resource.id}`,
          resource: JSON.stringify(resource),
          search: { mode: 'match' },
        }),
      ),
      ...matches.map((version) =>
        entryText({ fullUrl: fullUrl(base, version), resource: version.text, search: { mode: 'match' } }),
      ),
      ...included.map((version) =>
        entryText({ fullUrl: fullUrl(base, version), resource: version.text, search: { mode: 'include' } }),
      ),
      ...(warnings.length > 0 ? [outcomeEntry(warnings)] : []),
    ],
  });
}
