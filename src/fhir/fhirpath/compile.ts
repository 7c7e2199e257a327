/**
 * FHIRPath (http://hl7.org/fhirpath/N1) compiled to closures, typed by the definitions. What is outside the subset throws
 * `FhirPathError` when it is compiled, never when it runs; the caller then interprets it.
 */
import type { Shapes } from '../definitions/shapes.ts';
import { ucumSystem } from '../search/ucum.ts';
import {
  type CompileContext,
  type Compiled,
  fromItems,
  fromTruth,
  type Items,
  type Scope,
  type Surroundings,
  truthOf,
} from './compiled.ts';
import { calendarQuantity, isMeanDuration } from './durations.ts';
import { compileCall } from './functions.ts';
import { compileMember } from './members.ts';
import { compileBinary } from './operators.ts';
import { type Expression, parseFhirPath } from './syntax.ts';
import { FhirPathError } from './tokens.ts';
import { compileTypeOperator } from './types.ts';
import { isObject, plain } from './values.ts';

/** Evaluates an expression on one item. */
export interface FhirPath {
  /** Whether the answer is exactly true. */
  isTrue(focus: unknown, surroundings: Surroundings): boolean;
  /** The items it selects; primitives with extensions without those. */
  select(focus: unknown, surroundings: Surroundings): unknown[];
}

/**
 * @param type FHIR type of the focus: a resource, a data type, or a part of one (`Patient.contact`); undefined when unknown.
 * @param resourceType type of the resource the focus is in, when that is known.
 * @throws FhirPathError when the expression is wrong or outside the compiled subset.
 */
export function compileFhirPath(
  expression: string,
  type: string | undefined,
  shapes: Shapes,
  resourceType?: string,
): FhirPath {
  const focus = type === undefined ? undefined : [type];
  const resource = resourceType === undefined ? undefined : [resourceType];
  const compiled = compile(parseFhirPath(expression), { shapes, focus, resource, context: focus });
  const usesContext = expression.includes('%context');
  const scopeOf = (item: unknown, surroundings: Surroundings): Scope =>
    usesContext ? { ...surroundings, context: item } : surroundings;
  return {
    isTrue: (item, surroundings) => compiled.truth([item], scopeOf(item, surroundings)) === true,
    select: (item, surroundings) =>
      compiled.items([item], scopeOf(item, surroundings)).flatMap((each) => plain(each) ?? []),
  };
}

export function compile(node: Expression, context: CompileContext): Compiled {
  switch (node.kind) {
    case 'this':
      return focusOf(context);
    case 'index':
      return fromItems((_, scope) => (scope.index === undefined ? [] : [scope.index]), ['integer']);
    case 'empty':
      return fromItems(() => [], []);
    case 'literal':
      return constant(node.value, node.type);
    case 'quantity':
      return quantity(node);
    case 'total':
      return fromItems((_, scope) => scope.total ?? [], undefined);
    case 'variable':
      return variable(node.name, context);
    case 'member': {
      const isFocus = node.input.kind === 'this';
      return compileMember(compile(node.input, context), node.name, context.shapes, isFocus);
    }
    case 'item':
      return item(compile(node.input, context), compile(node.index, context));
    case 'call':
      return compileCall(node, context, compile);
    case 'type':
      return compileTypeOperator(compile(node.input, context), node.operator, node.type, context.shapes);
    case 'negative': {
      const input = compile(node.input, context);
      return fromItems((focus, scope) => input.items(focus, scope).map((value) => negative(plain(value))), input.types);
    }
    case 'binary':
      return compileBinary(node.operator, compile(node.left, context), compile(node.right, context));
  }
}

function focusOf(context: CompileContext): Compiled {
  return {
    items: (focus) => focus,
    exists: (focus) => focus.length > 0,
    truth: (focus) => truthOf(focus),
    types: context.focus,
  };
}

function constant(value: unknown, type: string): Compiled {
  const items: Items = [value];
  if (typeof value === 'boolean') return fromTruth(() => value);
  return fromItems(() => items, [type], { exists: () => true });
}

function quantity({ value, unit, isCalendar }: Extract<Expression, { kind: 'quantity' }>): Compiled {
  if (isCalendar) return constant(calendarQuantity(value, unit), 'Quantity');
  const literal = constant({ value, unit, system: ucumSystem, code: unit }, 'Quantity');
  return { ...literal, isMeanDuration: isMeanDuration(unit) };
}

const systems: Readonly<Record<string, string>> = {
  ucum: ucumSystem,
  loinc: 'http://loinc.org',
  sct: 'http://snomed.info/sct',
};

function variable(name: string, context: CompileContext): Compiled {
  const text = Object.hasOwn(systems, name) ? systems[name] : valueSetUrl(name);
  if (text !== undefined) return constant(text, 'string');
  const read = (pick: (scope: Scope) => unknown, types: readonly string[] | undefined) =>
    fromItems((_, scope) => {
      const value = pick(scope);
      return value === undefined ? [] : [value];
    }, types);
  if (name === 'resource') return read((scope) => scope.resource, context.resource);
  if (name === 'rootResource') return read((scope) => scope.rootResource, ['Resource']);
  if (name === 'context') return read((scope) => scope.context, context.context);
  throw new FhirPathError(`%${name} is not known`);
}

function valueSetUrl(name: string): string | undefined {
  return name.startsWith('vs-') ? `http://hl7.org/fhir/ValueSet/${name.slice(3)}` : undefined;
}

function item(input: Compiled, index: Compiled): Compiled {
  return fromItems((focus, scope) => {
    const at = plain(index.items(focus, scope)[0]);
    const items = input.items(focus, scope);
    return typeof at === 'number' && at >= 0 && at < items.length ? [items[at]] : [];
  }, input.types);
}

function negative(value: unknown): unknown {
  return isObject(value) ? { ...value, value: -Number(value.value) } : -Number(value);
}
