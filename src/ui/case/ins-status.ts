/** Reliability of an identity (RNIV) as FR Core's identity-reliability extension says it. */
import type { Patient } from '@medplum/fhirtypes';
import { insAuthorities } from '../fhir/systems.ts';

export interface InsStatus {
  text: string;
  /** Qualified: INS and validated traits. */
  trusted: boolean;
}

const names: Readonly<Record<string, string>> = {
  VALI: 'identité validée',
  PROV: 'identité provisoire',
  DOUB: 'doublon à fusionner',
  DOUTE: 'identité douteuse',
  FICTI: 'identité fictive',
};

export function insStatus(patient: Patient | undefined): InsStatus {
  const extension = [...(patient?.extension ?? []), ...(patient?.meta?.extension ?? [])].find((one) =>
    one.url.endsWith('identity-reliability'),
  );
  const nested = extension?.extension?.find((one) => one.url === 'identityStatus')?.valueCoding;
  const code = (extension?.valueCoding ?? nested)?.code;
  const hasIns = patient?.identifier?.some((one) => one.system !== undefined && one.system in insAuthorities) === true;
  if (code === undefined) return { text: hasIns ? 'statut non communiqué' : '', trusted: false };
  if (code === 'VALI' && hasIns) return { text: 'identité qualifiée', trusted: true };
  return { text: names[code] ?? code, trusted: false };
}
