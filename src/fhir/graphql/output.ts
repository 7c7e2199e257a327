/** The object an answer grows in. `@flatten` puts the fields of several objects into one, where single values become lists. */
import { GraphQLError } from 'graphql';

type Shape = 'single' | 'list' | 'singleton';

interface Slot {
  shape: Shape;
  values: unknown[];
}

export interface Output {
  /** Says that there is a field, also when it gets no value; a shape once given stays. */
  declare(name: string, shape: Shape): void;
  /** @throws GraphQLError for the second value of a field marked `@singleton`. */
  add(name: string, value: unknown): void;
  /** The object itself, fields in order. */
  finish(): Record<string, unknown>;
}

export function createOutput(): Output {
  const slots = new Map<string, Slot>();
  return {
    declare(name, shape) {
      const slot = slots.get(name);
      if (!slot) slots.set(name, { shape, values: [] });
      else if (slot.shape === 'single' && shape === 'list') slot.shape = 'list';
    },
    add(name, value) {
      const slot = slots.get(name)!;
      if (slot.shape === 'singleton' && slot.values.length > 0) {
        throw new GraphQLError(`${name} is marked @singleton and has several values`);
      }
      slot.values.push(value);
    },
    finish: () => Object.fromEntries([...slots].map(([name, { shape, values }]) => [name, merged(shape, values)])),
  };
}

/** Asked for twice, an object's fields come together. */
function merged(shape: Shape, values: unknown[]): unknown {
  if (shape === 'list') return values;
  const [first, ...more] = values;
  if (more.length === 0) return first ?? null;
  return more.every(isObject) && isObject(first) ? Object.assign({}, first, ...more) : values.at(-1);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
