/** Canonical references: url|version, and which of several versions is meant (https://hl7.org/fhir/R4/references.html#canonical). */

export interface Canonical {
  url: string;
  version?: string;
}

export function parseCanonical(text: string): Canonical {
  const bar = text.lastIndexOf('|');
  if (bar < 0) return { url: text };
  const version = text.slice(bar + 1);
  return { url: text.slice(0, bar), ...(version ? { version } : {}) };
}

export function canonicalText({ url, version }: Canonical): string {
  return version ? `${url}|${version}` : url;
}

interface Versioned {
  version?: string;
  status?: string;
  date?: string;
}

/**
 * The version asked for, else the newest of the best status: active before draft before retired.
 * @param asOf only definitions dated up to this instant, as far as they are dated.
 */
export function chooseVersion<T extends Versioned>(
  candidates: readonly T[],
  version: string | undefined,
  asOf?: Date,
): T | undefined {
  const eligible = candidates.filter(
    (candidate) =>
      (version === undefined || candidate.version === version) &&
      (asOf === undefined || candidate.date === undefined || new Date(candidate.date) <= asOf),
  );
  return eligible.sort(
    (a, b) =>
      rank(a) - rank(b) || compareVersions(b.version, a.version) || (b.date ?? '').localeCompare(a.date ?? '', 'en'),
  )[0];
}

function rank({ status }: Versioned): number {
  const order = ['active', 'draft', 'unknown', 'retired'].indexOf(status ?? 'unknown');
  return order < 0 ? 2 : order;
}

/** `1.10` after `1.9`, `20240101` after `20231231`. */
export function compareVersions(a = '', b = ''): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** A URL as the value of a search: a comma, dollar or bar in it is part of it (https://hl7.org/fhir/R4/search.html#escaping). */
export function criterion(url: string): string {
  return encodeURIComponent(url.replace(/[\\,$|]/g, (character) => `\\${character}`));
}
