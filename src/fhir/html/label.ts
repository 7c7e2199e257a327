/** One line that tells a person which resource this is, when the resource has something of the kind. */

type Content = Record<string, unknown>;

/** In this order: what a person would call it by. */
const candidates = [
  'name',
  'title',
  'code',
  'vaccineCode',
  'medicationCodeableConcept',
  'type',
  'description',
  'identifier',
];

export function labelOf(resource: Content): string {
  for (const name of candidates) {
    const text = textOf(Array.isArray(resource[name]) ? resource[name][0] : resource[name]);
    if (text) return text.slice(0, 120);
  }
  return '';
}

/** HumanName, CodeableConcept, Coding, Identifier or a string. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const { text, display, family, given, coding, code, value: identifier } = value as Content;
  if (typeof text === 'string') return text;
  if (typeof family === 'string') return [...(Array.isArray(given) ? given : []), family].filter(isText).join(' ');
  if (typeof display === 'string') return display;
  if (Array.isArray(coding)) return textOf(coding[0]);
  return [code, identifier].find(isText);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
