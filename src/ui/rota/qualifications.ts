/** What a radiologist holds and until when, in words and colours (CM-4). */
import type { Practitioner, PractitionerQualification } from '@medplum/fhirtypes';

export const qualificationSystem = 'https://fhir.passerelle.example/CodeSystem/qualification';
export const documentCategory = 'https://fhir.passerelle.example/CodeSystem/document-category|professional';

export const qualificationNames = {
  diploma: 'Diplôme',
  radioprotection: 'Radioprotection des patients',
  insurance: 'Assurance',
  liability: 'Responsabilité civile professionnelle',
} as const;
export type QualificationCode = keyof typeof qualificationNames;
export const qualificationCodes = Object.keys(qualificationNames) as QualificationCode[];

export interface HeldQualification {
  code: QualificationCode;
  number: string;
  issuer: string;
  start: string;
  end: string;
}

function codeOf({ code }: PractitionerQualification): QualificationCode | undefined {
  const found = code.coding?.find(({ system }) => system === qualificationSystem)?.code;
  return qualificationCodes.find((each) => each === found);
}

/** Those of ours, the one that lasts longest first of each kind. */
export function heldBy(practitioner: Practitioner | undefined): HeldQualification[] {
  const held = (practitioner?.qualification ?? []).flatMap((each): HeldQualification[] => {
    const code = codeOf(each);
    if (code === undefined) return [];
    return [
      {
        code,
        number: each.identifier?.[0]?.value ?? '',
        issuer: each.issuer?.display ?? '',
        start: each.period?.start ?? '',
        end: each.period?.end ?? '',
      },
    ];
  });
  return held.sort((one, other) => (other.end || '9999').localeCompare(one.end || '9999'));
}

export type ExpiryState = 'missing' | 'expired' | 'soon' | 'near' | 'valid';

/** @param today `YYYY-MM-DD` in France. */
export function expiryState(held: HeldQualification | undefined, today: string): ExpiryState {
  if (held === undefined) return 'missing';
  if (held.end === '') return 'valid';
  if (held.end < today.slice(0, held.end.length)) return 'expired';
  const days = (Date.parse(`${held.end.slice(0, 10)}T00:00:00Z`) - Date.parse(`${today}T00:00:00Z`)) / 86_400_000;
  return days <= 30 ? 'soon' : days <= 60 ? 'near' : 'valid';
}

export const expiryWords: Readonly<Record<ExpiryState, string>> = {
  missing: 'absente',
  expired: 'expirée',
  soon: 'moins de 30 jours',
  near: 'moins de 60 jours',
  valid: 'valable',
};

/** The practitioner with a certificate added; earlier ones stay, they are history. */
export function withQualification(
  practitioner: Practitioner,
  { code, number, issuer, start, end }: HeldQualification,
): Practitioner {
  const added: PractitionerQualification = {
    code: { coding: [{ system: qualificationSystem, code }], text: qualificationNames[code] },
    ...(number ? { identifier: [{ value: number }] } : {}),
    ...(issuer ? { issuer: { display: issuer } } : {}),
    ...(start || end ? { period: { ...(start ? { start } : {}), ...(end ? { end } : {}) } } : {}),
  };
  return { ...practitioner, qualification: [...(practitioner.qualification ?? []), added] };
}
