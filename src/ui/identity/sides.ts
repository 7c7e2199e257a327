/** Both sides of a doubt as the problem itself keeps them, trait by trait, with those that differ. */
import type { DetectedIssue, Patient } from '@medplum/fhirtypes';
import { insAuthorities, systems } from '../fhir/systems.ts';
import { frenchDate } from '../time/format.ts';
import { sexName } from '../words/labels.ts';
import { spacedIns } from '../words/people.ts';

export interface SideRow {
  trait: string;
  label: string;
  /** One per side, `–` where it says nothing. */
  values: string[];
  differs: boolean;
}

export interface Sides {
  headings: string[];
  rows: SideRow[];
}

const traits = [
  ['birth-name', 'Nom'],
  ['given-name', 'Prénoms'],
  ['birth-date', 'Date de naissance'],
  ['sex', 'Sexe'],
  ['ins', 'INS'],
  ['ipp', 'IPP'],
] as const;

/** Codes of the traits the server found different. */
function differingTraits(issue: DetectedIssue): Set<string> {
  const codes = (issue.evidence ?? []).flatMap(({ code }) => (code ?? []).flatMap(({ coding }) => coding ?? []));
  return new Set(codes.filter(({ system }) => system === systems.identityTrait).flatMap(({ code }) => code ?? []));
}

/** Undefined where the role may not see whose they are, or nothing is compared. */
export function sidesOf(issue: DetectedIssue): Sides | undefined {
  const patients = (issue.contained ?? []).filter((one): one is Patient => one.resourceType === 'Patient');
  if (patients.length === 0) return undefined;
  const differing = differingTraits(issue);
  return {
    headings: patients.map(({ id }) => heading(id)),
    rows: traits.map(([trait, label]) => ({
      trait,
      label,
      values: patients.map((patient) => traitValue(patient, trait) || '–'),
      differs: differing.has(trait),
    })),
  };
}

function heading(id: string | undefined): string {
  if (id === 'known') return 'Patient du dossier';
  if (id === 'received') return 'Reçu';
  const number = /^other-(\d+)$/.exec(id ?? '')?.[1];
  return number === undefined ? 'Autre patient' : `Autre patient ${number}`;
}

function traitValue(patient: Patient, trait: (typeof traits)[number][0]): string {
  const names = patient.name ?? [];
  switch (trait) {
    case 'birth-name':
      return names
        .flatMap(({ family, use }) => (family ? [use === 'usual' ? `${family} (utilisé)` : family] : []))
        .join(', ');
    case 'given-name':
      return [...new Set(names.flatMap(({ given }) => given ?? []))].join(', ');
    case 'birth-date':
      return patient.birthDate ? frenchDate(patient.birthDate) : '';
    case 'sex':
      return patient.gender ? sexName(patient.gender) : '';
    case 'ins':
      return numbersOf(patient, (system) => system in insAuthorities)
        .map(spacedIns)
        .join(', ');
    case 'ipp':
      return numbersOf(patient, (system) => !(system in insAuthorities)).join(', ');
  }
}

function numbersOf(patient: Patient, wanted: (system: string) => boolean): string[] {
  return (patient.identifier ?? []).flatMap(({ system = '', value }) => (value && wanted(system) ? [value] : []));
}
