/** `+ - * / div mod` (http://hl7.org/fhirpath/N1/#math): numbers, texts, quantities, and dates and times with durations. */
import { createUcum, ucumSystem } from '../search/ucum.ts';
import { type Compiled, fromItems, type Items } from './compiled.ts';
import { movedTime } from './durations.ts';
import { inUnitOf, type UnitOf } from './order.ts';
import { timeTypes } from './times.ts';
import { isObject, longestText, plain } from './values.ts';

type Quantity = Readonly<Record<string, unknown>>;

interface Work {
  /** Not a finite number: a division by zero, which is empty. */
  numbers(a: number, b: number): number;
  texts?(a: string, b: string): string | undefined;
  quantities?(a: Quantity, b: Quantity, unitOf: UnitOf): Quantity | undefined;
}

const moved =
  (sign: 1 | -1): NonNullable<Work['quantities']> =>
  (a, b, unitOf) => {
    const other = inUnitOf(a, b, unitOf);
    return typeof a.value === 'number' && other !== undefined
      ? { ...a, value: exact(a.value + sign * other) }
      : undefined;
  };

export const arithmetic: Readonly<Record<string, (left: Compiled, right: Compiled) => Compiled>> = {
  '+': sum(1, {
    numbers: (a, b) => a + b,
    texts: (a, b) => (a.length + b.length > longestText ? undefined : a + b),
    quantities: moved(1),
  }),
  '-': sum(-1, { numbers: (a, b) => a - b, quantities: moved(-1) }),
  '*': product({ numbers: (a, b) => a * b, quantities: (a, b) => composed(a, b, '.') }),
  '/': product({ numbers: (a, b) => a / b, quantities: (a, b) => composed(a, b, '/') }),
  div: (left, right) => calculation(left, right, { numbers: (a, b) => Math.trunc(a / b) }),
  mod: (left, right) => calculation(left, right, { numbers: (a, b) => a % b }),
};

/** Also of a date, dateTime or time and a duration. */
function sum(sign: 1 | -1, work: Work) {
  return (left: Compiled, right: Compiled): Compiled => {
    const { texts, ...withoutTexts } = work;
    const isTime = left.types?.every((type) => timeTypes.has(type)) ?? false;
    const other = calculation(left, right, isTime ? withoutTexts : work);
    // A literal of UCUM that no date can be moved by: nothing, whatever the date.
    const byMean = right.isMeanDuration === true;
    return fromItems(
      (focus, scope) => {
        const [a, b] = [left.items(focus, scope), right.items(focus, scope)];
        const [time, duration] = [plain(a[0]), plain(b[0])];
        if (a.length !== 1 || b.length !== 1 || typeof time !== 'string' || !isObject(duration))
          return other.items(focus, scope);
        const result = byMean ? undefined : movedTime(time, duration, sign);
        return result === undefined ? [] : [result];
      },
      isText(left) ? ['string'] : left.types && right.types && isNumber(right) ? other.types : left.types,
    );
  };
}

/** Also of a quantity and a number: so many times as much. */
function product(work: Work) {
  return (left: Compiled, right: Compiled) => calculation(left, right, work);
}

function calculation(left: Compiled, right: Compiled, work: Work): Compiled {
  const unitOf = createUcum();
  const types = resultTypes(left, right);
  return fromItems((focus, scope) => {
    const [a, b] = [left.items(focus, scope), right.items(focus, scope)];
    return a.length === 1 && b.length === 1 ? calculated(plain(a[0]), plain(b[0]), work, unitOf) : [];
  }, types);
}

/** Operands that do not go together give nothing. */
function calculated(a: unknown, b: unknown, work: Work, unitOf: UnitOf): Items {
  if (typeof a === 'number' && typeof b === 'number') {
    const result = work.numbers(a, b);
    return Number.isFinite(result) ? [exact(result)] : [];
  }
  if (typeof a === 'string' && typeof b === 'string') {
    const text = work.texts?.(a, b);
    return text === undefined ? [] : [text];
  }
  const [first, second] = [asQuantity(a, b), asQuantity(b, a)];
  const quantity = first && second && work.quantities?.(first, second, unitOf);
  return quantity && Number.isFinite(quantity.value) ? [quantity] : [];
}

/** A number beside a quantity is one without a unit. */
function asQuantity(value: unknown, other: unknown): Quantity | undefined {
  if (isObject(value)) return value;
  return typeof value === 'number' && isObject(other) ? { value, unit: '1', system: ucumSystem, code: '1' } : undefined;
}

/** Decimals are exact: 1.8 - 1.2 is 0.6, which doubles miss in the last digit. */
function exact(value: number): number {
  return Number.isInteger(value) || !Number.isFinite(value) ? value : Number(value.toPrecision(15));
}

/** The unit of a product or ratio is that of the units. */
function composed(a: Quantity, b: Quantity, operator: '.' | '/'): Quantity | undefined {
  if (typeof a.value !== 'number' || typeof b.value !== 'number') return undefined;
  if (a.system !== ucumSystem || b.system !== ucumSystem) return undefined;
  const code =
    b.code === '1'
      ? String(a.code)
      : a.code === '1' && operator === '.'
        ? String(b.code)
        : `(${a.code})${operator}(${b.code})`;
  const value = exact(operator === '.' ? a.value * b.value : a.value / b.value);
  return { value, unit: code, system: ucumSystem, code };
}

const numberTypes: ReadonlySet<string> = new Set(['integer', 'positiveInt', 'unsignedInt', 'decimal']);

function isNumber({ types }: Compiled): boolean {
  return types?.every((type) => numberTypes.has(type)) ?? false;
}

function isText({ types }: Compiled): boolean {
  return types?.[0] === 'string';
}

/** Undefined where an operand may be a quantity, or anything. */
function resultTypes(left: Compiled, right: Compiled): readonly string[] | undefined {
  if (isText(left)) return ['string'];
  return isNumber(left) && isNumber(right) ? ['decimal'] : undefined;
}
