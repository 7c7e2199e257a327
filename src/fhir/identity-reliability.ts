/**
 * How far an identity may be relied on (RNIV): the statuses of FR Core's `identity-reliability`, which repeat, a doubt beside a validation
 * (IHE PAM France, table 0445). An INS is used of a qualified identity only.
 */
import type { Patient } from '@medplum/fhirtypes';

const validating = new Set(['VALI', 'QUAL']);
/** A doubt that voids the validation it stands beside; `voidsIns` in `mappings/hl7v2/identity-status.json` says the same of messages. */
const voiding = new Set(['DOUT', 'DOUA', 'FICT', 'DOUB', 'COLP', 'COLV', 'USUR', 'ANOM', 'INVA']);

export type IdentityReliability = 'qualified' | 'unqualified' | 'voided';

/** `voided`: validated, and then doubted. */
export function identityReliability({ extension }: Patient): IdentityReliability {
  const statuses = (extension ?? [])
    .filter(({ url }) => url?.endsWith('fr-core-identity-reliability'))
    .flatMap((reliability) => reliability.extension ?? [])
    .filter(({ url }) => url === 'identityStatus')
    .flatMap(({ valueCoding, valueCode }) => valueCoding?.code ?? valueCode ?? []);
  if (!statuses.some((code) => validating.has(code))) return 'unqualified';
  return statuses.some((code) => voiding.has(code)) ? 'voided' : 'qualified';
}
