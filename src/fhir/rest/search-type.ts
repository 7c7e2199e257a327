/** search of a type, by GET or POST _search: https://hl7.org/fhir/R4/http.html#search. */
import type { SearchPage } from '../store/contract.ts';
import { bundleText, entryText, fullUrl, outcomeEntry } from './bundle.ts';
import type { Call, ReadInteraction } from './call.ts';
import { parse } from './read.ts';
import { typesReached } from './search-reach.ts';

export const searchType: ReadInteraction = {
  access: 'read',
  code: 'search-type',
  async run(call, reads, { guards, clock, artefacts, searchDefinitions }) {
    for (const type of typesReached(call.type!, call.query, searchDefinitions)) {
      guards.authorize(call.context, { interaction: 'search-type', type });
    }
    const options = call.prefer.handling ? { handling: call.prefer.handling } : {};
    const page = await reads.searchBundle(call.type!, call.query, options);
    const includedTypes = new Set(page.included.map((version) => version.type));
    for (const type of includedTypes) guards.authorize(call.context, { interaction: 'search-type', type });
    const own = artefacts.search(call.type!, call.query);
    return {
      status: 200,
      body: searchBundle(call, page, own, clock.now()),
      read: { resources: [...page.matches, ...page.included].map(parse), query: `${call.type}?${call.query}` },
    };
  },
};

function searchBundle(call: Call, page: SearchPage, own: { id?: string }[], now: Date): string {
  const url = `${call.base}/${call.type}`;
  const { matches, included, warnings } = page;
  return bundleText({
    type: 'searchset',
    timestamp: now,
    ...(page.total === undefined ? {} : { total: page.total + own.length }),
    links: [
      { relation: 'self', url: page.self ? `${url}?${page.self}` : url },
      ...(page.next ? [{ relation: 'next' as const, url: `${url}?${page.next}` }] : []),
    ],
    entries: [
      ...own.map((resource) =>
        entryText({ fullUrl: `${url}/${resource.id}`, resource: JSON.stringify(resource), search: { mode: 'match' } }),
      ),
      ...matches.map((version) =>
        entryText({ fullUrl: fullUrl(call.base, version), resource: version.text, search: { mode: 'match' } }),
      ),
      ...included.map((version) =>
        entryText({ fullUrl: fullUrl(call.base, version), resource: version.text, search: { mode: 'include' } }),
      ),
      ...(warnings.length > 0 ? [outcomeEntry(warnings)] : []),
    ],
  });
}
