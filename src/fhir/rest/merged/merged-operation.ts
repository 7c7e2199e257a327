/**
 * One operation over the tenants a caller may work in: asked in each within that tenant, its answers made one by the operation itself, and
 * what is shown audited where it is from. A tenant that does not answer in time is named in the answer.
 */
import type { Bundle, OperationOutcomeIssue, Parameters } from '@medplum/fhirtypes';
import {
  type Context,
  FhirError,
  type Operation,
  type OperationEverywhere,
  type TenantAnswer,
} from '../../contract.ts';
import { eachOf, type MergedSearchParts, warningOf, within } from './merged-search.ts';

export interface MergedOperationCall {
  operation: Operation & { everywhere: OperationEverywhere };
  /** Query as sent, and what it says. */
  query: string;
  parameters: Parameters;
  /** Of the operation over every tenant, without a query. */
  url: string;
  /** Service base URL of one tenant. */
  baseOf(tenant: string): string;
}

/**
 * @param contexts the caller in each tenant; those whose roles there have no right to the operation are left out.
 * @throws FhirError 403 when that leaves none; what the operation is refused with, when every tenant refuses it.
 */
export async function mergedOperation(
  { store, guards, patienceMs }: MergedSearchParts,
  contexts: readonly Context[],
  { operation, query, parameters, url, baseOf }: MergedOperationCall,
): Promise<Bundle> {
  const { name, type, everywhere } = operation;
  const right = { interaction: 'operation', operation: name, ...(type ? { type } : {}) };
  const asked = contexts.filter((context) => guards.isAllowed(context, right));
  if (asked.length === 0) guards.authorize(contexts[0]!, right);
  const deadline = AbortSignal.timeout(patienceMs);
  const answers: TenantAnswer[] = [];
  const failures: unknown[] = [];
  const warnings: OperationOutcomeIssue[] = [];
  await eachOf(asked, async (context) => {
    try {
      const ask = () =>
        store.restTransaction(context, (tx) =>
          everywhere.ask({
            ...{ tx, query, parameters, base: baseOf(context.tenant) },
            ...(type ? { type } : {}),
            authorize: (request) => guards.authorize(context, request),
            isAllowed: (request) => guards.isAllowed(context, request),
          }),
        );
      answers.push(await within(deadline, ask));
    } catch (error) {
      failures.push(error);
      warnings.push(warningOf(context.tenant, error));
      const outcome = error instanceof FhirError && error.status === 403 ? 'refused' : 'failed';
      await guards.auditRead(context, { resources: [], outcome, ...(type ? { target: { type } } : {}) });
    }
  });
  if (answers.length === 0) throw failures[0];
  const { bundle, shown } = everywhere.answer(answers, parameters, url);
  for (const { tenant } of answers) {
    const context = asked.find((each) => each.tenant === tenant);
    if (context) await guards.auditRead(context, { resources: shown.get(tenant) ?? [], outcome: 'success' });
  }
  if (warnings.length === 0) return bundle;
  const outcome = {
    resource: { resourceType: 'OperationOutcome' as const, issue: warnings },
    search: { mode: 'outcome' as const },
  };
  return { ...bundle, entry: [...(bundle.entry ?? []), outcome] };
}
