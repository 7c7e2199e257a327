/** Functions that evaluate an argument on each item of their input, and `iif`. */
import { type Compiled, type FunctionCompiler, fromItems, fromTruth, type Items, type Scope } from './compiled.ts';
import { FhirPathError } from './tokens.ts';
import { compileOfType } from './types.ts';
import { distinct, longestText } from './values.ts';

/** Asks the criteria of each item in turn, telling it `$index`, until `visit` answers true. */
function eachItem(
  criteria: Compiled,
  items: Items,
  scope: Scope,
  visit: (holds: boolean, item: unknown) => boolean | undefined,
): void {
  if (items.length === 0) return;
  const inner = { ...scope, index: 0 };
  for (; inner.index < items.length; inner.index++) {
    const item = items[inner.index];
    if (visit(criteria.truth([item], inner) === true, item)) return;
  }
}

function kept(criteria: Compiled, items: Items, scope: Scope): unknown[] {
  const found: unknown[] = [];
  eachItem(criteria, items, scope, (holds, item) => {
    if (holds) found.push(item);
    return false;
  });
  return found;
}

/** Whether some item answers as asked. */
function some(criteria: Compiled, items: Items, scope: Scope, answer: boolean): boolean {
  let found = false;
  eachItem(criteria, items, scope, (holds) => {
    found = holds === answer;
    return found;
  });
  return found;
}

function sameTypes(one: Compiled, other: Compiled): boolean {
  return one.types?.join() === other.types?.join();
}

/** What doubles at every item would fill the memory long before it is done. */
const largestTotal = 10_000;

function isTooLong(item: unknown): boolean {
  return typeof item === 'string' && item.length > longestText;
}

export const criteriaFunctions: Readonly<Record<string, FunctionCompiler>> = {
  where(call) {
    const criteria = call.criteria(0);
    return fromItems((focus, scope) => kept(criteria, call.input.items(focus, scope), scope), call.input.types, {
      exists: (focus, scope) => some(criteria, call.input.items(focus, scope), scope, true),
      ofType: (type) => {
        const restricted = call.input.ofType?.(type);
        return (
          restricted &&
          fromItems((focus, scope) => kept(criteria, restricted.items(focus, scope), scope), restricted.types)
        );
      },
    });
  },
  exists(call) {
    if (call.args.length === 0) return fromTruth((focus, scope) => call.input.exists(focus, scope));
    const criteria = call.criteria(0);
    return fromTruth((focus, scope) => some(criteria, call.input.items(focus, scope), scope, true));
  },
  all(call) {
    const criteria = call.criteria(0);
    return fromTruth((focus, scope) => !some(criteria, call.input.items(focus, scope), scope, false));
  },
  select(call) {
    const projection = call.criteria(0);
    return fromItems(
      (focus, scope) =>
        call.input.items(focus, scope).flatMap((item, index) => projection.items([item], { ...scope, index })),
      projection.types,
    );
  },
  repeat(call) {
    const first = call.criteria(0);
    // What a step yields may have other types than what it started from.
    const next = sameTypes(first, call.input) ? first : call.on(0, first.types);
    if (!sameTypes(next, first)) throw new FhirPathError('repeat() over several types');
    return fromItems((focus, scope) => {
      const found: unknown[] = [];
      let items = call.input.items(focus, scope);
      for (let step = first; items.length > 0; step = next) {
        const yielded = items.flatMap((item, index) => step.items([item], { ...scope, index }));
        // As long as there are new ones: what leads back to itself comes to an end.
        items = distinct([...found, ...yielded]).slice(found.length);
        for (const item of items) found.push(item);
      }
      return found;
    }, next.types);
  },
  aggregate(call) {
    const step = call.criteria(0);
    const start = call.args.length > 1 ? call.argument(1) : undefined;
    return fromItems((focus, scope) => {
      const inner: Scope = { ...scope, index: 0, total: start?.items(focus, scope) ?? [] };
      for (const [index, item] of call.input.items(focus, scope).entries()) {
        inner.index = index;
        inner.total = step.items([item], { ...inner });
        if (inner.total.length > largestTotal || inner.total.some(isTooLong)) return [];
      }
      return inner.total ?? [];
    }, step.types);
  },
  ofType(call) {
    const [type] = call.args;
    if (type?.kind !== 'member') throw new FhirPathError('ofType() needs a type');
    return compileOfType(call.input, type.name, call.context.shapes);
  },
  iif(call) {
    const criteria = call.criteria(0);
    const [, , otherwise] = call.args;
    const [first, second] = [call.criteria(1), otherwise && call.criteria(2)];
    const types =
      first.types && (!second || second.types) ? [...new Set([...first.types, ...(second?.types ?? [])])] : undefined;
    return fromItems((focus, scope) => {
      const items = call.input.items(focus, scope);
      return criteria.truth(items, scope) === true ? first.items(items, scope) : (second?.items(items, scope) ?? []);
    }, types);
  },
  // For the author of an expression to look inside it; nothing is to be seen here.
  trace: (call) => call.input,
};
