/** Patient → PID by PAM-FR. The INS leaves only when the identity is qualified; the IPP always does, to whoever gave it. */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { escapeText } from './escape.ts';
import { writeCx } from './identifier.ts';
import { birthListUrl, birthPlaceUrl, inseeUrl, reliabilityUrl } from './patient.ts';
import { line } from './segment-writer.ts';
import type { Tables } from './tables.ts';
import { formatDate } from './timestamp.ts';

/** @param account PID-18, when the request gave one. @param receiver `Organization/[id]`: IPPs of others do not leave. */
export function writePid(
  patient: Patient,
  account: Identifier | undefined,
  tables: Tables,
  receiver: string | undefined,
): string {
  const statuses = statusesOf(patient);
  return line('PID', {
    1: '1',
    3: writeIdentifiers(patient, statuses, tables, receiver),
    5: writeNames(patient),
    7: patient.birthDate ? formatDate(patient.birthDate) : '',
    8: patient.gender === 'female' ? 'F' : patient.gender === 'male' ? 'M' : 'U',
    11: writeAddresses(patient),
    13: writeTelecom(patient),
    18: account ? writeCx(account, 'AN', tables) : '',
    32: statuses.map((status) => escapeText(status)).join('~'),
  });
}

function statusesOf(patient: Patient): string[] {
  return (patient.extension ?? [])
    .filter((extension) => extension.url === reliabilityUrl)
    .flatMap((extension) => extension.extension ?? [])
    .flatMap((part) => (part.url === 'identityStatus' && part.valueCoding?.code ? [part.valueCoding.code] : []));
}

function writeIdentifiers(
  patient: Patient,
  statuses: readonly string[],
  tables: Tables,
  receiver: string | undefined,
): string {
  const { qualifying, codes } = tables['identity-status'];
  const voided = statuses.some((status) => codes.find((known) => known.code === status)?.voidsIns);
  const qualified = statuses.includes(qualifying) && !voided;
  return (patient.identifier ?? [])
    .filter((identifier) => identifier.use !== 'old' && identifier.value)
    .flatMap((identifier) => {
      const type = identifier.type?.coding?.find((coding) => coding.code)?.code ?? 'PI';
      const rule = tables.identifiers.ins.find((candidate) => candidate.type === type);
      const assigner = identifier.assigner?.reference;
      const isTheirs = assigner === undefined || assigner === receiver;
      if (!rule) return type === 'PI' && isTheirs ? [writeCx(identifier, 'PI', tables)] : [];
      if (!qualified || identifier.use === 'secondary') return [];
      return [`${escapeText(identifier.value ?? '')}^^^${rule.namespace}&${rule.oid}&ISO^INS`];
    })
    .sort((a, b) => Number(a.endsWith('^INS')) - Number(b.endsWith('^INS')))
    .join('~');
}

function writeNames(patient: Patient): string {
  return (patient.name ?? [])
    .flatMap((name) => {
      const type = name.use === 'usual' ? 'D' : name.use === 'official' || name.use === undefined ? 'L' : undefined;
      if (type === undefined) return [];
      const list = name.extension?.find((extension) => extension.url === birthListUrl)?.valueString ?? '';
      const leaves = [name.family ?? '', name.given?.[0] ?? '', list].map((leaf) => escapeText(leaf));
      return [`${leaves.join('^')}^^^^${type}`];
    })
    .join('~');
}

function writeAddresses(patient: Patient): string {
  const homes = (patient.address ?? []).map((address) => {
    const leaves = [address.line?.[0], address.line?.[1], address.city, '', address.postalCode, address.country];
    return `${leaves.map((leaf) => escapeText(leaf ?? '')).join('^')}^H`;
  });
  const place = patient.extension?.find((extension) => extension.url === birthPlaceUrl)?.valueAddress;
  const code = place?.extension?.find((extension) => extension.url === inseeUrl)?.valueCoding?.code;
  if (!place) return homes.join('~');
  const birth = `^^${escapeText(place.city ?? '')}^^^${escapeText(place.country ?? '')}^BDL^^${escapeText(code ?? '')}`;
  return [...homes, birth].join('~');
}

function writeTelecom(patient: Patient): string {
  return (patient.telecom ?? [])
    .flatMap((point) => {
      if (!point.value) return [];
      const value = escapeText(point.value);
      if (point.system === 'email') return [`^NET^Internet^${value}`];
      if (point.system !== 'phone') return [];
      const use = point.use === 'work' ? 'WPN' : 'PRN';
      return [`^${use}^${point.use === 'mobile' ? 'CP' : 'PH'}^^^^^^^^^${value}`];
    })
    .join('~');
}
