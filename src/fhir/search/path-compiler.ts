/**
 * Compiles FHIRPath expressions of search parameters to closures: 100 to 200 times faster than interpreting them (measured:
 * docs/decisions/0002-storage-layout.md). What the subset cannot say throws `PathSyntaxError`; the caller falls back.
 */
import { type PathNode, PathSyntaxError, parsePath } from './path-syntax.ts';

/** Adds the values an expression selects from `node` to `into`. */
type Step = (node: unknown, into: unknown[]) => void;

/** Selects values from a resource. */
export type Selector = (resource: unknown) => unknown[];

/** Compiles an expression evaluated on a type or on an element at a path. */
export type Compile = (expression: string, at: string) => Selector;

/** Elements that have a choice of types, e.g. `Observation.value`. */
export interface Choices {
  /** Types of the element at a path; undefined when it has no choice. */
  at(path: string): readonly string[] | undefined;
  /** Every type an element of this name has anywhere: for paths inside data types. */
  named(name: string): readonly string[];
}

/** Indexes the types of choice elements by path and by last name. */
export function createChoices(byPath: Readonly<Record<string, readonly string[]>>): Choices {
  const byName = new Map<string, Set<string>>();
  for (const [path, types] of Object.entries(byPath)) {
    const name = path.slice(path.lastIndexOf('.') + 1);
    byName.set(name, new Set([...(byName.get(name) ?? []), ...types]));
  }
  return { at: (path) => byPath[path], named: (name) => [...(byName.get(name) ?? [])] };
}

interface Compiled {
  step: Step;
  /** Path of the element selected, as long as it is known. */
  path?: string;
  /** The step as it is when restricted to one type: `value.ofType(Quantity)` reads `valueQuantity`. */
  ofType?: (type: string) => Step;
}

/** @throws PathSyntaxError when the expression is outside the compiled subset. */
export function compilePath(expression: string, type: string, choices: Choices): Selector {
  const root: Root = {};
  const { step } = compile(parsePath(expression), { type, choices, root });
  return (resource) => {
    const values: unknown[] = [];
    root.resource = resource;
    step(resource, values);
    root.resource = undefined;
    return values;
  };
}

/** The resource at hand: a reference may lead to what it contains. */
interface Root {
  resource?: unknown;
}

interface Scope {
  /** Type of the resource the expression is evaluated on; undefined inside the criteria of a `where`. */
  type?: string;
  choices: Choices;
  root: Root;
}

function compile(node: PathNode, scope: Scope): Compiled {
  switch (node.kind) {
    case 'this':
      return { step: itself, path: scope.type };
    case 'literal':
      return { step: (_, into) => into.push(node.value) };
    case 'member':
      return member(node, scope);
    case 'type':
      return node.operator === 'as' ? cast(node, scope) : { step: typeTest(node, scope) };
    case 'item':
      return item(node, scope);
    case 'call':
      return { step: call(node, scope) };
    case 'binary':
      return { step: binary(node, scope) };
  }
}

function member(node: Extract<PathNode, { kind: 'member' }>, scope: Scope): Compiled {
  // The expression's first name may be the type itself, or one of its bases.
  if (node.input.kind === 'this' && scope.type !== undefined && /^[A-Z]/.test(node.name)) {
    const any = node.name === 'Resource' || node.name === 'DomainResource';
    if (!any && node.name !== scope.type) throw new PathSyntaxError(`${node.name} is not ${scope.type}`);
    return { step: itself, path: scope.type };
  }
  const input = compile(node.input, scope);
  const path = input.path === undefined ? undefined : `${input.path}.${node.name}`;
  const types = path === undefined ? undefined : scope.choices.at(path);
  const properties = types ? types.map((type) => choiceProperty(node.name, type)) : [node.name];
  // Without a known path (inside a data type) the element may be a choice all the same.
  if (!types) properties.push(...choicesNamed(node.name, path, scope));
  return {
    step: chain(input.step, properties.length === 1 ? readProperty(properties[0]!) : readProperties(properties)),
    path,
    ofType: (type) =>
      chain(input.step, readProperties([choiceProperty(node.name, type), ...(types ? [] : [node.name])])),
  };
}

/** Every property `name[x]` may be stored as, when the element's own path is not known: `extension.value`. */
function choicesNamed(name: string, path: string | undefined, scope: Scope): string[] {
  if (path !== undefined && path.split('.').length === 2) return [];
  return scope.choices.named(name).map((type) => choiceProperty(name, type));
}

function choiceProperty(name: string, type: string): string {
  return name + type.charAt(0).toUpperCase() + type.slice(1);
}

const itself: Step = (value, into) => into.push(value);

function chain(first: Step, second: Step): Step {
  // Most paths begin at the resource, and are asked of each that is written.
  if (first === itself) return second;
  return (node, into) => {
    const between: unknown[] = [];
    first(node, between);
    for (const value of between) second(value, into);
  };
}

function readProperty(property: string): Step {
  return (node, into) => {
    if (typeof node !== 'object' || node === null) return;
    const value = (node as Record<string, unknown>)[property];
    if (value === undefined || value === null) return;
    if (Array.isArray(value)) {
      for (const item of value) if (item !== null) into.push(item);
    } else into.push(value);
  };
}

function readProperties(properties: readonly string[]): Step {
  const steps = properties.map(readProperty);
  return (node, into) => {
    for (const step of steps) step(node, into);
  };
}

function item(node: Extract<PathNode, { kind: 'item' }>, scope: Scope): Compiled {
  const input = compile(node.input, scope);
  const step: Step = (value, into) => {
    const list: unknown[] = [];
    input.step(value, list);
    if (node.index < list.length) into.push(list[node.index]);
  };
  return { step, path: input.path };
}

function cast(node: Extract<PathNode, { kind: 'type' }>, scope: Scope): Compiled {
  const input = compile(node.input, scope);
  if (input.ofType) return { step: input.ofType(node.type) };
  throw new PathSyntaxError(`a cast to ${node.type} is compiled after an element name only`);
}

function typeTest(node: Extract<PathNode, { kind: 'type' }>, scope: Scope): Step {
  const input = node.input;
  if (input.kind !== 'call' || input.name !== 'resolve' || input.args.length > 0) {
    throw new PathSyntaxError('"is" is compiled after resolve() only');
  }
  const reference = compile(input.input, scope).step;
  return (value, into) => {
    const references: unknown[] = [];
    reference(value, references);
    for (const item of references)
      into.push((referenceType(item) ?? containedType(item, scope.root.resource)) === node.type);
  };
}

/** Type of a reference's target as the reference states it: nothing is fetched to index. */
function referenceType(value: unknown): string | undefined {
  const reference = typeof value === 'string' ? value : (value as { reference?: unknown } | null)?.reference;
  if (typeof reference === 'string') {
    const match = /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(reference);
    if (match) return match[1];
  }
  const type = (value as { type?: unknown } | null)?.type;
  return typeof type === 'string' ? type : undefined;
}

/** Type of the contained resource that `#id` leads to. */
function containedType(value: unknown, resource: unknown): unknown {
  const reference = (value as { reference?: unknown } | null)?.reference;
  if (typeof reference !== 'string' || !reference.startsWith('#')) return undefined;
  const { contained } = (resource ?? {}) as { contained?: unknown };
  if (!Array.isArray(contained)) return undefined;
  const target = contained.find((item) => (item as { id?: unknown } | null)?.id === reference.slice(1));
  return (target as { resourceType?: unknown } | undefined)?.resourceType;
}

function call(node: Extract<PathNode, { kind: 'call' }>, scope: Scope): Step {
  const input = compile(node.input, scope).step;
  const values = (value: unknown): unknown[] => {
    const list: unknown[] = [];
    input(value, list);
    return list;
  };
  const [argument, ...rest] = node.args;
  if (rest.length > 0) throw new PathSyntaxError(`${node.name}() with several arguments`);
  switch (node.name) {
    case 'where': {
      if (!argument) break;
      const criteria = compile(argument, { choices: scope.choices, root: scope.root }).step;
      return (value, into) => {
        for (const item of values(value)) if (isTrue(criteria, item)) into.push(item);
      };
    }
    case 'exists': {
      const criteria = argument && compile(argument, { choices: scope.choices, root: scope.root }).step;
      return (value, into) => into.push(values(value).some((item) => !criteria || isTrue(criteria, item)));
    }
    case 'empty':
      if (argument) break;
      return (value, into) => into.push(values(value).length === 0);
    case 'not':
      if (argument) break;
      return (value, into) => {
        for (const item of values(value)) into.push(item !== true);
      };
    case 'first':
      if (argument) break;
      return (value, into) => into.push(...values(value).slice(0, 1));
    case 'extension': {
      if (argument?.kind !== 'literal') break;
      const url = argument.value;
      return (value, into) => {
        for (const item of values(value)) {
          const extensions = (item as { extension?: { url?: string }[] } | null)?.extension ?? [];
          for (const extension of extensions) if (extension.url === url) into.push(extension);
        }
      };
    }
  }
  throw new PathSyntaxError(`${node.name}() is not compiled`);
}

function isTrue(criteria: Step, item: unknown): boolean {
  const result: unknown[] = [];
  criteria(item, result);
  return result.length === 1 && result[0] === true;
}

function binary(node: Extract<PathNode, { kind: 'binary' }>, scope: Scope): Step {
  const left = compile(node.left, scope).step;
  const right = compile(node.right, scope).step;
  if (node.operator === '|') {
    return (value, into) => {
      left(value, into);
      right(value, into);
    };
  }
  if (node.operator === 'and' || node.operator === 'or') {
    const every = node.operator === 'and';
    return (value, into) => {
      const first = isTrue(left, value);
      into.push(every ? first && isTrue(right, value) : first || isTrue(right, value));
    };
  }
  const wanted = node.operator === '=';
  return (value, into) => {
    const lefts: unknown[] = [];
    const rights: unknown[] = [];
    left(value, lefts);
    right(value, rights);
    // An empty operand makes the comparison empty (FHIRPath §6.1.1).
    if (lefts.length === 0 || rights.length === 0) return;
    const same = lefts.length === rights.length && lefts.every((item, index) => item === rights[index]);
    into.push(same === wanted);
  };
}
