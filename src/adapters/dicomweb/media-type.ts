/** RFC 9110 §8.3, §12.5.1 and PS3.18 §8.7: media types with their parameters, and what a client accepts, best first. */

export interface MediaType {
  /** `multipart/related`, lower case. */
  type: string;
  /** Names in lower case; values without quotes. */
  parameters: Readonly<Record<string, string>>;
  /** 0 to 1. */
  quality: number;
}

const maximumHeaderLength = 8 * 1024;

/** A list of media types as `Accept` and `Content-Type` write them; what cannot be read is left out. */
export function parseMediaTypes(header: string | undefined): MediaType[] {
  if (!header || header.length > maximumHeaderLength) return [];
  return splitOutsideQuotes(header, ',').flatMap((one) => parseMediaType(one) ?? []);
}

/**
 * What the client accepts, best first, from the `accept` query parameter (PS3.18 §8.3.3.1) or the header; everything when it says nothing.
 */
export function acceptedTypes(header: string | undefined, query: string | undefined): MediaType[] {
  const accepted = parseMediaTypes(query ?? header).filter(({ quality }) => quality > 0);
  if (accepted.length === 0 && !(query ?? header)) return [{ type: '*/*', parameters: {}, quality: 1 }];
  return accepted.toSorted((one, other) => other.quality - one.quality);
}

/** Whether a range such as `image/*` covers a type. */
export function covers(range: string, type: string): boolean {
  return range === '*/*' || range === type || (range.endsWith('/*') && type.startsWith(range.slice(0, -1)));
}

function parseMediaType(text: string): MediaType | undefined {
  const [first = '', ...rest] = splitOutsideQuotes(text, ';');
  const type = first.trim().toLowerCase();
  if (!/^[^\s/]+\/[^\s/]+$/.test(type)) return undefined;
  const parameters: Record<string, string> = {};
  for (const part of rest) {
    const equals = part.indexOf('=');
    if (equals === -1) continue;
    parameters[part.slice(0, equals).trim().toLowerCase()] = unquoted(part.slice(equals + 1).trim());
  }
  const quality = Number(parameters.q ?? '1');
  return { type, parameters, quality: Number.isFinite(quality) ? Math.min(1, Math.max(0, quality)) : 0 };
}

function unquoted(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"')
    ? value.slice(1, -1).replace(/\\(.)/g, '$1')
    : value;
}

/** Clients write `type="application/dicom"` and `type=application/dicom`; a comma or semicolon inside quotes separates nothing. */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === '\\' && quoted) {
      part += char + (text[++at] ?? '');
      continue;
    }
    if (char === '"') quoted = !quoted;
    if (char === separator && !quoted) {
      parts.push(part);
      part = '';
    } else part += char;
  }
  parts.push(part);
  return parts;
}
