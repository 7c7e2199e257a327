/** Which representation is asked for and sent (https://hl7.org/fhir/R4/http.html#mime-type): JSON, or the raw form of a Binary. */
import { FhirError } from '../contract.ts';

export const fhirJson = 'application/fhir+json';
export const fhirJsonUtf8 = 'application/fhir+json; charset=utf-8';

const jsonTypes = new Set([fhirJson, 'application/json', 'text/json', 'application/json+fhir']);
const jsonFormats = new Set(['json', ...jsonTypes]);
const wildcards = new Set(['*/*', 'application/*']);

/** Media type without parameters, lower case. */
export function mediaType(header: string | undefined): string | undefined {
  return header?.replace(/;.*$/s, '').trim().toLowerCase() || undefined;
}

export function isJson(header: string | undefined): boolean {
  const type = mediaType(header);
  return type !== undefined && jsonTypes.has(type);
}

/** Media types the caller takes; a weight of zero refuses one. */
function accepted(header: string): string[] {
  return header
    .split(',')
    .filter((range) => !/;\s*q=0(?:\.0*)?\s*(?:;|$)/.test(range))
    .flatMap((range) => mediaType(range) ?? []);
}

/** @throws FhirError 406 when JSON will not do. `format` is the parameter `_format`, which goes before the header. */
export function requireJsonAccepted(accept: string | undefined, format: string | undefined): void {
  const isAccepted = format
    ? jsonFormats.has(formatType(format))
    : accept === undefined || accepted(accept).some((type) => jsonTypes.has(type) || wildcards.has(type));
  if (!isAccepted) throw new FhirError(406, 'not-supported', `only ${fhirJson} is served`);
}

/** A Binary is served raw unless FHIR is asked for by name (https://hl7.org/fhir/R4/binary.html#rest). */
export function wantsFhirByName(accept: string | undefined, format: string | undefined): boolean {
  if (format) return jsonFormats.has(formatType(format));
  return accept !== undefined && accepted(accept).some((type) => jsonTypes.has(type));
}

/** In a query `+` stands for a space: `application/fhir json` was meant as `application/fhir+json`. */
function formatType(format: string): string {
  return mediaType(format)?.replace(' ', '+') ?? '';
}
