/** ETags, dates and preferences in headers (https://hl7.org/fhir/R4/http.html#versions, RFC 9110 §13, RFC 7240). */
import { FhirError } from '../contract.ts';
import type { StoredVersion } from '../store/contract.ts';
import type { AnsweredVersion, Call, Conditions, Interaction, Preferences } from './call.ts';

export function etagOf(versionId: string): string {
  return `W/"${versionId}"`;
}

/** `W/"3"`, `"3"` and `3` all name version 3; `*` is itself. @throws FhirError 400 for anything else. */
export function versionOfETag(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const match = /^\s*(?:(\*)|(?:W\/)?"([A-Za-z0-9\-.]{1,64})"|([A-Za-z0-9\-.]{1,64}))\s*$/.exec(header);
  if (!match) throw new FhirError(400, 'value', 'If-Match must be one ETag, e.g. W/"3"', 'http.If-Match');
  return match[1] ?? match[2] ?? match[3];
}

/** If-Match as the store takes it. */
export function ifMatchOf({ ifMatch }: Conditions): { ifMatch?: string } {
  const version = versionOfETag(ifMatch);
  return version === undefined ? {} : { ifMatch: version };
}

/** @throws FhirError 412 when If-Match names another version than the one stored. */
export function requireMatch({ ifMatch }: Conditions, { type, id, version }: StoredVersion): void {
  const wanted = versionOfETag(ifMatch);
  if (wanted !== undefined && wanted !== '*' && wanted !== String(version))
    throw new FhirError(412, 'conflict', `${type}/${id} is at version ${version}`, 'http.If-Match');
}

/** The client has this version already: 304 (RFC 9110 §13.2.2: If-Modified-Since counts only without If-None-Match). */
export function isNotModified(conditions: Conditions, version: AnsweredVersion): boolean {
  const { ifNoneMatch, ifModifiedSince } = conditions;
  if (ifNoneMatch !== undefined) {
    return ifNoneMatch.split(',').some((tag) => {
      const text = tag.trim();
      return text === '*' || text === version.versionId || text.replace(/^W\//, '') === `"${version.versionId}"`;
    });
  }
  if (ifModifiedSince === undefined) return false;
  const since = Date.parse(ifModifiedSince);
  // HTTP dates have whole seconds.
  return !Number.isNaN(since) && Math.floor(version.updated.getTime() / 1000) * 1000 <= since;
}

export function parsePrefer(header: string | undefined): Preferences {
  const preferences: Preferences = header === undefined ? {} : { text: header };
  for (const part of header?.split(/[,;]/) ?? []) {
    const [name, value] = part.split('=').map((text) => text.trim().replace(/^"|"$/g, ''));
    if (name === 'return' && (value === 'minimal' || value === 'representation' || value === 'OperationOutcome')) {
      preferences.return = value;
    }
    if (name === 'handling' && (value === 'strict' || value === 'lenient')) preferences.handling = value;
  }
  return preferences;
}

/** Criteria a write depends on, as sent; undefined for one that names its resource. */
export function criteriaOfWrite(call: Call, { access, code }: Interaction): string | undefined {
  if (access !== 'write') return undefined;
  if (code === 'create') return call.conditions.ifNoneExist;
  return code !== 'operation' && call.id === undefined ? call.query : undefined;
}

/** What is wrong with a parameter of the criteria of a conditional create is wrong with the header they came in. */
export function aboutIfNoneExist(error: unknown): never {
  const place = error instanceof FhirError ? error.outcome.issue[0]?.expression?.[0] : undefined;
  throw place?.startsWith('http.') ? (error as FhirError).about('http.If-None-Exist') : error;
}

/**
 * Criteria without the address some write in front of them: `?`, `Type?`. A `?` after the first `=` belongs to a value (RFC 3986 §3.4):
 * what stands before it counts, for what is found and for who may ask it.
 */
export function withoutAddress(criteria: string): string {
  return criteria.replace(/^[^?=&]*\?/, '');
}

/** Criteria of a conditional interaction, without a leading `?` or `Type?`. */
export function criteriaOf(text: string): string {
  const criteria = withoutAddress(text);
  if (criteria.trim() === '') throw new FhirError(412, 'required', 'a conditional interaction needs search criteria');
  return criteria;
}
