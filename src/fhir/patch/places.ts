/**
 * Where the elements are that a FHIRPath expression selects. The library's evaluator answers values; a patch needs their places, so
 * the steps that navigate (children, indexes, filters, types) are taken here and the library evaluates what a filter asks.
 */
import { createRequire } from 'node:module';
import type { Atom } from '@medplum/core';
import { notTaken } from '../fhirpath/index.ts';
import { elementOf, isPrimitive } from './elements.ts';
import { patchFault } from './fault.ts';
import { isJsonObject, type JsonObject } from './json-pointer.ts';

/** An element: of `container`, under `property`, at `index` when it is one of several. */
export interface Place {
  container: JsonObject;
  property: string;
  index?: number;
  /** Type of the element, or of a part of a resource by its path (`Patient.contact`). */
  type: string;
  /** Element it is, by its name in the type of the element around it; none of the resource itself. */
  within?: { type: string; name: string };
}

const maxLength = 1000;
/** Steps of one expression times elements they look at. */
const maxVisits = 100_000;

type Library = typeof import('@medplum/core');

/** Loaded with the first FHIRPath Patch: 70 ms and 18 MB that most processes never need. */
export function loadLibrary(): Library {
  return createRequire(import.meta.url)('@medplum/core');
}

export interface Navigator {
  /** Places of the elements the expression selects, in order. @throws FhirError 400, 422 naming the operation. */
  select(expression: string, at: string): Place[];
  /** The one element before the last step, and the name of that step: where a list is or may be. */
  selectList(expression: string, at: string): { parent: Place; name: string };
}

export function navigator(root: JsonObject, library: Library = loadLibrary()): Navigator {
  const type = String(root.resourceType);
  const holder: JsonObject = { [type]: root };
  const whole: Place = { container: holder, property: type, type };

  function parse(expression: string, at: string): Atom {
    if (expression.length > maxLength)
      throw patchFault(400, 'too-long', `a path has at most ${maxLength} characters`, at);
    try {
      return library.parseFhirPath(expression).child;
    } catch {
      throw patchFault(400, 'invalid', 'is not a FHIRPath expression', at);
    }
  }

  function evaluate(atom: Atom, at: string, visits: { left: number }): Place[] {
    const { DotAtom, SymbolAtom, IndexerAtom, LiteralAtom, FunctionAtom, AsAtom } = library;
    const from = (input: Atom) => {
      const places = evaluate(input, at, visits);
      visits.left -= places.length + 1;
      if (visits.left < 0) throw patchFault(422, 'too-costly', 'the path looks at too many elements', at);
      return places;
    };
    if (atom instanceof SymbolAtom) {
      if (atom.name === type || atom.name === '%resource' || atom.name === '%context' || atom.name === '$this')
        return [whole];
      return childrenOf(whole, atom.name, at);
    }
    if (atom instanceof IndexerAtom) {
      const { expr } = atom;
      if (!(expr instanceof LiteralAtom) || !Number.isInteger(expr.value.value)) throw notNavigation(at);
      return from(atom.left)
        .slice(expr.value.value as number)
        .slice(0, 1);
    }
    if (atom instanceof AsAtom) return from(atom.left).filter((place) => place.type === String(nameOf(atom.right, at)));
    if (atom instanceof DotAtom) {
      const input = from(atom.left);
      if (atom.right instanceof SymbolAtom) {
        const { name } = atom.right;
        return input.flatMap((place) => childrenOf(place, name, at));
      }
      if (atom.right instanceof FunctionAtom) return call(atom.right, input, at);
    }
    throw notNavigation(at);
  }

  function call({ name, args }: InstanceType<Library['FunctionAtom']>, input: Place[], at: string): Place[] {
    const [argument] = args;
    switch (name) {
      case 'first':
        return input.slice(0, 1);
      case 'last':
        return input.slice(-1);
      case 'tail':
        return input.slice(1);
      case 'single':
        if (input.length > 1) throw patchFault(422, 'multiple-matches', 'single() meets several elements', at);
        return input;
      case 'ofType':
      case 'as':
        return input.filter((place) => place.type === nameOf(argument, at));
      case 'extension':
        return input
          .flatMap((place) => childrenOf(place, 'extension', at))
          .filter((place) => (contentOf(place) as JsonObject).url === literalOf(argument, at));
      case 'where':
        if (!argument || args.length > 1) throw notNavigation(at);
        requireHarmless(argument, at);
        return input.filter((place) => holds(argument, place, at));
      default:
        throw notNavigation(at);
    }
  }

  function holds(criteria: Atom, place: Place, at: string): boolean {
    const input = { type: place.type, value: contentOf(place) };
    try {
      const [answer, ...more] = criteria.eval({ variables: { $this: input } }, [input]);
      return more.length === 0 && answer?.value === true;
    } catch {
      throw patchFault(422, 'invalid', 'the filter of the path cannot be evaluated', at);
    }
  }

  function requireHarmless(criteria: Atom, at: string): void {
    const fault = notTaken(criteria, library);
    if (fault !== undefined)
      throw patchFault(400, 'not-supported', `the filter of the path uses ${fault} that is not taken here`, at);
  }

  function nameOf(atom: Atom | undefined, at: string): string {
    if (atom instanceof library.SymbolAtom) return atom.name;
    // `FHIR.Quantity`
    if (atom instanceof library.DotAtom && atom.right instanceof library.SymbolAtom) return atom.right.name;
    throw notNavigation(at);
  }

  function literalOf(atom: Atom | undefined, at: string): unknown {
    if (atom instanceof library.LiteralAtom) return atom.value.value;
    throw notNavigation(at);
  }

  return {
    select: (expression, at) => evaluate(parse(expression, at), at, { left: maxVisits }),
    selectList(expression, at) {
      const atom = parse(expression, at);
      const [left, right] = atom instanceof library.DotAtom ? [atom.left, atom.right] : [undefined, atom];
      if (!(right instanceof library.SymbolAtom))
        throw patchFault(400, 'invalid', 'must end with the name of the list', at);
      const parents = left ? evaluate(left, at, { left: maxVisits }) : [whole];
      return { parent: onlyOne(parents, at), name: right.name };
    },
  };
}

/** @throws FhirError 422 when there is none, or more than one. */
export function onlyOne(places: readonly Place[], at: string): Place {
  const [place, another] = places;
  if (!place) throw patchFault(422, 'not-found', 'the path selects nothing in this resource', at);
  if (another) throw patchFault(422, 'multiple-matches', 'the path selects several elements', at);
  return place;
}

/** What is at a place; of a primitive with extensions alone, nothing. */
export function contentOf({ container, property, index }: Place): unknown {
  const held = container[property];
  return index === undefined ? held : (held as unknown[] | undefined)?.[index];
}

/** The id and extensions of a primitive, kept beside it (https://hl7.org/fhir/R4/json.html#primitive). */
export function companionOf(place: Place): JsonObject | undefined {
  const held = contentOf({ ...place, property: `_${place.property}` });
  return isJsonObject(held) ? held : undefined;
}

/** Elements of a name inside an element. @throws FhirError 400 for a name its type does not have. */
function childrenOf(place: Place, name: string, at: string): Place[] {
  const container = isPrimitive(place.type) ? companionOf(place) : contentOf(place);
  const type = typeInside(place, container);
  const element = elementOf(type, name);
  if (!element) throw patchFault(400, 'invalid', `${type} has no element of this name`, at);
  if (!isJsonObject(container)) return [];
  return element.properties.flatMap(({ property, type: childType }): Place[] => {
    const held = container[property];
    const companion = container[`_${property}`];
    if (held === undefined && companion === undefined) return [];
    const child = { container, property, type: childType, within: { type, name } };
    if (!element.repeats) return [child];
    const length = Math.max(lengthOf(held), lengthOf(companion));
    return Array.from({ length }, (_, index) => ({ ...child, index }));
  });
}

/** A contained resource says itself what it is. */
export function typeInside(place: Place, content: unknown): string {
  if (place.type === 'Resource' && isJsonObject(content)) return String(content.resourceType);
  return isPrimitive(place.type) ? 'Element' : place.type;
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

function notNavigation(at: string) {
  return patchFault(
    400,
    'not-supported',
    'a path is made of names, [index], where(), ofType(), extension(), first(), last(), tail() and single()',
    at,
  );
}
