/** Reliability of an identity (RNIV) as FR Core's identity-reliability extension says it. */
import type { Patient } from '@medplum/fhirtypes';
import { insAuthorities } from '../fhir/systems.ts';

export interface InsStatus {
  text: string;
  /** Qualified: INS and validated traits. */
  trusted: boolean;
}

/** What voids a validation; said before anything else, whatever stands beside it. */
const doubts: Readonly<Record<string, string>> = {
  DOUT: 'identité douteuse',
  FICT: 'identité fictive',
  DOUB: 'doublon à fusionner',
  DOUA: 'doublon avéré',
  COLP: 'collision potentielle',
  COLV: 'collision avérée',
  USUR: 'identité usurpée',
  ANOM: 'identité anonyme',
  INVA: 'identité invalidée',
};

const names: Readonly<Record<string, string>> = {
  VALI: 'identité validée',
  PROV: 'identité provisoire',
};

/** A reliability has several statuses: a doubt stands beside the validation or the provisional status it is about. */
export function insStatus(patient: Patient | undefined): InsStatus {
  const codes = [...(patient?.extension ?? []), ...(patient?.meta?.extension ?? [])]
    .filter(({ url }) => url.endsWith('identity-reliability'))
    .flatMap((one) => [one, ...(one.extension ?? []).filter(({ url }) => url === 'identityStatus')])
    .flatMap(({ valueCoding }) => valueCoding?.code ?? []);
  const doubted = codes.flatMap((code) => doubts[code] ?? []);
  if (doubted.length > 0) return { text: doubted.join(', '), trusted: false };
  const hasIns = patient?.identifier?.some((one) => one.system !== undefined && one.system in insAuthorities) === true;
  const [code] = codes;
  if (code === undefined) return { text: hasIns ? 'statut non communiqué' : '', trusted: false };
  if (codes.includes('VALI') && hasIns) return { text: 'identité qualifiée', trusted: true };
  return { text: names[code] ?? code, trusted: false };
}
