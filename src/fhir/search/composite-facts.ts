/** What is stored of a composite's pairs (composites.ts says where). */
import { type Facet, type FacetPart, headTypes } from './composites.ts';
import { elementInterval } from './dates.ts';
import type { AddKey, Facts } from './facts.ts';
import { keyKind } from './keys.ts';
import { elementMeasures, numberOf } from './numbers.ts';
import type { SharedParts } from './parameters.ts';
import { foldString, searchedStrings } from './strings.ts';
import { referenceFacts, tokenFacts, uriFacts } from './token-facts.ts';

const separator = '\u0001';

/** Most pairs of one element: a hostile resource must not make millions. */
const pairLimit = 1000;

/** One way a part of the head can be asked for, as text. */
export function headForm(kind: string, ...parts: string[]): string {
  return kind + parts.join('\u0002');
}

/** Text of a head in rows. */
export function headText(forms: readonly string[]): string {
  return `head${separator}${forms.join(separator)}`;
}

/** What a string row of a composite begins with: the head, in place of which a hash keeps the row short. */
export type HashHead = (head: string) => string;

export function facetFacts(
  facet: Facet,
  resource: unknown,
  shared: SharedParts,
  facts: Facts,
  hashHead: HashHead,
): void {
  for (const element of facet.elements(resource)) {
    const values = facet.parts.map((part) => part.select(element, resource));
    if (values.some((list) => list.length === 0)) continue;
    const heads = facet.parts.flatMap((part, n) =>
      headTypes.includes(part.type) ? [formsOf(part, values[n]!, shared)] : [],
    );
    const ordered = facet.parts.flatMap((part, n) =>
      headTypes.includes(part.type) ? [] : [{ part, values: values[n]! }],
    );
    if (ordered.length === 0) {
      for (const forms of product(heads)) facts.pair(facet.name, forms);
      continue;
    }
    // A system alone is not asked for beside a value: it would double the rows.
    const rows = heads.map((forms) => forms.filter((form) => !form.startsWith(keyKind.system)));
    for (const forms of product(rows)) orderedFacts(facet, headText(forms), ordered, shared, facts, hashHead);
  }
}

function orderedFacts(
  facet: Facet,
  head: string,
  [first, second]: { part: FacetPart; values: unknown[] }[],
  shared: SharedParts,
  facts: Facts,
  hashHead: HashHead,
): void {
  for (const value of first!.values) {
    switch (first!.part.type) {
      case 'string':
        for (const folded of new Set(searchedStrings(value).map(foldString))) {
          if (folded !== '') facts.string(facet.key, hashHead(head) + folded);
        }
        break;
      case 'date': {
        const interval = elementInterval(value);
        if (interval) facts.number(facet.key, head, interval.lo, interval.hi);
        break;
      }
      case 'quantity':
        for (const { unit, lo, hi } of elementMeasures(value, shared.units)) {
          facts.number(facet.key, unit === undefined ? head : head + separator + unit, lo, hi);
        }
        break;
      default: {
        const number = numberOf(value);
        if (number === undefined) break;
        if (!second) facts.number(facet.key, head, number, number);
        else
          for (const other of second.values.map(numberOf))
            if (other !== undefined) facts.number(facet.key, head, number, other);
      }
    }
  }
}

function formsOf({ type }: FacetPart, values: readonly unknown[], shared: SharedParts): string[] {
  const forms = new Set<string>();
  const add: AddKey = (kind, ...parts) => {
    if (kind === keyKind.value || kind === keyKind.systemValue || kind === keyKind.system)
      forms.add(headForm(kind, ...parts));
  };
  for (const value of values) {
    if (type === 'token') tokenFacts(value, add);
    else if (type === 'reference') referenceFacts(value, shared.base, add);
    else uriFacts(value, add);
  }
  return [...forms];
}

function product(lists: readonly (readonly string[])[]): string[][] {
  let tuples: string[][] = [[]];
  for (const list of lists)
    tuples = tuples.flatMap((tuple) => list.map((item) => [...tuple, item])).slice(0, pairLimit);
  return tuples;
}
