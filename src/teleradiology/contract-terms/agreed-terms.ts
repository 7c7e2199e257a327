/** The terms in force for an establishment: its contracts in the store, then the defaults. */
import type { FhirTransaction } from '../../fhir/index.ts';
import type { EstablishmentSettings } from '../settings.ts';
import { defaultTerms } from './default-terms.ts';
import { isContractOfTerms, readContract } from './read-contract.ts';
import type { Terms } from './term.ts';

/** Contracts before the defaults, the one that was changed last first. */
export async function agreedTerms(
  tx: FhirTransaction,
  establishmentId: string | undefined,
  settings: EstablishmentSettings,
): Promise<Terms[]> {
  const defaults: Terms = { terms: defaultTerms(settings), alsoHolidays: [] };
  if (establishmentId === undefined) return [defaults];
  const query = `subject=Organization/${establishmentId}&status=executed&_sort=-_lastUpdated`;
  const contracts = (await tx.whole.search('Contract', query)).filter(isContractOfTerms);
  const agreed = contracts.map((contract): Terms => {
    const { terms, alsoHolidays } = readContract(contract, settings.delays.timeZone);
    return { contract: `Contract/${contract.id}/_history/${contract.meta?.versionId}`, terms, alsoHolidays };
  });
  return [...agreed, defaults];
}
