/** Bundles the server makes, put together from resources kept as text (https://hl7.org/fhir/R4/bundle.html). */
import { randomUUID } from 'node:crypto';
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import type { StoredVersion } from '../store/contract.ts';

export interface BundleText {
  type: 'searchset' | 'history' | 'batch-response' | 'transaction-response';
  timestamp: Date;
  total?: number;
  links: { relation: 'self' | 'first' | 'next' | 'previous'; url: string }[];
  /** JSON of each entry. */
  entries: string[];
}

export function bundleText({ type, timestamp, total, links, entries }: BundleText): string {
  const head = {
    resourceType: 'Bundle',
    id: randomUUID(),
    type,
    timestamp: timestamp.toISOString(),
    ...(total === undefined ? {} : { total }),
    ...(links.length > 0 ? { link: links } : {}),
  };
  const text = JSON.stringify(head);
  // An empty array is not legal JSON in FHIR: a Bundle without entries has none.
  return entries.length === 0 ? text : `${text.slice(0, -1)},"entry":[${entries.join(',')}]}`;
}

/** One entry: `resource` is JSON text and goes in as it is. */
export function entryText(parts: {
  fullUrl?: string;
  resource?: string;
  search?: object;
  request?: object;
  response?: object;
}): string {
  const { fullUrl, resource, ...rest } = parts;
  const head = fullUrl === undefined ? [] : [`"fullUrl":${JSON.stringify(fullUrl)}`];
  const body = resource ? [`"resource":${resource}`] : [];
  const tail = Object.entries(rest).flatMap(([name, value]) => (value ? [`"${name}":${JSON.stringify(value)}`] : []));
  return `{${[...head, ...body, ...tail].join(',')}}`;
}

export function fullUrl(base: string, version: Pick<StoredVersion, 'type' | 'id'>): string {
  return `${base}/${version.type}/${version.id}`;
}

/** Entry of a searchset that says what was ignored or cut short. */
export function outcomeEntry(issues: OperationOutcomeIssue[]): string {
  return entryText({
    resource: JSON.stringify({ resourceType: 'OperationOutcome', issue: issues }),
    search: { mode: 'outcome' },
  });
}
