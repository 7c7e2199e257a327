/**
 * search over types: of the system (https://hl7.org/fhir/R4/http.html#search, `GET [base]?_type=…`) or of everything in a compartment
 * (`GET Patient/[id]/*`). The right is asked type by type: a type named in `_type` is refused, one not named is left out.
 */
import type { ResourceType } from '@medplum/fhirtypes';
import { type Context, FhirError } from '../contract.ts';
import { r4Types } from '../definitions/structure-r4.ts';
import { isResourceType } from '../validation/index.ts';
import type { ReadInteraction, Service } from './call.ts';
import { permittedTypes } from './permits.ts';
import { served } from './read.ts';
import { authorizeSearch, includable } from './search-reach.ts';
import { searchedAddress } from './searched-address.ts';
import { searchsetText } from './searchset.ts';

export const searchSystem: ReadInteraction = {
  access: 'read',
  code: 'search-system',
  asksByType: true,
  async run(call, reads, service) {
    const { compartment, base, query, prefer, context } = call;
    const page = await reads.searchSystem(searchedTypes(query, context, service), query, {
      mayInclude: includable(context, service.guards),
      definitions: service.artefacts.all,
      ...(prefer.handling ? { handling: prefer.handling } : {}),
      ...(compartment ? { compartment } : {}),
    });
    const address = searchedAddress(call);
    return {
      status: 200,
      body: searchsetText(base, address ? `${base}/${address}` : base, page, service.clock.now()),
      read: served([...page.matches, ...page.included], `${address}?${query}`),
    };
  },
};

/** @returns undefined for every type there is. @throws FhirError 403 when a type named, or every type, is refused. */
function searchedTypes(query: string, context: Context, service: Service): ResourceType[] | undefined {
  const { guards, store } = service;
  const named = namedTypes(query);
  for (const type of named) authorizeSearch(context, type, query, service);
  if (named.length > 0) return named;
  const seen = permittedTypes(guards, context, 'search-type', r4Types);
  if (seen.length === 0) guards.authorize(context, { interaction: 'search-system' });
  // A chain of a type left out is not followed: it would tell about what it reaches.
  const permitted = seen.filter((type) =>
    [...store.typesTouched([type], query, context.tenant).tested].every((reached) =>
      seen.includes(reached as ResourceType),
    ),
  );
  return permitted.length === r4Types.length ? undefined : permitted;
}

/** Types in `_type`. @throws FhirError 400 for what is no type. */
function namedTypes(query: string): ResourceType[] {
  const names = new URLSearchParams(query)
    .getAll('_type')
    .flatMap((list) => list.split(','))
    .filter((name) => name !== '');
  const unknown = names.findIndex((name) => !isResourceType(name));
  if (unknown !== -1) throw new FhirError(400, 'value', '_type is a list of types of resources', 'http._type');
  return [...new Set(names)] as ResourceType[];
}
