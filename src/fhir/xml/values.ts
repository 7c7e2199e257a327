/** Elements of XML as properties of JSON (https://hl7.org/fhir/R4/json.html#primitive). */
import { hasLiterals, isUnusual, markHolder, remember } from '../json/index.ts';
import type { XmlElement } from './elements.ts';

export type Content = Record<string, unknown>;

const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** What does not look like its type stays a string: the validator says what is wrong with it. */
export function primitiveValue({ json }: XmlElement, text: string | undefined): unknown {
  if (text === undefined || json === 'string') return text;
  if (json === 'number') return numberPattern.test(text) ? Number(text) : text;
  return text === 'true' ? true : text === 'false' ? false : text;
}

/**
 * Puts an element into its parent. Of a repeated primitive, values and `_` contents are two arrays of one length, `null` where one has
 * none; an array of nulls only is left out.
 * @param literal the text a number was written with.
 */
export function attach(parent: Content, element: XmlElement, value: unknown, shadow?: Content, literal?: string): void {
  const { name, repeats } = element;
  if (!repeats) {
    if (value !== undefined) parent[name] = value;
    if (shadow !== undefined) parent[`_${name}`] = shadow;
    if (typeof value === 'number' && isUnusual(literal!)) remember(parent, name, literal!);
  } else {
    const length = lengthOf(parent[name]) ?? lengthOf(parent[`_${name}`]) ?? 0;
    append(parent, name, value, length);
    append(parent, `_${name}`, shadow, length);
    if (typeof value === 'number' && isUnusual(literal!)) {
      remember(parent[name] as object, String(length), literal!);
      markHolder(parent);
    }
  }
  if (hasLiterals(value) || hasLiterals(shadow)) markHolder(parent);
}

function append(parent: Content, name: string, item: unknown, length: number): void {
  const items = parent[name];
  if (Array.isArray(items)) items.push(item ?? null);
  else if (item !== undefined) parent[name] = [...Array.from({ length }, () => null), item];
}

function lengthOf(items: unknown): number | undefined {
  return Array.isArray(items) ? items.length : undefined;
}
