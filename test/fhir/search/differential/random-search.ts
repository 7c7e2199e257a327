/** Makes searches whose values come from the resources, so that many find something and many find nothing. */
import type {
  SearchDefinitions,
  SearchParameterDefinition,
} from '../../../../src/fhir/definitions/search-parameters.ts';
import { dateSpan, folded } from './compare.ts';
import type { Condition, FilterNode, Include, Prefix, Search, Value } from './condition.ts';
import type { World } from './evaluate.ts';
import type { Random } from './random.ts';
import type { Stored } from './references.ts';

type Element = Record<string, unknown>;

/** Left out: what the specification leaves to the server, or what has no value to search for. */
const unspecified = new Set(['_text', '_content', 'near', 'phonetic', '_query', '_lastUpdated', '_filter']);

const datePrefixes: readonly Prefix[] = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'];
/** Computed from several elements: refused by name. */
const unsortable = ['deceased'];
const sortable = ['string', 'token', 'date', 'number', 'quantity', 'reference', 'uri'];

export function createRandomSearch(definitions: SearchDefinitions, world: World) {
  const byType = Map.groupBy(world.resources, ({ resourceType }) => resourceType as string);
  const types = [...byType.keys()];

  /** Parameters that select something from a resource of the type. */
  const used = new Map<string, SearchParameterDefinition[]>(
    types.map((type) => [
      type,
      definitions
        .parameters(type)
        .filter(({ code, expression }) => expression !== '' && !unspecified.has(code))
        .filter(({ expression }) =>
          byType.get(type)!.some((resource) => world.select(expression, resource).length > 0),
        ),
    ]),
  );

  function elementOf(random: Random, type: string, { expression }: SearchParameterDefinition): [Stored, unknown] {
    const having = byType.get(type)!.filter((resource) => world.select(expression, resource).length > 0);
    const resource = random.one(having);
    return [resource, random.one(world.select(expression, resource))];
  }

  function condition(random: Random, type: string, depth: number): Condition | undefined {
    if (depth > 0 && random.chance(0.25)) return chain(random, type, depth);
    if (depth > 0 && random.chance(0.15)) return reverseChain(random, type, depth);
    const parameters = used.get(type)!;
    if (parameters.length === 0) return undefined;
    const parameter = random.one(parameters);
    if (parameter.code !== '_id' && random.chance(0.1)) {
      return {
        kind: 'parameter',
        parameter,
        modifier: 'missing',
        values: [{ kind: 'missing', missing: random.chance(0.5) }],
      };
    }
    const modifier = modifierOf(random, parameter);
    const values: Value[] = [];
    for (let n = random.chance(0.3) ? 3 : 1; n > 0; n--) {
      const [resource, element] = elementOf(random, type, parameter);
      const value = valueFor(random, parameter, modifier, element, resource);
      if (value) values.push(value);
    }
    return values.length === 0
      ? undefined
      : { kind: 'parameter', parameter, ...(modifier ? { modifier } : {}), values };
  }

  function chain(random: Random, type: string, depth: number): Condition | undefined {
    const links = used.get(type)!.filter((parameter) => parameter.type === 'reference');
    if (links.length === 0) return undefined;
    const parameter = random.one(links);
    const targets = parameter.target.filter((target) => byType.has(target));
    if (targets.length === 0) return undefined;
    const target = random.one(targets);
    const of = condition(random, target, depth - 1);
    return of && { kind: 'chain', parameter, target, of };
  }

  function reverseChain(random: Random, type: string, depth: number): Condition | undefined {
    const source = random.one(types);
    const links = used
      .get(source)!
      .filter((parameter) => parameter.type === 'reference' && parameter.target.includes(type));
    if (links.length === 0) return undefined;
    const of = condition(random, source, depth - 1);
    return of && { kind: 'has', type: source, parameter: random.one(links), of };
  }

  function valueFor(
    random: Random,
    parameter: SearchParameterDefinition,
    modifier: string | undefined,
    element: unknown,
    resource: Stored,
  ): Value | undefined {
    switch (parameter.type) {
      case 'token':
        return modifier === 'of-type' ? identifierOfType(element) : tokenValue(random, element);
      case 'string':
        return stringValue(random, modifier, element);
      case 'uri':
        return typeof element === 'string' ? { kind: 'text', text: element } : undefined;
      case 'reference':
        return referenceValue(random, modifier, element);
      case 'date':
        return dateValue(random, element);
      case 'number':
      case 'quantity':
        return quantityValue(random, element);
      case 'composite': {
        const parts = parameter.components!.map(({ type, expression }) => {
          const on = (expression.includes('%resource') ? resource : element) as Stored;
          const inner = typeof on === 'object' ? world.select(expression, on) : [];
          return inner.length === 0
            ? undefined
            : valueFor(random, { ...parameter, type }, undefined, random.one(inner), resource);
        });
        // A system alone is refused there by name.
        const usable = parts.every((part) => part && !(part.kind === 'token' && part.code === undefined));
        return usable ? { kind: 'composite', parts: parts as Value[] } : undefined;
      }
      default:
        return undefined;
    }
  }

  function filter(random: Random, type: string, depth: number): FilterNode | undefined {
    if (depth > 0 && random.chance(0.4)) {
      const left = filter(random, type, depth - 1);
      const right = filter(random, type, depth - 1);
      return left && right && { kind: random.chance(0.5) ? 'and' : 'or', left, right };
    }
    if (depth > 0 && random.chance(0.2)) {
      const of = filter(random, type, depth - 1);
      return of && { kind: 'not', of };
    }
    const parameters = used.get(type)!.filter((parameter) => sortable.includes(parameter.type));
    if (parameters.length === 0) return undefined;
    const parameter = random.one(parameters);
    if (parameter.code !== '_id' && random.chance(0.15)) {
      return { kind: 'test', parameter, operator: 'pr', value: { kind: 'missing', missing: random.chance(0.5) } };
    }
    const [resource, element] = elementOf(random, type, parameter);
    const value = valueFor(random, parameter, undefined, element, resource);
    // A filter has no way to write a bar that separates nothing.
    if (!value || (value.kind === 'token' && [value.code, value.system].some((part) => part?.includes('|'))))
      return undefined;
    if (value.kind === 'ordered') {
      const overlaps = parameter.type === 'date' && random.chance(0.2);
      const plain: Value = { kind: 'ordered', prefix: value.prefix, text: value.text };
      return { kind: 'test', parameter, operator: overlaps ? 'po' : value.prefix, value: plain };
    }
    const operators = parameter.type === 'string' ? ['eq', 'ne', 'co', 'sw', 'ew', 'ge', 'lt'] : ['eq', 'ne'];
    return { kind: 'test', parameter, operator: parameter.code === '_id' ? 'eq' : random.one(operators), value };
  }

  return function randomSearch(random: Random): Search {
    // By resource and not by type: most official types have one or two examples.
    const type = random.one(world.resources).resourceType;
    const conditions = Array.from({ length: random.integer(3) }, () => condition(random, type, 2)).filter(
      (made) => made !== undefined,
    );
    const made = random.chance(0.25) ? filter(random, type, 2) : undefined;
    const keys = used
      .get(type)!
      .filter((parameter) => sortable.includes(parameter.type) && !unsortable.includes(parameter.code));
    const sort = Array.from({ length: keys.length > 0 && random.chance(0.6) ? 1 + random.integer(3) : 0 }, () => ({
      parameter: random.one(keys),
      descending: random.chance(0.5),
    }));
    const along = random.chance(0.2) ? include(random, type) : undefined;
    return { type, conditions, sort, ...(made ? { filter: made } : {}), ...(along ? { include: along } : {}) };
  };

  function include(random: Random, type: string): Include | undefined {
    const reverse = random.chance(0.5);
    const from = reverse ? random.one(types) : type;
    const links = used.get(from)!.filter((parameter) => parameter.type === 'reference');
    if (links.length === 0) return undefined;
    const parameter = random.one(links);
    const target = reverse ? type : random.one(parameter.target.filter((each) => byType.has(each)).concat(type));
    return { reverse, type: from, parameter, ...(random.chance(0.3) ? { target } : {}) };
  }
}

function modifierOf(random: Random, { type, code, target }: SearchParameterDefinition): string | undefined {
  if (random.chance(0.6) || code === '_id') return undefined;
  switch (type) {
    case 'string':
      return random.one(['exact', 'contains']);
    case 'token':
      return random.one(['not', 'of-type']);
    case 'reference':
      return random.one(['identifier', ...target.slice(0, 3)]);
    default:
      return undefined;
  }
}

function tokenValue(random: Random, element: unknown): Value | undefined {
  if (typeof element !== 'object' || element === null) {
    return String(element) === ''
      ? undefined
      : { kind: 'token', code: String(element), ...(random.chance(0.2) ? { system: '' } : {}) };
  }
  const { coding, system, code = (element as Element).value } = element as Element;
  if (Array.isArray(coding)) return coding.length > 0 ? tokenValue(random, random.one(coding)) : undefined;
  if (typeof code !== 'string' || code === '') return undefined;
  if (typeof system !== 'string') return { kind: 'token', code, ...(random.chance(0.3) ? { system: '' } : {}) };
  if (random.chance(0.1)) return { kind: 'token', system };
  return { kind: 'token', code, ...(random.chance(0.6) ? { system } : random.chance(0.1) ? { system: '' } : {}) };
}

function identifierOfType(element: unknown): Value | undefined {
  const { type, value } = (element ?? {}) as { type?: { coding?: Element[] }; value?: unknown };
  const [coding] = type?.coding ?? [];
  if (typeof coding?.system !== 'string' || typeof coding.code !== 'string' || typeof value !== 'string')
    return undefined;
  return { kind: 'identifier-of-type', system: coding.system, code: coding.code, value };
}

function stringValue(random: Random, modifier: string | undefined, element: unknown): Value | undefined {
  const parts = typeof element === 'object' && element !== null ? Object.values(element).flat() : [element];
  const texts = parts.filter((part): part is string => typeof part === 'string' && /[\p{L}\p{N}]/u.test(part));
  if (texts.length === 0) return undefined;
  const text = random.one(texts);
  if (modifier === 'exact') return { kind: 'text', text: random.chance(0.8) ? text : text.toUpperCase() };
  const from = modifier === 'contains' ? random.integer(text.length) : 0;
  const piece = text.slice(from, from + 1 + random.integer(text.length)).slice(0, 60);
  if (!/[\p{L}\p{N}]/u.test(folded(piece))) return undefined;
  return { kind: 'text', text: random.chance(0.3) ? piece.toUpperCase() : piece };
}

function referenceValue(random: Random, modifier: string | undefined, element: unknown): Value | undefined {
  if (modifier === 'identifier') {
    const { system, value } = ((element as Element | null)?.identifier ?? {}) as Element;
    if (typeof value !== 'string') return undefined;
    return { kind: 'token', code: value, ...(typeof system === 'string' && random.chance(0.6) ? { system } : {}) };
  }
  const reference = typeof element === 'string' ? element : (element as Element | null)?.reference;
  if (typeof reference !== 'string' || reference === '' || reference.startsWith('#')) return undefined;
  const local = reference.replace(/\/_history\/.*$/, '');
  const id = /^[A-Z][A-Za-z]+\/([A-Za-z0-9.-]+)$/.exec(local)?.[1];
  if (modifier !== undefined) return id === undefined ? undefined : { kind: 'text', text: id };
  return { kind: 'text', text: id !== undefined && random.chance(0.3) ? id : local };
}

function dateValue(random: Random, element: unknown): Value | undefined {
  const { start, end, event } = (
    typeof element === 'object' && element !== null ? element : { start: element }
  ) as Element;
  const texts = [start, end, event]
    .flat()
    .filter((text): text is string => typeof text === 'string' && dateSpan(text) !== undefined);
  if (texts.length === 0) return undefined;
  const text = random.one(texts);
  const lengths = [4, 7, 10, text.length].filter((length) => length <= text.length);
  return { kind: 'ordered', prefix: random.one(datePrefixes), text: text.slice(0, random.one(lengths)) };
}

function quantityValue(random: Random, element: unknown): Value | undefined {
  const quantity = (typeof element === 'object' && element !== null ? element : { value: element }) as Element;
  const { value, system, code, unit } = ((quantity.low ?? quantity.high ?? quantity) as Element) ?? {};
  if (typeof value !== 'number') return undefined;
  const text = random.chance(0.7) ? String(value) : String(Number(value.toPrecision(1 + random.integer(3))));
  if (!/^-?\d+(\.\d+)?$/.test(text)) return undefined;
  const asked = { kind: 'ordered' as const, prefix: random.one(datePrefixes), text };
  if (typeof code === 'string' && typeof system === 'string' && random.chance(0.4)) return { ...asked, system, code };
  const literal = typeof code === 'string' ? code : unit;
  return typeof literal === 'string' && literal !== '' && random.chance(0.2)
    ? { ...asked, system: '', code: literal }
    : asked;
}
