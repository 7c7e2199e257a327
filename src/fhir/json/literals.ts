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
export function remember(holder: object, property: string, text: string): void {
  const known = (holder as Holder)[literals];
  if (known instanceof Map) known.set(property, text);
  else (holder as Holder)[literals] = new Map([[property, text]]);
}

/** Before another value takes the place of a number: that one may be the same number, written otherwise. */
export function forget(holder: object, property: string): void {
  const known = (holder as Holder)[literals];
  if (known instanceof Map) known.delete(property);
}

/** Moves the texts of the items of a list from an index on, as the items are about to move. @param by 1 or -1; -1 forgets the first. */
export function shiftLiterals(list: object, from: number, by: 1 | -1): void {
  const known = (list as Holder)[literals];
  if (!(known instanceof Map)) return;
  const moved = [...known].flatMap(([index, text]): [string, string][] => {
    const at = Number(index);
    if (at < from) return [[index, text]];
    return by === -1 && at === from ? [] : [[String(at + by), text]];
  });
  (list as Holder)[literals] = new Map(moved);
}

/** Says that something inside the holder remembers. */
export function markHolder(holder: object): void {
  (holder as Holder)[literals] ??= 'inside';
}

/** The text of a number as it came, while the number is still that one. */
export function literalOf(holder: object, property: string, value: number): string | undefined {
  const known = (holder as Holder)[literals];
  const text = known instanceof Map ? known.get(property) : undefined;
  return text !== undefined && Number(text) === value ? text : undefined;
}

/** For those who rebuild an object from its entries: the copy remembers what the original did. */
export function keepLiterals<T extends object>(original: object, copy: T): T {
  const known = (original as Holder)[literals];
  if (known !== undefined) (copy as Holder)[literals] = known instanceof Map ? new Map(known) : known;
  return copy;
}

/** Digits of a number, and its exponent either way: a hundred times what R4 asks servers to keep, a tenth of what the database takes. */
const mostDigits = 1_000;

/** Whether some number is spelt longer than the database can read, which would fail every search that looks into the content. */
export function hasEndlessNumber(value: unknown): boolean {
  if (!hasLiterals(value)) return false;
  const known = (value as Holder)[literals];
  if (known instanceof Map && [...known.values()].some(isEndless)) return true;
  return Object.values(value as object).some(hasEndlessNumber);
}

function isEndless(text: string): boolean {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  return mantissa.length > mostDigits || Math.abs(Number(exponent)) > mostDigits;
}
