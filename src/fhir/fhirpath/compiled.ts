/** What a compiled expression is: closures over collections, and what is known of the types of its items. */

import type { Shapes } from '../definitions/shapes.ts';
import type { Expression } from './syntax.ts';

export type Items = readonly unknown[];

/** What an expression may look at beside its focus. */
export interface Surroundings {
  /** `%resource`: the resource the focus is in. */
  resource: unknown;
  /** `%rootResource`: the resource that contains it, or itself. */
  rootResource: unknown;
  /** `%context`: what the whole expression is evaluated on. */
  context?: unknown;
  /** What `now()` and `today()` tell, for as long as an evaluation lasts; the clock when absent. */
  now?: Date;
  /** Target of a reference, as far as it is at hand (contained, or in the same Bundle). */
  resolve?(reference: string): unknown;
  /** Whether the item conforms to a profile; undefined when the profile is not known. */
  conformsTo?(item: unknown, profile: string): boolean | undefined;
  /** Whether the coded item is in a value set; undefined when that cannot be said. */
  memberOf?(item: unknown, valueSet: string): boolean | undefined;
}

/** `$index` and the item under test, inside the criteria of `where` and its kin. */
export interface Scope extends Surroundings {
  index?: number;
  /** `$total` of `aggregate`. */
  total?: Items;
}

export interface Compiled {
  items(focus: Items, scope: Scope): Items;
  /** Same as `items(…).length > 0`, without making the items where that can be helped. */
  exists(focus: Items, scope: Scope): boolean;
  /** As an operand of `and`, `or`, …: undefined when empty (http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections). */
  truth(focus: Items, scope: Scope): boolean | undefined;
  /** FHIR types of the items; undefined when they are not known. `boolean` and the like also stand for System types. */
  types: readonly string[] | undefined;
  /** A literal that is a duration of UCUM by which no date is moved. */
  isMeanDuration?: boolean;
  /** The same restricted to items of one type, where the type decides which JSON property is read. */
  ofType?(type: string): Compiled | undefined;
}

/** What compiling needs to know. */
export interface CompileContext {
  shapes: Shapes;
  /** Types of the focus; undefined when it may be anything. */
  focus: readonly string[] | undefined;
  /** Types of `%resource`. */
  resource: readonly string[] | undefined;
  /** Types of `%context`. */
  context: readonly string[] | undefined;
}

/** Compiles a call from its input and its arguments, which it compiles itself: their focus is its choice. */
export type FunctionCompiler = (call: FunctionCall) => Compiled;

export interface FunctionCall {
  name: string;
  input: Compiled;
  args: readonly Expression[];
  context: CompileContext;
  /** An argument evaluated on the focus of the whole call: `a.take(n)`. */
  argument(index: number): Compiled;
  /** An argument evaluated on each item of the input: `a.where(…)`. */
  criteria(index: number): Compiled;
  /** An argument evaluated on items of these types. */
  on(index: number, types: readonly string[] | undefined): Compiled;
}

const none: Items = [];
const yes: Items = [true];
const no: Items = [false];

export function fromItems(
  items: (focus: Items, scope: Scope) => Items,
  types: readonly string[] | undefined,
  more: Partial<Compiled> = {},
): Compiled {
  return {
    items,
    exists: (focus, scope) => items(focus, scope).length > 0,
    truth: (focus, scope) => truthOf(items(focus, scope)),
    types,
    ...more,
  };
}

/** For what answers true, false or nothing. */
export function fromTruth(truth: (focus: Items, scope: Scope) => boolean | undefined): Compiled {
  return {
    items(focus, scope) {
      const value = truth(focus, scope);
      return value === undefined ? none : value ? yes : no;
    },
    exists: (focus, scope) => truth(focus, scope) !== undefined,
    truth,
    types: ['boolean'],
  };
}

/** One item that is no boolean counts as true; several cannot be a condition. */
export function truthOf(items: Items): boolean | undefined {
  if (items.length === 0) return undefined;
  const [item] = items;
  if (items.length > 1) return undefined;
  const value = typeof item === 'object' && item !== null && 'value' in item && 'element' in item ? item.value : item;
  return typeof value === 'boolean' ? value : true;
}
