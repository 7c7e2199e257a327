/**
 * Numbers are plain JavaScript numbers everywhere; where that loses how one was written (`1.00`), the object it is in remembers the
 * text under a symbol. Object spread and rest keep it, JSON.stringify, Object.keys and validators do not see it.
 */

const literals: unique symbol = Symbol('literals');

/** Texts of numbers by property; a word in an object that only has such objects inside. */
type Holder = { [literals]?: Map<string, string> | 'inside' };

/** True when the value, or something inside it, remembers the text of a number. */
export function hasLiterals(value: unknown): boolean {
  return typeof value === 'object' && value !== null && (value as Holder)[literals] !== undefined;
}

/** While the object is being made, before there are copies of it. */
export function remember(holder: Holder, property: string, text: string): void {
  const known = holder[literals];
  if (known instanceof Map) known.set(property, text);
  else holder[literals] = new Map([[property, text]]);
}

/** Says that something inside the holder remembers. */
export function markHolder(holder: Holder): void {
  holder[literals] ??= 'inside';
}

/** The text of a number as it came, while the number is still that one. */
export function literalOf(holder: Holder, property: string, value: number): string | undefined {
  const known = holder[literals];
  const text = known instanceof Map ? known.get(property) : undefined;
  return text !== undefined && Number(text) === value ? text : undefined;
}

/** For those who rebuild an object from its entries: the copy remembers what the original did. */
export function keepLiterals<T extends object>(original: object, copy: T): T {
  const known = (original as Holder)[literals];
  if (known !== undefined) (copy as Holder)[literals] = known;
  return copy;
}
