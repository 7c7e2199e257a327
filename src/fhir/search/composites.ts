/**
 * Composite parameters (https://hl7.org/fhir/R4/search.html#composite): values of several parts, paired within one element.
 *
 * Parts that are only ever equal to something (token, reference, uri) make the head of a pair. A pair of heads alone is a key. A
 * pair with one number, quantity or date is a row of `fhir.number_key` whose `unit` names the head too (dates as milliseconds); with
 * two numbers the row holds one in each of its ends; with a string it is a row of `fhir.string_key` that begins with the head.
 */
import type {
  SearchComponent,
  SearchParameterDefinition,
  SearchParameterType,
} from '../definitions/search-parameters.ts';
import type { Compile, Selector } from './path-compiler.ts';
import { splitUnion } from './path-syntax.ts';

/** One kind of element whose parts are paired; parameters that pair the same parts of it share its rows. */
export interface Facet {
  /** Names the facet in keys. */
  name: string;
  /** Its number in the tables of ordered values. */
  key: number;
  /** Elements of a resource. */
  elements: Selector;
  parts: readonly FacetPart[];
}

export interface FacetPart {
  type: SearchParameterType;
  /** Values of one element of a resource. */
  select(element: unknown, resource: unknown): unknown[];
}

/** Types of parts that make the head. */
export const headTypes: readonly SearchParameterType[] = ['token', 'reference', 'uri'];

const ofResource = '%resource.';

/** @throws Error for a combination that no row can hold, naming the parameter. */
export function compileFacets(
  { expression, components, url }: SearchParameterDefinition & { components: readonly SearchComponent[] },
  type: string,
  compile: Compile,
  keyOf: (name: string) => number,
): Facet[] {
  const ordered = components.map((part) => part.type).filter((part) => !headTypes.includes(part));
  const twoNumbers = ordered.length === 2 && ordered.every((part) => part === 'number');
  const storable = ordered.every((part) => ['number', 'quantity', 'date', 'string'].includes(part));
  if (components.length < 2 || !storable || (ordered.length > 1 && !twoNumbers)) {
    throw new Error(
      `SearchParameter ${url}: parts of types ${components.map((part) => part.type).join(', ')} cannot be paired`,
    );
  }
  return splitUnion(expression).map((context) => {
    const path = context.replace(/^\(+|(?<!\))\)+$/g, '');
    const name = `${path} ${components.map((part) => `${part.type} ${part.expression}`).join(' $ ')}`;
    return {
      name,
      key: keyOf(name),
      elements: compile(context, type),
      parts: components.map((part) => compilePart(part, type, path, compile)),
    };
  });
}

function compilePart(
  { type: kind, expression }: SearchComponent,
  type: string,
  path: string,
  compile: Compile,
): FacetPart {
  if (expression.startsWith(ofResource)) {
    const select = compile(expression.slice(ofResource.length), type);
    return { type: kind, select: (_, resource) => select(resource) };
  }
  // A path of plain names is known to the definitions: choices of types below it are found.
  const select = compile(expression, /^[A-Za-z.]+$/.test(path) ? path : type);
  return { type: kind, select: (element) => select(element) };
}
