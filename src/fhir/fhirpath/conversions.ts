/** Conversions of one item (http://hl7.org/fhirpath/N1/#conversion). An empty input gives nothing, and so does more than one item. */
import { ucumSystem } from '../search/ucum.ts';
import { type FunctionCompiler, fromItems } from './compiled.ts';
import { calendarQuantity, calendarUnit } from './durations.ts';
import { formatTime, parseTime } from './times.ts';
import { isObject, plain } from './values.ts';

function conversion(convert: (value: unknown) => unknown, type: string): FunctionCompiler {
  return ({ input }) =>
    fromItems(
      (focus, scope) => {
        const items = input.items(focus, scope);
        if (items.length !== 1) return [];
        const result = convert(plain(items[0]));
        return result === undefined ? [] : [result];
      },
      [type],
    );
}

function convertible(convert: (value: unknown) => unknown): FunctionCompiler {
  return conversion((value) => convert(value) !== undefined, 'boolean');
}

const toInteger = (value: unknown) => {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number') return Number.isInteger(value) ? value : undefined;
  return typeof value === 'string' && /^[+-]?\d+$/.test(value) ? Number(value) : undefined;
};
const toDecimal = (value: unknown) => {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^[+-]?\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
};
const toText = (value: unknown) => {
  if (isObject(value)) return quantityText(value);
  return value === undefined || typeof value === 'object' ? undefined : String(value);
};
const toBoolean = (value: unknown) => {
  if (typeof value === 'boolean') return value;
  const text = String(value).toLowerCase();
  if (['true', 't', 'yes', 'y', '1', '1.0'].includes(text)) return true;
  return ['false', 'f', 'no', 'n', '0', '0.0'].includes(text) ? false : undefined;
};

/** `1 'mg'`, `2 weeks`. */
function quantityText({ value, code, unit, resourceType }: Record<string, unknown>): string | undefined {
  if (typeof value !== 'number' || resourceType !== undefined) return undefined;
  const word = typeof unit === 'string' ? unit : '';
  return calendarUnit(word) ? `${value} ${word}` : `${value} '${String(code ?? unit ?? '1')}'`;
}

const quantityPattern = /^([+-]?\d+(?:\.\d+)?)(?:\s*(?:'([^']+)'|([a-z]+)))?$/;
const toQuantity = (value: unknown) => {
  if (typeof value === 'boolean' || typeof value === 'number') return unitQuantity(Number(value), '1');
  if (isObject(value)) return typeof value.value === 'number' && value.resourceType === undefined ? value : undefined;
  const match = typeof value === 'string' ? quantityPattern.exec(value) : undefined;
  if (!match) return undefined;
  const [, number, code = '1', word] = match;
  if (word === undefined) return unitQuantity(Number(number), code);
  const unit = calendarUnit(word);
  return unit && calendarQuantity(Number(number), unit);
};

function unitQuantity(value: number, code: string) {
  return { value, unit: code, system: ucumSystem, code };
}

/** The part of a date or time that a type has; undefined for what is none. */
function timeLike(keep: (time: NonNullable<ReturnType<typeof parseTime>>) => boolean, mostParts = 6) {
  return (value: unknown): string | undefined => {
    const time = typeof value === 'string' ? parseTime(value) : undefined;
    if (!time || !keep(time)) return undefined;
    if (time.parts.length <= mostParts) return formatTime(time);
    return formatTime({ ...time, parts: time.parts.slice(0, mostParts), fraction: '', zone: undefined });
  };
}
const toDate = timeLike(({ isTime }) => !isTime, 3);
const toDateTime = timeLike(({ isTime }) => !isTime);
const toTime = timeLike(({ isTime, zone }) => isTime && zone === undefined);

const conversions: Readonly<Record<string, [convert: (value: unknown) => unknown, type: string]>> = {
  Integer: [toInteger, 'integer'],
  Decimal: [toDecimal, 'decimal'],
  String: [toText, 'string'],
  Boolean: [toBoolean, 'boolean'],
  Quantity: [toQuantity, 'Quantity'],
  Date: [toDate, 'date'],
  DateTime: [toDateTime, 'dateTime'],
  Time: [toTime, 'time'],
};

/** `toX()` and `convertsToX()`. */
export const conversionFunctions: Readonly<Record<string, FunctionCompiler>> = Object.fromEntries(
  Object.entries(conversions).flatMap(([name, [convert, type]]): [string, FunctionCompiler][] => [
    [`to${name}`, conversion(convert, type)],
    [`convertsTo${name}`, convertible(convert)],
  ]),
);
