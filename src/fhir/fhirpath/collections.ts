/** Functions on whole collections: existence, subsetting, combining, navigation. */
import { type FunctionCall, type FunctionCompiler, fromItems, fromTruth, type Items, type Scope } from './compiled.ts';
import { childrenOf, distinct, isEqual, plain } from './values.ts';

/** The input through a function of its items alone; the types stay. */
function subset(pick: (items: Items) => Items): FunctionCompiler {
  return ({ input }) => fromItems((focus, scope) => pick(input.items(focus, scope)), input.types);
}

function aboutBooleans(test: (values: unknown[]) => boolean): FunctionCompiler {
  return ({ input }) => fromTruth((focus, scope) => test(input.items(focus, scope).map(plain)));
}

function withOther(combine: (items: Items, others: Items) => Items): FunctionCompiler {
  return (call) => {
    const other = call.argument(0);
    const types = call.input.types && other.types ? [...new Set([...call.input.types, ...other.types])] : undefined;
    return fromItems((focus, scope) => combine(call.input.items(focus, scope), other.items(focus, scope)), types);
  };
}

function contained(test: (items: Items, others: Items) => boolean): FunctionCompiler {
  return (call) => {
    const other = call.argument(0);
    return fromTruth((focus, scope) => test(call.input.items(focus, scope), other.items(focus, scope)));
  };
}

const includes = (items: Items, item: unknown) => items.some((other) => isEqual(item, other));

function counted(pick: (items: Items, count: number) => Items): FunctionCompiler {
  return (call) => {
    const count = call.argument(0);
    return fromItems(
      (focus, scope) => pick(call.input.items(focus, scope), Number(plain(count.items(focus, scope)[0]))),
      call.input.types,
    );
  };
}

/** Everything below an item; resources are trees, and their depth is limited where they are read. */
function descendants(items: Items): unknown[] {
  const found: unknown[] = [];
  for (const item of items) childrenOf(item, found);
  for (let at = 0; at < found.length; at++) childrenOf(found[at], found);
  return found;
}

function children(items: Items): unknown[] {
  const found: unknown[] = [];
  for (const item of items) childrenOf(item, found);
  return found;
}

function ofUnknownType(pick: (items: Items) => Items): FunctionCompiler {
  return ({ input }: FunctionCall) =>
    fromItems((focus: Items, scope: Scope) => pick(input.items(focus, scope)), undefined);
}

export const collectionFunctions: Readonly<Record<string, FunctionCompiler>> = {
  empty: ({ input }) => fromTruth((focus, scope) => !input.exists(focus, scope)),
  count: ({ input }) => fromItems((focus, scope) => [input.items(focus, scope).length], ['integer']),
  not: ({ input }) =>
    fromTruth((focus, scope) => {
      const value = input.truth(focus, scope);
      return value === undefined ? undefined : !value;
    }),
  allTrue: aboutBooleans((values) => values.every((value) => value === true)),
  anyTrue: aboutBooleans((values) => values.includes(true)),
  allFalse: aboutBooleans((values) => values.every((value) => value === false)),
  anyFalse: aboutBooleans((values) => values.includes(false)),
  distinct: subset(distinct),
  isDistinct: ({ input }) =>
    fromTruth((focus, scope) => {
      const items = input.items(focus, scope);
      return distinct(items).length === items.length;
    }),
  single: subset((items) => (items.length === 1 ? items : [])),
  first: subset((items) => items.slice(0, 1)),
  last: subset((items) => items.slice(-1)),
  tail: subset((items) => items.slice(1)),
  skip: counted((items, count) => items.slice(Math.max(count, 0))),
  take: counted((items, count) => items.slice(0, Math.max(count, 0))),
  intersect: withOther((items, others) => distinct(items.filter((item) => includes(others, item)))),
  exclude: withOther((items, others) => items.filter((item) => !includes(others, item))),
  union: withOther((items, others) => distinct([...items, ...others])),
  combine: withOther((items, others) => [...items, ...others]),
  subsetOf: contained((items, others) => items.every((item) => includes(others, item))),
  supersetOf: contained((items, others) => others.every((item) => includes(items, item))),
  children: ofUnknownType(children),
  descendants: ofUnknownType(descendants),
};
