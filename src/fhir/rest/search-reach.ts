/**
 * Types a search looks into beyond its own: chains and `_has` (https://hl7.org/fhir/R4/search.html#chaining). What `_include` and
 * `_revinclude` bring is known from the result. The caller must be allowed to search each of them, else a search of a
 * directory would tell about patients.
 */
import type { Context } from '../contract.ts';
import type { SearchDefinitions } from '../definitions/search-parameters.ts';
import type { Service } from './call.ts';

/** Asks for the right to search a type and whatever else the criteria look into. @throws FhirError 403. */
export function authorizeSearch(
  context: Context,
  type: string,
  criteria: string,
  { guards, searchDefinitions }: Pick<Service, 'guards' | 'searchDefinitions'>,
): void {
  guards.authorize(context, { interaction: 'search-type', type });
  const query = criteria.slice(criteria.indexOf('?') + 1);
  for (const reached of typesReached(type, query, searchDefinitions)) {
    guards.authorize(context, { interaction: 'search-type', type: reached });
  }
}

/** In order of appearance, without the searched type itself. Names that are no parameters reach nothing: the search refuses them. */
export function typesReached(type: string, query: string, definitions: SearchDefinitions): Set<string> {
  const reached = new Set<string>();
  for (const name of new URLSearchParams(query).keys()) follow(type, name, definitions, reached);
  reached.delete(type);
  return reached;
}

function follow(type: string, name: string, definitions: SearchDefinitions, reached: Set<string>): void {
  if (name.startsWith('_has:')) {
    // _has:Type:reference:parameter, where parameter may be a chain or another _has.
    const [, source, , ...rest] = name.split(':');
    if (!source || !definitions.types.includes(source)) return;
    reached.add(source);
    follow(source, rest.join(':'), definitions, reached);
    return;
  }
  const dot = name.indexOf('.');
  if (dot === -1) return;
  const [code, only] = name.slice(0, dot).split(':');
  const parameter = definitions.parameters(type).find((candidate) => candidate.code === code);
  const next = name.slice(dot + 1);
  const nextCode = next.split(/[.:]/)[0]!;
  for (const target of parameter?.target ?? []) {
    // Of the possible targets, those that have the parameter are the ones looked into.
    if (
      only
        ? target !== only
        : nextCode !== '_has' && !definitions.parameters(target).some((candidate) => candidate.code === nextCode)
    )
      continue;
    reached.add(target);
    follow(target, next, definitions, reached);
  }
}
