/** People and structures of the header: names, addresses, telecoms, assigned entities (cda-imaging-report §2.1). */
import type { Address, ContactPoint } from '@medplum/fhirtypes';
import type { Professional, Structure } from '../people.ts';
import { instance, roots } from './identifiers.ts';
import type { CdaTables } from './tables.ts';
import { el, type XmlChild, type XmlElement } from './xml.ts';

const professionSystem = '1.2.250.1.213.1.1.4.5';
const telecomPrefixes: Record<string, string> = { phone: 'tel:', fax: 'fax:', email: 'mailto:', url: '' };
const telecomUses: Record<string, string> = { home: 'H', work: 'WP', mobile: 'MC' };

/** Structured parts when the town is known, else free lines; never both. */
export function addr(address: Address | undefined): XmlElement {
  const lines = address?.line?.filter((line) => line.trim() !== '') ?? [];
  if (!address || (lines.length === 0 && !address.city && !address.postalCode))
    return el('addr', { nullFlavor: 'NAV' });
  const town = [address.postalCode, address.city].filter(Boolean).join(' ');
  return el(
    'addr',
    {},
    [...lines, town, address.country ?? '']
      .filter((line) => line !== '')
      .map((line) => el('streetAddressLine', {}, line)),
  );
}

/** At least one telecom: values we can express, else a null flavor. */
export function telecoms(points: ContactPoint[]): XmlElement[] {
  const known = points.flatMap((point) => {
    const value = point.value?.replace(/[\s.]+/g, '') ?? '';
    if (value === '') return [];
    if (point.system === 'email') return [{ value: `mailto:${point.value!.trim()}`, use: point.use }];
    if (point.system === 'url') return /^https?:/.test(value) ? [{ value, use: point.use }] : [];
    const prefix = telecomPrefixes[point.system ?? 'phone'];
    return prefix ? [{ value: `${prefix}${value}`, use: point.use }] : [];
  });
  if (known.length === 0) return [el('telecom', { nullFlavor: 'NAV' })];
  return known.map(({ value, use }) => el('telecom', { value, use: telecomUses[use ?? ''] }));
}

export function personName(person: Professional): XmlElement {
  return el(
    'name',
    {},
    person.civility && el('prefix', {}, person.civility),
    el('family', {}, person.family),
    person.given !== '' && el('given', {}, person.given),
    person.title && el('suffix', {}, person.title),
  );
}

export function professionCode(person: Professional, tables: CdaTables): XmlElement {
  const base = `G15_${person.profession ?? '10'}`;
  const detailed = person.speciality ? `${base}/${person.speciality}` : base;
  const code = detailed in tables.specialities ? detailed : base in tables.specialities ? base : 'G15_10';
  return el('code', { code, displayName: tables.specialities[code], codeSystem: professionSystem });
}

export function personId(person: Professional): XmlElement {
  return instance(roots.professional, person.nationalId);
}

/** Organisation of an author, signer or performer: id, name, telecom, addr, practice setting. */
export function organization(place: Structure, tables: CdaTables, element = 'representedOrganization'): XmlElement {
  const setting =
    place.practiceSetting && place.practiceSetting in tables.practiceSettings ? place.practiceSetting : 'ETABLISSEMENT';
  return el(
    element,
    {},
    organizationCore(place),
    el('standardIndustryClassCode', {
      code: setting,
      displayName: tables.practiceSettings[setting],
      codeSystem: '1.2.250.1.213.1.1.4.9',
    }),
  );
}

export function organizationCore(place: Structure): XmlChild[] {
  return [
    place.nationalId ? instance(roots.structure, place.nationalId) : undefined,
    el('name', {}, place.name),
    telecoms(place.telecom),
    addr(place.address),
  ];
}

/** assignedEntity of a signer or performer. */
export function assignedEntity(person: Professional, place: Structure, tables: CdaTables): XmlElement {
  return el(
    'assignedEntity',
    {},
    personId(person),
    professionCode(person, tables),
    addr(person.address),
    telecoms(person.telecom),
    el('assignedPerson', {}, personName(person)),
    organization(place, tables),
  );
}
