/** Professionals and structures as documents name them: national identifiers, title, name, contact. */
import type { Address, Coding, ContactPoint, Identifier, Organization, Practitioner } from '@medplum/fhirtypes';

export interface Professional {
  /** RPPS, 11 digits. */
  rpps?: string;
  /** National identifier PS_IdNat (`8` + RPPS, `0` + ADELI …). */
  nationalId?: string;
  family: string;
  given: string;
  /** `M` or `MME`. */
  civility?: string;
  /** `DR`, `PR` …, upper case. */
  title?: string;
  /** Speciality, `SM44` …. */
  speciality?: string;
  /** Profession of list G15, `10` physician. */
  profession?: string;
  telecom: ContactPoint[];
  address?: Address;
}

export interface Structure {
  /** National identifier Struct_IdNat (`1` + FINESS, `3` + SIRET …). */
  nationalId?: string;
  /** FINESS of the site, 9 characters. */
  finess?: string;
  name: string;
  telecom: ContactPoint[];
  address?: Address;
  /** `SA01` …, when the record holds one. */
  facilityType?: string;
  /** `ETABLISSEMENT`, `AMBULATOIRE` …, when the record holds one. */
  practiceSetting?: string;
}

const titles = new Set(['DR', 'PR', 'MC', 'MG', 'PC', 'PG']);

export function professional(practitioner: Practitioner): Professional {
  const name = practitioner.name?.find((each) => each.use === 'official') ?? practitioner.name?.[0];
  const words = [...(name?.prefix ?? []), ...(name?.suffix ?? [])].map((word) => word.toUpperCase().replace(/\.$/, ''));
  const codings = (practitioner.qualification ?? []).flatMap((qualification) => qualification.code?.coding ?? []);
  const rpps = rppsOf(practitioner.identifier ?? []);
  const profession = codings.find((coding) => /G15/.test(coding.system ?? ''))?.code;
  return {
    rpps,
    nationalId: rpps ? `8${rpps}` : nationalIdOf(practitioner.identifier ?? []),
    family: name?.family?.trim() ?? '',
    given: (name?.given ?? []).join(' ').trim(),
    civility: words.map(civility).find((word) => word !== undefined),
    title: words.find((word) => titles.has(word)),
    speciality: specialityOf(codings),
    profession: profession?.replace(/^G15_/, ''),
    telecom: practitioner.telecom ?? [],
    address: practitioner.address?.[0],
  };
}

export function structure(organization: Organization): Structure {
  const identifiers = organization.identifier ?? [];
  const finess = (code: string) =>
    identifiers.find((identifier) => identifier.system === 'https://finess.esante.gouv.fr' && hasType(identifier, code))
      ?.value;
  const site = finess('FINEG') ?? finess('FINEJ') ?? numberUnder(identifiers, 'https://finess.esante.gouv.fr');
  const codings = (organization.type ?? []).flatMap((type) => type.coding ?? []);
  return {
    nationalId: site ? `1${site}` : structureIdOf(identifiers),
    finess: site,
    name: organization.name?.trim() ?? '',
    telecom: organization.telecom ?? [],
    address: organization.address?.[0],
    facilityType: codings.find((coding) => /^SA\d\d$/.test(coding.code ?? ''))?.code,
    practiceSetting: codings.find((coding) => /A01-CadreExercice/.test(coding.system ?? ''))?.code,
  };
}

/** "Dr NOA TEST-TELERADIO": title as people write it, given name, family name. */
export function spokenName(person: Professional): string {
  const title = person.title ? person.title.charAt(0) + person.title.slice(1).toLowerCase() : '';
  return [title, person.given, person.family].filter((part) => part !== '').join(' ');
}

/** Address on one line, French order. */
export function addressLine(address: Address | undefined): string {
  if (!address) return '';
  const town = [address.postalCode, address.city].filter(Boolean).join(' ');
  return [...(address.line ?? []), town].filter((part) => part !== '').join(', ') || (address.text ?? '');
}

/** First work telephone number, as written by the record. */
export function phone(telecom: ContactPoint[]): string | undefined {
  return telecom.find((point) => point.system === 'phone' && point.value)?.value;
}

function rppsOf(identifiers: Identifier[]): string | undefined {
  const direct = numberUnder(identifiers, 'https://rpps.esante.gouv.fr');
  if (direct && /^\d{11}$/.test(direct)) return direct;
  const national = direct ?? numberUnder(identifiers, 'urn:oid:1.2.250.1.71.4.2.1');
  return national && /^8\d{11}$/.test(national) ? national.slice(1) : undefined;
}

function nationalIdOf(identifiers: Identifier[]): string | undefined {
  const national = numberUnder(identifiers, 'urn:oid:1.2.250.1.71.4.2.1');
  if (national) return national;
  const adeli = identifiers.find((identifier) => hasType(identifier, 'ADELI'))?.value;
  return adeli ? `0${adeli}` : undefined;
}

function structureIdOf(identifiers: Identifier[]): string | undefined {
  const national = numberUnder(identifiers, 'urn:oid:1.2.250.1.71.4.2.2');
  if (national) return national;
  const sirene = numberUnder(identifiers, 'https://sirene.fr');
  if (sirene) return `${sirene.length === 14 ? '3' : '2'}${sirene}`;
  const rank = numberUnder(identifiers, 'https://rppsrang.esante.gouv.fr');
  return rank ? `4${rank}` : undefined;
}

function specialityOf(codings: Coding[]): string | undefined {
  for (const { code } of codings) {
    const found = /(?:^|\/)(SM\d\d)$/.exec(code ?? '');
    if (found) return found[1];
  }
  return undefined;
}

function civility(word: string): string | undefined {
  if (word === 'M' || word === 'MR' || word === 'MONSIEUR') return 'M';
  return word === 'MME' || word === 'MADAME' ? 'MME' : undefined;
}

function numberUnder(identifiers: Identifier[], system: string): string | undefined {
  return identifiers.find((identifier) => identifier.system === system && identifier.value)?.value;
}

function hasType(identifier: Identifier, code: string): boolean {
  return (identifier.type?.coding ?? []).some((coding) => coding.code === code);
}
