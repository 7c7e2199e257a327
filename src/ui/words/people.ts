/** Names of patients, professionals and structures as lists and banners show them. */
import type { HumanName, Organization, Patient, Practitioner, Reference } from '@medplum/fhirtypes';
import { insAuthorities, systems } from '../fhir/systems.ts';

/** Shown where the role may not read the patient. */
export const hiddenPatient = 'Patient masqué';

export interface PatientIdentity {
  /** FAMILY (USED) Given. */
  name: string;
  ins: { value: string; kind: string } | undefined;
  ipp: string | undefined;
}

/** Family name in capitals then given names; the official name first, then whatever there is. */
export function personName(names: readonly HumanName[] | undefined): string {
  const name = names?.find((one) => one.use === 'official') ?? names?.[0];
  if (!name) return 'Identité inconnue';
  const parts = [name.family?.toLocaleUpperCase('fr'), name.given?.join(' ')].filter((part) => part);
  return parts.length > 0 ? parts.join(' ') : (name.text ?? 'Identité inconnue');
}

export function patientIdentity(patient: Patient | undefined): PatientIdentity {
  const identifiers = patient?.identifier ?? [];
  const ins = identifiers.find((one) => one.system !== undefined && one.system in insAuthorities);
  const ipp =
    identifiers.find((one) => one.type?.coding?.some((coding) => coding.code === 'PI')) ??
    identifiers.find((one) => one.system?.startsWith(systems.ippPrefix));
  return {
    name: personName(patient?.name),
    ins:
      ins?.value === undefined
        ? undefined
        : { value: spacedIns(ins.value), kind: insAuthorities[ins.system ?? ''] ?? 'INS' },
    ipp: ipp?.value,
  };
}

/** A 15-character INS in the groups people read it in. */
export function spacedIns(value: string): string {
  const match = /^(\w)(\w{2})(\w{2})(\w{2})(\w{3})(\w{3})(\w{2})$/.exec(value);
  return match ? match.slice(1).join(' ') : value;
}

/** Titles of the national value set (FR.5.719) that take the place of `M` or `MME` before a name. */
const titles: Record<string, string> = { DR: 'Dr', PR: 'Pr' };

/** `Dr NOA TEST`, from the title, else the prefix, and the name. */
export function practitionerName(practitioner: Practitioner | undefined, reference?: Reference): string | undefined {
  const name = practitioner?.name?.[0];
  if (!name) return reference?.display;
  if (name.text) return name.text;
  const title = name.suffix?.map((suffix) => titles[suffix.toUpperCase()]).find((found) => found !== undefined);
  const before = title === undefined ? (name.prefix ?? []) : [title];
  return [...before, ...(name.given ?? []), name.family].filter((part) => part).join(' ');
}

export function organizationName(organization: Organization | undefined, reference?: Reference): string {
  return organization?.name ?? reference?.display ?? 'Établissement inconnu';
}
