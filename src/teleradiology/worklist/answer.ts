/** The searchset of a worklist page, of one tenant or of several merged by place. */
import type { Bundle, BundleEntry, Resource } from '@medplum/fhirtypes';
import type { TenantAnswer } from '../../fhir/index.ts';
import { comparePlaced, encodeCursor, type WorklistCursor } from './cursor.ts';
import { searchOf } from './explain.ts';
import type { RankedRow } from './page.ts';
import type { Question } from './question.ts';

/** A page of one tenant. */
export interface WorklistPart extends TenantAnswer {
  matches: { ranked: RankedRow; resource: Resource }[];
  /** What `_include` brought, by `Type/id`. */
  included: ReadonlyMap<string, Resource>;
  more: boolean;
  /** Place of the last row looked at, seen or not. */
  last?: WorklistCursor['after'];
  /** Minutes of the load term by establishment. */
  loads: Readonly<Record<string, number>>;
  /** Every open case has its place. */
  isMade: boolean;
}

/** @param url of the operation, without a query. */
export function worklistBundle(
  parts: readonly WorklistPart[],
  { text, count, cursor }: Pick<Question, 'text' | 'count' | 'cursor'>,
  url: string,
): { bundle: Bundle; shown: ReadonlyMap<string, readonly Resource[]> } {
  const sorted = parts
    .flatMap((part) => part.matches.map((match) => ({ part, ...match })))
    .sort((a, b) => comparePlaced(a.ranked, b.ranked));
  // Beyond the last row a tenant looked at there may be more of it, before rows of others.
  const bound = parts.flatMap(({ more, last }) => (more && last ? [last] : [])).toSorted(comparePlaced)[0];
  const certain = bound ? sorted.filter(({ ranked }) => comparePlaced(ranked, bound) <= 0) : sorted;
  const kept = certain.slice(0, count);
  const after = kept.length < certain.length ? kept.at(-1)?.ranked : bound;
  const loads = { ...cursor?.loads, ...Object.fromEntries(parts.map(({ tenant, loads }) => [tenant, loads])) };
  const following = after && [text, `_cursor=${encodeCursor({ after, loads })}`].filter(Boolean).join('&');
  const link = (query: string) => (query === '' ? url : `${url}?${query}`);
  const shown = new Map<string, Resource[]>();
  const included: BundleEntry[] = [];
  for (const part of parts) {
    const own = kept.filter((match) => match.part === part).map(({ resource }) => resource);
    const alongside = reachedFrom(own, part.included);
    shown.set(part.tenant, [...own, ...alongside.values()]);
    for (const [reference, resource] of alongside)
      included.push({ fullUrl: `${part.base}/${reference}`, resource, search: { mode: 'include' } });
  }
  const entry: BundleEntry[] = [
    ...kept.map(({ part, ranked, resource }) => ({
      fullUrl: `${part.base}/Task/${ranked.caseId}`,
      resource,
      search: searchOf(ranked),
    })),
    ...included,
    ...(parts.every(({ isMade }) => isMade) ? [] : [notYetMade]),
  ];
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    link: [
      { relation: 'self', url: link(text) },
      ...(following === undefined ? [] : [{ relation: 'next', url: link(following) }]),
    ],
    ...(entry.length > 0 ? { entry } : {}),
  };
  return { bundle, shown };
}

/** Of what was brought along, what the rows refer to, or what that refers to: the rest belongs to rows of a later page. */
function reachedFrom(rows: readonly Resource[], included: ReadonlyMap<string, Resource>): Map<string, Resource> {
  const reached = new Map<string, Resource>();
  for (let frontier = [...rows]; frontier.length > 0; ) {
    const next: Resource[] = [];
    for (const reference of frontier.flatMap(referencesIn)) {
      const resource = included.get(reference);
      if (resource === undefined || reached.has(reference)) continue;
      reached.set(reference, resource);
      next.push(resource);
    }
    frontier = next;
  }
  return reached;
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'reference' && typeof inner === 'string' ? [inner] : referencesIn(inner),
  );
}

const notYetMade: BundleEntry = {
  search: { mode: 'outcome' },
  resource: {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'warning',
        code: 'incomplete',
        diagnostics: 'The order of older cases is still being worked out: some are missing from this list',
        details: { text: 'La liste se construit : des dossiers plus anciens n’y figurent pas encore.' },
      },
    ],
  },
};
