/** The searchset Bundle of a page (https://hl7.org/fhir/R4/bundle.html#searchset). */

import type { SearchPage } from '../store/contract.ts';
import { bundleText, entryText, fullUrl, outcomeEntry } from './bundle.ts';

/** @param url address searched, without a query. */
export function searchsetText(base: string, url: string, page: SearchPage, now: Date): string {
  const { matches, included, warnings } = page;
  const link = (relation: 'self' | 'first' | 'next' | 'previous', query: string | undefined) =>
    query === undefined ? [] : [{ relation, url: query ? `${url}?${query}` : url }];
  return bundleText({
    type: 'searchset',
    timestamp: now,
    ...(page.total === undefined ? {} : { total: page.total }),
    links: [
      ...link('self', page.self),
      ...link('first', page.first),
      ...link('next', page.next),
      ...link('previous', page.previous),
    ],
    entries: [
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
