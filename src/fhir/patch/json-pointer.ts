/** JSON Pointer (RFC 6901): where in a document an operation of a JSON Patch works. */
export type JsonObject = Record<string, unknown>;

/** Deeper than any resource that passes validation. */
const maxSegments = 256;

/** The segments of a pointer; none for the whole document; undefined when the text is no pointer. */
export function parsePointer(text: unknown): string[] | undefined {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/')) || /~(?![01])/.test(text)) return undefined;
  const segments = text.split('/').slice(1);
  if (segments.length > maxSegments) return undefined;
  return segments.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Index of an element that is there (or, with `mayAppend`, of the one after the last); undefined otherwise. RFC 6901 §4: no sign, no leading zero. */
export function arrayIndex(segment: string, length: number, mayAppend = false): number | undefined {
  if (segment === '-') return mayAppend ? length : undefined;
  if (!/^(?:0|[1-9]\d{0,8})$/.test(segment)) return undefined;
  const index = Number(segment);
  return index < length || (mayAppend && index === length) ? index : undefined;
}

/** The value a pointer leads to. */
export function valueAt(document: unknown, segments: readonly string[]): { value: unknown } | undefined {
  let value = document;
  for (const segment of segments) {
    if (Array.isArray(value)) {
      const index = arrayIndex(segment, value.length);
      if (index === undefined) return undefined;
      value = value[index];
    } else if (isJsonObject(value) && Object.hasOwn(value, segment)) value = value[segment];
    else return undefined;
  }
  return { value };
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sets an own property, also one named `__proto__`, which an assignment would take for something else. */
export function setProperty(target: JsonObject, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}
