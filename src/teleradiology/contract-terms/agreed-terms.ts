/** The terms in force for an establishment: its contracts in the store, then the defaults. */
import type { FhirTransaction } from '../../fhir/index.ts';
import type { EstablishmentSettings } from '../settings.ts';
import { defaultTerms } from './default-terms.ts';
import { isContractOfTerms, readContract } from './read-contract.ts';
import type { Terms } from './term.ts';

/** What all contracts in force say together, then the defaults. */
export async function agreedTerms(
  tx: FhirTransaction,
  establishmentId: string | undefined,
  settings: EstablishmentSettings,
): Promise<Terms[]> {
  const defaults: Terms = { terms: defaultTerms(settings), alsoHolidays: [] };
  if (establishmentId === undefined) return [defaults];
  const query = `subject=Organization/${establishmentId}&status=executed`;
  const contracts = (await tx.whole.search('Contract', query)).filter(isContractOfTerms);
  const read = contracts.map((contract) => readContract(contract, settings.delays.timeZone));
  const agreed: Terms = {
    terms: read.flatMap(({ terms }) => terms),
    alsoHolidays: read.flatMap(({ alsoHolidays }) => alsoHolidays),
  };
  return [agreed, defaults];
}
