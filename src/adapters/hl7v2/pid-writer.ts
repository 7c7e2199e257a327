/** Patient → PID by PAM-FR. The INS leaves only when the identity is qualified; the IPP always does, to whoever gave it. */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { escapeText } from './escape.ts';
import { writeCx } from './identifier.ts';
import { hasMatriculeForm, hasValidKey } from './ins.ts';
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
  const local = (patient.identifier ?? []).filter(
    (identifier) =>
      identifier.use !== 'old' &&
      identifier.value &&
      (typeOf(identifier) ?? 'PI') === 'PI' &&
      insRule(identifier, tables) === undefined &&
      (identifier.assigner?.reference === undefined || identifier.assigner.reference === receiver),
  );
  return [
    ...local.map((identifier) => writeCx(identifier, 'PI', tables)),
    ...qualifiedIns(patient, statuses, tables).map(
      ({ rule, matricule }) => `${escapeText(matricule)}^^^${rule.namespace}&${rule.oid}&ISO^INS`,
    ),
  ].join('~');
}

/** What a client wrote into the Patient is not believed more than a message: status, strict traits, type, form and key all agree, or it stays here. */
function qualifiedIns(patient: Patient, statuses: readonly string[], tables: Tables) {
  const { qualifying, codes } = tables['identity-status'];
  const voided = statuses.some((status) => codes.find((known) => known.code === status)?.voidsIns);
  if (!statuses.includes(qualifying) || voided || !hasStrictTraits(patient)) return [];
  return (patient.identifier ?? []).flatMap((identifier) => {
    const rule = insRule(identifier, tables);
    const isInUse = identifier.use !== 'old' && identifier.use !== 'secondary';
    const type = typeOf(identifier);
    // The health-insurance number shares the system of the NIR: only the type tells them apart.
    if (rule === undefined || !isInUse || (type !== undefined && type !== rule.type)) return [];
    const matricule = (identifier.value ?? '').replace(/\s/g, '').toUpperCase();
    const isRight = hasMatriculeForm(matricule) && (!rule.keyChecked || hasValidKey(matricule));
    return isRight ? [{ rule, matricule }] : [];
  });
}

/** Name and given names of birth, day of birth, sex, place of birth (RNIV). */
function hasStrictTraits({ name = [], birthDate, gender, extension = [] }: Patient): boolean {
  const official = name.find((each) => each.use === 'official') ?? name.find((each) => each.use === undefined);
  const place = extension.find(({ url }) => url === birthPlaceUrl)?.valueAddress;
  const list = official?.extension?.some(({ url, valueString }) => url === birthListUrl && valueString);
  const isNamed = Boolean(official?.family && official.given?.[0] && list);
  return isNamed && birthDate?.length === 10 && (gender === 'male' || gender === 'female') && place !== undefined;
}

function insRule({ system }: Identifier, tables: Tables) {
  return tables.identifiers.ins.find(({ oid }) => system === `urn:oid:${oid}`);
}

function typeOf({ type }: Identifier): string | undefined {
  return type?.coding?.find(({ code }) => code)?.code;
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
