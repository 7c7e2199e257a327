/**
 * search of a type, by GET or POST _search (https://hl7.org/fhir/R4/http.html#search), in a compartment too
 * (https://hl7.org/fhir/R4/compartmentdefinition.html).
 */
import type { ReadInteraction } from './call.ts';
import { served } from './read.ts';
import { authorizeSearch, includable } from './search-reach.ts';
import { searchedAddress } from './searched-address.ts';
import { searchsetText } from './searchset.ts';

export const searchType: ReadInteraction = {
  access: 'read',
  code: 'search-type',
  async run(call, reads, service) {
    const { guards, clock, artefacts } = service;
    const { type, compartment, base, query, prefer, context } = call;
    authorizeSearch(context, type!, query, service);
    const page = await reads.searchBundle(type!, query, {
      mayInclude: includable(context, guards),
      definitions: artefacts.all,
      ...(prefer.handling ? { handling: prefer.handling } : {}),
      // Definitions are in nobody's compartment.
      ...(compartment ? { compartment } : { own: artefacts.search(type!, query) }),
    });
    const address = searchedAddress(call);
    return {
      status: 200,
      body: searchsetText(base, `${base}/${address}`, page, clock.now()),
      read: served([...page.matches, ...page.included], `${address}?${query}`),
    };
  },
};
