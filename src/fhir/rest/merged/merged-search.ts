/**
 * One search over the tenants a caller may work in: one search per tenant, each within that tenant and audited there, merged by the
 * place of their rows (design §5 rule 8). A tenant that does not answer in time is named in the answer.
 */
import type { OperationOutcomeIssue, ResourceType } from '@medplum/fhirtypes';
import type { Clock } from '../../../config/index.ts';
import { type Context, FhirError, type FhirGuards } from '../../contract.ts';
import { encodeCursor } from '../../search/cursor.ts';
import { mergeRows } from '../../search/merge.ts';
import type { RestStore, SearchPage, StoredVersion } from '../../store/contract.ts';
import { served } from '../read.ts';
import { authorizeSearch, includable } from '../search-reach.ts';
import { type MergedQuery, mergedCursor } from './merged-query.ts';

export interface MergedSearchParts {
  store: RestStore;
  guards: FhirGuards;
  clock: Clock;
  /** Real milliseconds after which a tenant is not waited for any more. */
  patienceMs: number;
}

/** A row of the answer and where it is. */
export interface MergedRow {
  tenant: string;
  version: StoredVersion;
}

export interface MergedPage {
  matches: MergedRow[];
  included: MergedRow[];
  total?: number;
  /** Cursor of the next page, when there is one. */
  next?: string;
  /** Goes into the Bundle as an entry of mode `outcome`. */
  warnings: OperationOutcomeIssue[];
}

/** Searches at the same time: everybody else needs connections too. */
const atOnce = 4;

interface Answered {
  context: Context;
  page: SearchPage;
}

/**
 * @param contexts the caller in each tenant; those whose roles there cannot search the type are left out.
 * @throws FhirError 403 when that leaves none; what the search itself is refused with, when every tenant refuses it.
 */
export async function mergedSearch(
  parts: MergedSearchParts,
  contexts: readonly Context[],
  type: ResourceType,
  query: MergedQuery,
): Promise<MergedPage> {
  const { guards, patienceMs } = parts;
  const asked = contexts.filter((context) => guards.isAllowed(context, { interaction: 'search-type', type }));
  if (asked.length === 0) guards.authorize(contexts[0]!, { interaction: 'search-type', type });
  const deadline = AbortSignal.timeout(patienceMs);
  const warnings: OperationOutcomeIssue[] = query.missing
    .filter((tenant) => asked.some((context) => context.tenant === tenant))
    .map((tenant) => warning(tenant, 'incomplete', 'did not answer for an earlier page: what it has there is missing'));
  const failures: unknown[] = [];
  const answered: Answered[] = [];
  const nothing = { resources: [], target: { type }, query: `${type}?${query.text}` };
  const missing = new Set(query.missing);
  await eachOf(asked, async (context) => {
    try {
      answered.push({ context, page: await within(deadline, () => searchOne(parts, context, type, query)) });
    } catch (error) {
      failures.push(error);
      missing.add(context.tenant);
      warnings.push(warningOf(context.tenant, error));
      const outcome = error instanceof FhirError && error.status === 403 ? 'refused' : 'failed';
      await guards.auditRead(context, { ...nothing, outcome });
    }
  });
  if (answered.length === 0) throw failures[0];
  answered.sort((a, b) => asked.indexOf(a.context) - asked.indexOf(b.context));
  const alike = answered.filter(({ page }) => orderText(page) === orderText(answered[0]!.page));
  for (const { context } of answered.filter((one) => !alike.includes(one))) {
    missing.add(context.tenant);
    warnings.push(warning(context.tenant, 'processing', 'sorts by a parameter of its own, in another way'));
    await guards.auditRead(context, { ...nothing, outcome: 'failed' });
  }
  return merged(parts, type, query, alike, { warnings, missing });
}

async function searchOne(
  { store, guards }: MergedSearchParts,
  context: Context,
  type: ResourceType,
  { perTenant, handling }: MergedQuery,
): Promise<SearchPage> {
  await store.parametersKnown(context.tenant);
  authorizeSearch(context, type, perTenant(), { guards, store });
  return store.reads(context.tenant, context).searchBundle(type, perTenant(), {
    mayInclude: includable(context, guards),
    ...(handling ? { handling } : {}),
  });
}

async function merged(
  parts: MergedSearchParts,
  type: ResourceType,
  query: MergedQuery,
  answered: readonly Answered[],
  { warnings, missing }: { warnings: OperationOutcomeIssue[]; missing: ReadonlySet<string> },
): Promise<MergedPage> {
  const sources = answered.map(({ context: { tenant }, page }) => ({
    rows: page.matches.map((version, index) => ({ row: { tenant, version }, place: page.places?.[index] ?? [] })),
    hasMore: page.next !== undefined,
  }));
  const { rows: matches, next } = mergeRows(sources, answered[0]!.page.order ?? [], query.count);
  const included: MergedRow[] = [];
  for (const { context, page } of answered) {
    const { tenant } = context;
    const shown = matches.filter((row) => row.tenant === tenant).map(({ version }) => version);
    // What was brought along for rows that come on a later page is not shown on this one.
    const isWhole = shown.length === page.matches.length;
    const alongside = isWhole ? page.included : await includedBy(parts, context, type, query, shown.length);
    included.push(...alongside.map((version) => ({ tenant, version })));
    warnings.push(...page.warnings);
    await parts.guards.auditRead(context, {
      ...served([...shown, ...alongside], `${type}?${query.text}`),
      outcome: 'success',
    });
  }
  const totals = answered.map(({ page }) => page.total);
  const total = totals.every((one) => one !== undefined) && missing.size === 0 ? sum(totals) : undefined;
  return {
    matches,
    included,
    warnings,
    ...(total === undefined ? {} : { total }),
    ...(next ? { next: mergedCursor(encodeCursor({ direction: 'next', place: next }), missing) } : {}),
  };
}

async function includedBy(
  { store, guards }: MergedSearchParts,
  context: Context,
  type: ResourceType,
  { perTenant, handling, hasIncludes }: MergedQuery,
  count: number,
): Promise<StoredVersion[]> {
  if (count === 0 || !hasIncludes) return [];
  const { included } = await store.reads(context.tenant, context).searchBundle(type, perTenant(count), {
    mayInclude: includable(context, guards),
    ...(handling ? { handling } : {}),
  });
  return included;
}

/** Tenants may define search parameters: rows whose values compare differently have no common order. */
function orderText({ order }: SearchPage): string {
  return JSON.stringify(order ?? []);
}

/** At the same time, a few at once. */
export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** @throws FhirError 503 once the time is over; the search behind it ends by its own limit. */
export function within<T>(deadline: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new FhirError(503, 'timeout', 'the tenants did not answer in time'));
    if (deadline.aborted) return late();
    deadline.addEventListener('abort', late, { once: true });
    const heard = () => deadline.removeEventListener('abort', late);
    work().then(resolve, reject).finally(heard);
  });
}

export function warningOf(tenant: string, error: unknown): OperationOutcomeIssue {
  if (!(error instanceof FhirError) || error.status >= 500)
    return warning(tenant, error instanceof FhirError ? 'timeout' : 'exception', 'could not be searched now');
  return warning(tenant, error.status === 403 ? 'forbidden' : 'processing', error.message);
}

function warning(tenant: string, code: OperationOutcomeIssue['code'], what: string): OperationOutcomeIssue {
  return {
    severity: 'warning',
    code,
    diagnostics: `Tenant ${tenant} ${what}`,
    details: { text: `La liste est incomplète : les dossiers de « ${tenant} » manquent ou ne sont pas tous là.` },
  };
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, one) => total + (one ?? 0), 0);
}
