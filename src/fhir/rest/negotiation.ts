/** Which representation is asked for and sent (https://hl7.org/fhir/R4/http.html#mime-type, RFC 9110 §12.5.1): JSON, XML, a page for people, or the raw form of a Binary. */
export const fhirJson = 'application/fhir+json';
export const fhirXml = 'application/fhir+xml';

/** How a resource is written. */
export type Format = 'json' | 'xml' | 'html';

export const contentTypes: Readonly<Record<Format, string>> = {
  json: `${fhirJson}; charset=utf-8`,
  xml: `${fhirXml}; charset=utf-8`,
  html: 'text/html; charset=utf-8',
};

const typesOf: Readonly<Record<Format, ReadonlySet<string>>> = {
  json: new Set([fhirJson, 'application/json', 'text/json', 'application/json+fhir']),
  xml: new Set([fhirXml, 'application/xml', 'text/xml', 'application/xml+fhir']),
  html: new Set(['text/html']),
};

/** In the order of preference when a caller has none. */
const formats: readonly Format[] = ['json', 'xml', 'html'];

/** Media type without parameters, lower case. */
export function mediaType(header: string | undefined): string | undefined {
  return header?.replace(/;.*$/s, '').trim().toLowerCase() || undefined;
}

/** The format a body of this content type is in; a page never comes in. */
export function formatOfContent(header: string | undefined): 'json' | 'xml' | undefined {
  const type = mediaType(header);
  if (type === undefined || isOtherVersion(header!)) return undefined;
  return typesOf.json.has(type) ? 'json' : typesOf.xml.has(type) ? 'xml' : undefined;
}

/**
 * The format to answer in; undefined when none of ours will do (406).
 * @param format the parameter `_format`, which goes before the header.
 */
export function negotiate(accept: string | undefined, format: string | undefined): Format | undefined {
  if (format) return namedFormat(format);
  // An empty list asks for nothing in particular.
  if (!accept?.trim() || accept === '*/*' || accept === fhirJson) return 'json';
  const ranges = parseAccept(accept);
  let best: { format: Format; weight: number; position: number } | undefined;
  for (const candidate of formats) {
    const range = rangeFor(ranges, candidate);
    if (!range || range.weight === 0) continue;
    const isBetter =
      !best || range.weight > best.weight || (range.weight === best.weight && range.position < best.position);
    if (isBetter) best = { format: candidate, weight: range.weight, position: range.position };
  }
  return best?.format;
}

/** A Binary is served raw unless FHIR is asked for by name (https://hl7.org/fhir/R4/binary.html#rest), or its page by `_format`. */
export function wantsFhirByName(accept: string | undefined, format: string | undefined): boolean {
  if (format) return namedFormat(format) !== undefined;
  return parseAccept(accept ?? '').some(
    ({ type, weight }) => weight > 0 && (typesOf.json.has(type) || type === fhirXml || type === 'application/xml+fhir'),
  );
}

/** In a query `+` stands for a space: `application/fhir json` was meant as `application/fhir+json`. */
function namedFormat(format: string): Format | undefined {
  const name = mediaType(format)?.replace(' ', '+') ?? '';
  if (isOtherVersion(format)) return undefined;
  return formats.find((candidate) => name === candidate || typesOf[candidate].has(name));
}

interface Range {
  type: string;
  /** 0 to 1. */
  weight: number;
  position: number;
}

function parseAccept(accept: string): Range[] {
  return accept.split(',').flatMap((text, position) => {
    const type = mediaType(text);
    if (type === undefined || isOtherVersion(text)) return [];
    const weight = Number(/;\s*q\s*=\s*([\d.]+)/i.exec(text)?.[1] ?? 1);
    return [{ type, weight: weight >= 0 && weight <= 1 ? weight : 0, position }];
  });
}

/** The range that decides about a format: the most specific one. A page is for those who name it. */
function rangeFor(ranges: readonly Range[], format: Format): Range | undefined {
  const named = ranges.filter(({ type }) => typesOf[format].has(type)).sort((a, b) => b.weight - a.weight)[0];
  if (named || format === 'html') return named;
  return ranges.find(({ type }) => type === 'application/*') ?? ranges.find(({ type }) => type === '*/*');
}

/** The version of FHIR may be asked for by a parameter (https://hl7.org/fhir/R4/http.html#version-parameter). */
function isOtherVersion(mediaRange: string): boolean {
  const version = /;\s*fhirVersion\s*=\s*"?([\d.]+)/i.exec(mediaRange)?.[1];
  return version !== undefined && version !== '4.0';
}
