/** A contract of terms is stored only when every clause can be applied: a delay that is not understood would be a silent one. */
import type { Contract } from '@medplum/fhirtypes';
import { type Change, FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { requireMember } from '../people/entitled.ts';
import { establishmentSettings } from '../settings.ts';
import { type ContractProblem, isContractOfTerms, readContract } from './read-contract.ts';

/** @throws FhirError 403 for somebody of another establishment, 422 naming every element at fault. Contracts of another kind are none of ours. */
export async function guardContract(change: Change, tx: FhirTransaction): Promise<void> {
  if (change.type !== 'Contract') return;
  const [before, contract] = [change.before, change.after] as (Contract | undefined)[];
  // Delays and penalties are agreed by the people of the establishment, also where they move to another.
  for (const written of [before, contract]) {
    const agreed = written && isContractOfTerms(written) ? establishmentOf(written) : undefined;
    if (agreed !== undefined) requireMember(tx, agreed);
  }
  if (contract === undefined || !isContractOfTerms(contract)) return;
  const establishment = establishmentOf(contract);
  const organization = establishment === undefined ? undefined : await tx.whole.find('Organization', establishment);
  const { timeZone } = establishmentSettings(organization).delays;
  const problems: ContractProblem[] = [
    ...(organization === undefined
      ? [{ expression: 'Contract.subject', text: 'Le contrat nomme un établissement enregistré, et un seul.' }]
      : []),
    ...readContract(contract, timeZone).problems,
  ];
  if (problems.length === 0) return;
  throw FhirError.of(
    422,
    problems.slice(0, maxIssues).map(({ expression, text }) => ({
      severity: 'error',
      code: 'business-rule',
      details: { text },
      diagnostics: `The contract cannot be applied: ${expression}`,
      expression: [expression],
    })),
  );
}

const maxIssues = 50;

/** Id of the one establishment a contract is about. */
function establishmentOf(contract: Contract): string | undefined {
  const [subject, another] = contract.subject ?? [];
  return another === undefined
    ? /^Organization\/([A-Za-z0-9.-]{1,64})$/.exec(subject?.reference ?? '')?.[1]
    : undefined;
}
