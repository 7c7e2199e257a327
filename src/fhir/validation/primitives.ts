/** Syntax of the primitive types (https://hl7.org/fhir/R4/datatypes.html#primitive). */

/** What is wrong with the value as this type, in words that do not repeat it; undefined when nothing is. */
export type PrimitiveRule = (value: unknown) => string | undefined;

/** 1 MB, the limit the specification gives to strings; characters here. */
export const maxStringLength = 1024 * 1024;

// What XML 1.0 can carry is what is accepted: no NUL (PostgreSQL neither), no other control character, no lone surrogate.
const illegalCharacter = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

const year = '(?!0000)\\d{4}';
const month = '(?:0[1-9]|1[0-2])';
const day = '(?:0[1-9]|[12]\\d|3[01])';
const time = '(?:[01]\\d|2[0-3]):[0-5]\\d:(?:[0-5]\\d|60)(?:\\.\\d+)?';
const zone = '(?:Z|[+-](?:(?:0\\d|1[0-3]):[0-5]\\d|14:00))';

const datePattern = new RegExp(`^${year}(?:-${month}(?:-${day})?)?$`);
const dateTimePattern = new RegExp(`^${year}(?:-${month}(?:-${day}(?:T${time}${zone})?)?)?$`);
const instantPattern = new RegExp(`^${year}-${month}-${day}T${time}${zone}$`);
const timePattern = new RegExp(`^${time}$`);
const codePattern = /^\S+(?:\s\S+)*$/;
const idPattern = /^[A-Za-z0-9\-.]{1,64}$/;
const oidPattern = /^urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+$/;
const uuidPattern = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;

const maxInteger = 2 ** 31 - 1;

/** True for a legal logical id (https://hl7.org/fhir/R4/datatypes.html#id). */
export function isId(value: string): boolean {
  return idPattern.test(value);
}

/** What no XML can carry, in any spelling. */
export function hasIllegalCharacter(text: string): boolean {
  return illegalCharacter.test(text);
}

function string(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a string';
  if (value.length === 0) return 'must not be empty';
  if (value.length > maxStringLength) return `must not be longer than ${maxStringLength} characters`;
  return hasIllegalCharacter(value) ? 'must not contain control characters or broken Unicode' : undefined;
}

function matching(pattern: RegExp, what: string): PrimitiveRule {
  return (value) => string(value) ?? (pattern.test(value as string) ? undefined : `must be ${what}`);
}

function uri(value: unknown): string | undefined {
  return string(value) ?? (/\s/.test(value as string) ? 'must be a URI: without white space' : undefined);
}

/** Dates of the calendar only: no 31 April, no 29 February of a common year. */
function onCalendar(pattern: RegExp, what: string): PrimitiveRule {
  const syntax = matching(pattern, what);
  return (value) => {
    const problem = syntax(value);
    if (problem) return problem;
    const text = value as string;
    if (text.length < 10) return undefined;
    const [yearNumber, monthNumber, dayNumber] = [text.slice(0, 4), text.slice(5, 7), text.slice(8, 10)].map(Number);
    return dayNumber! <= daysInMonth(yearNumber!, monthNumber!) ? undefined : 'must be a day of the calendar';
  };
}

function daysInMonth(yearNumber: number, monthNumber: number): number {
  if (monthNumber === 2) return yearNumber % 4 === 0 && (yearNumber % 100 !== 0 || yearNumber % 400 === 0) ? 29 : 28;
  return monthNumber === 4 || monthNumber === 6 || monthNumber === 9 || monthNumber === 11 ? 30 : 31;
}

function integerFrom(min: number, what: string): PrimitiveRule {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= maxInteger
      ? undefined
      : `must be ${what}`;
}

/** Content may be megabytes long, and broken into lines: the specification allows white space between characters. */
function base64Binary(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a string';
  if (value.length === 0) return 'must not be empty';
  const data = /\s/.test(value) ? value.replace(/\s+/g, '') : value;
  return data.length > 0 && data.length % 4 === 0 && base64Pattern.test(data) ? undefined : 'must be base64';
}

/** By type; `xhtml` is in narrative.ts. */
export const primitiveRules: Readonly<Record<string, PrimitiveRule>> = {
  base64Binary,
  boolean: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
  canonical: uri,
  code: matching(codePattern, 'a code: no white space at either end, single spaces inside'),
  date: onCalendar(datePattern, 'a date: YYYY, YYYY-MM or YYYY-MM-DD'),
  dateTime: onCalendar(dateTimePattern, 'a dateTime: a date, or YYYY-MM-DDThh:mm:ss with a time zone'),
  decimal: (value) => (typeof value === 'number' && Number.isFinite(value) ? undefined : 'must be a number'),
  id: matching(idPattern, 'an id: 1 to 64 letters, digits, - and .'),
  instant: onCalendar(instantPattern, 'an instant: YYYY-MM-DDThh:mm:ss with a time zone'),
  integer: integerFrom(-maxInteger - 1, 'a 32-bit integer'),
  markdown: string,
  oid: matching(oidPattern, 'an OID: urn:oid: and numbers separated by dots'),
  positiveInt: integerFrom(1, 'a 32-bit integer above zero'),
  string,
  time: matching(timePattern, 'a time: hh:mm:ss'),
  unsignedInt: integerFrom(0, 'a 32-bit integer, zero or above'),
  uri,
  url: uri,
  uuid: matching(uuidPattern, 'a UUID: urn:uuid: and lower-case hexadecimal'),
};
