/**
 * One look over a JSON text before it is parsed: is it deeper or larger than a resource can be, and has it a number that JavaScript
 * would spell otherwise (https://hl7.org/fhir/R4/json.html#decimal). About 1 µs per kB, a quarter of parsing.
 */
import { FhirError } from '../contract.ts';

/** Objects and arrays inside one another: the validator takes 64 levels of elements, each of them perhaps in an array. */
const maxNesting = 192;

/** Objects and arrays in one text: about 60 bytes of memory each, whatever their few characters say. */
const maxContainers = 2_000_000;

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const minus = 0x2d;
const colon = 0x3a;

/**
 * @returns true when a number of the text is spelt otherwise than JSON.stringify would (`1.00`, `1e3`, 20 digits). A text that is
 * not JSON gives either answer: the parser refuses it.
 * @throws FhirError 400 beyond the limits.
 */
export function hasUnusualNumber(text: string): boolean {
  return scan(text).hasUnusualNumber;
}

/** @returns also how many members its objects have together, however often a name is said. @throws FhirError 400 beyond the limits. */
export function scan(text: string): { hasUnusualNumber: boolean; members: number } {
  let depth = 0;
  let containers = 0;
  let members = 0;
  let found = false;
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code === quote) {
      position = endOfString(text, position);
      if (position === -1) break;
    } else if (code === openBrace || code === openBracket) {
      if (++depth > maxNesting) throw tooDeep();
      if (++containers > maxContainers) throw tooMany();
    } else if (code === closeBrace || code === closeBracket) {
      depth--;
    } else if (code === minus || isDigit(code)) {
      const start = position;
      while (isNumberPart(text.charCodeAt(position + 1))) position++;
      found ||= isUnusual(text.slice(start, position + 1));
    } else if (code === colon) members++;
  }
  return { hasUnusualNumber: found, members };
}

/** True for a number whose text is lost when it becomes a JavaScript number. */
export function isUnusual(literal: string): boolean {
  return String(Number(literal)) !== literal;
}

/** Position of the closing quote; -1 when there is none. */
function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end === -1 || text.charCodeAt(end - 1) !== backslash) return end;
    let before = end - 1;
    while (text.charCodeAt(before) === backslash) before--;
    // An even number of backslashes are escaped backslashes; the quote then ends the string.
    if ((end - before) % 2 === 1) return end;
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Digits, sign, point and exponent. */
function isNumberPart(code: number): boolean {
  return isDigit(code) || code === 0x2e || code === minus || code === 0x2b || code === 0x65 || code === 0x45;
}

function tooDeep(): FhirError {
  return new FhirError(400, 'too-long', `the body nests deeper than ${maxNesting} levels`);
}

function tooMany(): FhirError {
  return new FhirError(413, 'too-long', `the body has more than ${maxContainers} objects and arrays`);
}
