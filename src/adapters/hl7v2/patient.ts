/** PID → Patient, by PAM-FR 2.11 and the national INS annex, as FR Core 2.1 shapes it. */
import type { Address, ContactPoint, Extension, HumanName, Identifier, Patient } from '@medplum/fhirtypes';
import { authorityOf, localIdentifier } from './identifier.ts';
import { hasMatriculeForm, hasValidKey } from './ins.ts';
import type { Segment } from './message.ts';
import { Refusal } from './refusal.ts';
import { parseTimestamp } from './timestamp.ts';
import { location, required, type Translation } from './translation.ts';

const frenchCore = 'https://hl7.fr/ig/fhir/core/StructureDefinition/';
export const reliabilityUrl = `${frenchCore}fr-core-identity-reliability`;
export const birthListUrl = `${frenchCore}fr-core-patient-birth-list-given-name`;
export const inseeUrl = `${frenchCore}fr-core-address-insee-code`;
export const birthPlaceUrl = 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace';

/** @throws Refusal when an identifier, the birth name or the INS cannot be used. */
export function readPatient(translation: Translation, pid: Segment): Patient {
  const name = names(pid);
  const birthDate = readBirthDate(translation, pid);
  const gender = readGender(translation, pid);
  const birthPlace = readBirthPlace(pid);
  const official = name[0]!;
  const complete = Boolean(
    official.family &&
      official.given?.length &&
      official.extension?.length &&
      birthDate?.length === 10 &&
      gender !== 'unknown' &&
      birthPlace,
  );
  const { status, identifiers } = readIdentity(translation, pid, complete);
  const address = readHomeAddresses(pid);
  const telecom = readTelecom(pid);
  const reliability = status.map((code): Extension => {
    const { system, codes } = translation.tables['identity-status'];
    const display = codes.find((known) => known.code === code)?.display;
    return {
      url: reliabilityUrl,
      extension: [{ url: 'identityStatus', valueCoding: { system, code, ...(display ? { display } : {}) } }],
    };
  });
  return {
    resourceType: 'Patient',
    extension: [...reliability, ...(birthPlace ? [birthPlace] : [])],
    identifier: identifiers,
    name,
    gender,
    ...(birthDate ? { birthDate } : {}),
    ...(address.length > 0 ? { address } : {}),
    ...(telecom.length > 0 ? { telecom } : {}),
  };
}

/**
 * PID-3 and PID-32 together: the INS is an INS only when the sender says VALI, nothing voids it, and every strict trait came with
 * it; otherwise its number is left out (the raw message keeps it) and the identity is at best what the sender said, at worst
 * provisional. We never raise a status.
 */
function readIdentity(
  translation: Translation,
  pid: Segment,
  traitsComplete: boolean,
): { status: string[]; identifiers: Identifier[] } {
  const { tables, warnings } = translation;
  const rules = tables['identity-status'];
  const said = readStatus(translation, pid);
  const voided = said.some((code) => rules.codes.find((known) => known.code === code)?.voidsIns);
  const validated = said.includes(rules.qualifying) && !voided;
  const ins: Identifier[] = [];
  const others: Identifier[] = [];
  let incomplete = false;
  for (let repetition = 0; repetition < pid.repetitions(3); repetition += 1) {
    const value = pid.value(3, 1, 1, repetition);
    if (value === undefined) continue;
    const authority = authorityOf(pid, 3, repetition);
    const type = pid.value(3, 5, 1, repetition) ?? '';
    const rule = tables.identifiers.ins.find((candidate) => candidate.oid === authority.id);
    if (authority.id !== undefined && tables.identifiers.neverKept.includes(authority.id)) continue;
    if (rule && tables.identifiers.insTypeCodes.includes(type)) {
      if (!validated) {
        warnings.push('PID-3 : matricule INS non retenu, identité non qualifiée (PID-32)');
        continue;
      }
      if (translation.production && rule.test) throw new Refusal('test-identity', location(pid, 3));
      const matricule = value.replace(/\s/g, '').toUpperCase();
      checkMatricule(translation, pid, matricule, rule.keyChecked);
      if (!traitsComplete) {
        warnings.push('PID-3 : matricule INS non retenu, traits stricts incomplets');
        incomplete = true;
        continue;
      }
      if (ins.some((known) => known.system === `urn:oid:${rule.oid}` && known.value !== matricule)) {
        throw new Refusal('ins-ambiguous', location(pid, 3));
      }
      ins.push({
        use: ins.some((known) => known.use === 'official') && rule.use === 'official' ? 'secondary' : rule.use,
        type: { coding: [{ system: tables.identifiers.typeSystemFrench, code: rule.type }] },
        system: `urn:oid:${rule.oid}`,
        value: matricule,
      });
      continue;
    }
    // An INS whose authority is not the national one, or a health-insurance number under the OID of the INS: kept as another
    // number, it would find the patient whose INS it is, past every rule of qualification.
    if (rule || tables.identifiers.insTypeCodes.includes(type)) {
      warnings.push(
        rule
          ? 'PID-3 : numéro sous l’OID de l’INS sans le type INS, non retenu'
          : 'PID-3 : matricule de type INS non retenu, son autorité n’est pas un OID de l’INS',
      );
      continue;
    }
    const kind = tables.identifiers.patientTypes[type];
    if (authority.namespace === undefined && authority.id === undefined) {
      throw new Refusal('field-missing', location(pid, 3), {
        path: 'PID-3.4',
        name: 'autorité de l’identifiant du patient',
      });
    }
    others.push({
      use: kind === 'ipp' ? 'usual' : 'secondary',
      ...localIdentifier(value, kind === 'ipp' ? 'PI' : type, authority, kind ?? type.toLowerCase(), tables),
    });
  }
  const identifiers = [...ins, ...others];
  if (identifiers.length === 0) {
    throw new Refusal('field-missing', location(pid, 3), {
      path: 'PID-3',
      name: 'IPP (PI) ou matricule INS d’une identité validée',
    });
  }
  const status =
    incomplete || (voided && said.includes(rules.qualifying)) ? lowered(said, rules.qualifying, rules.fallback) : said;
  return { status, identifiers };
}

function lowered(said: string[], qualifying: string, fallback: string): string[] {
  return [...new Set(said.map((code) => (code === qualifying ? fallback : code)))];
}

function readStatus({ tables, warnings }: Translation, pid: Segment): string[] {
  const rules = tables['identity-status'];
  const codes: string[] = [];
  for (let repetition = 0; repetition < pid.repetitions(32); repetition += 1) {
    const sent = pid.value(32, 1, 1, repetition)?.toUpperCase();
    if (sent === undefined) continue;
    const known = rules.codes.find((candidate) => candidate.code === sent);
    if (!known || known.as)
      warnings.push(`PID-32 : code ${known ? sent : 'inconnu'} lu comme ${known?.as ?? rules.fallback}`);
    codes.push(known ? (known.as ?? known.code) : rules.fallback);
  }
  return codes.length === 0 ? [rules.fallback] : [...new Set(codes)];
}

function checkMatricule({ warnings }: Translation, pid: Segment, matricule: string, keyChecked: boolean): void {
  if (!hasMatriculeForm(matricule)) {
    throw new Refusal('bad-type', location(pid, 3), {
      path: 'PID-3',
      name: 'matricule INS',
      expected: '15 caractères attendus, clé comprise',
    });
  }
  if (hasValidKey(matricule)) return;
  if (keyChecked) throw new Refusal('bad-ins-key', location(pid, 3));
  warnings.push('PID-3 : clé de contrôle du matricule INS incorrecte (identité de test)');
}

/** Birth name first (repetition of type L, or untyped), then the used name (type D). */
function names(pid: Segment): HumanName[] {
  let birth: HumanName | undefined;
  let used: HumanName | undefined;
  for (let repetition = 0; repetition < pid.repetitions(5); repetition += 1) {
    const type = pid.value(5, 7, 1, repetition);
    const family = pid.value(5, 1, 1, repetition);
    const given = pid.value(5, 2, 1, repetition);
    const list = pid.value(5, 3, 1, repetition);
    const parts = { ...(family ? { family } : {}), ...(given ? { given: [given] } : {}) };
    if ((type === undefined || type === 'L') && family && !birth) {
      birth = { use: 'official', ...parts, ...(list ? { extension: [{ url: birthListUrl, valueString: list }] } : {}) };
    } else if (type === 'D' && (family || given) && !used) {
      used = { use: 'usual', ...parts };
    }
  }
  if (!birth)
    throw new Refusal('field-missing', location(pid, 5), { path: 'PID-5.1', name: 'nom de naissance (type L)' });
  return used ? [birth, used] : [birth];
}

function readBirthDate(translation: Translation, pid: Segment): string | undefined {
  const value = pid.value(7);
  if (value === undefined) return undefined;
  // The whole field: of 1985-03-12 or 1985031 the year alone would be left, and say less than was meant.
  const match = parseTimestamp(value, translation.site.zone) && /^(\d{4})(\d{2})?(\d{2})?/.exec(value);
  const date = match && [match[1], match[2], match[3]].filter((part) => part !== undefined).join('-');
  const exists = date && !Number.isNaN(Date.parse(date)) && new Date(date).toISOString().startsWith(date);
  if (exists) return date;
  throw new Refusal('bad-type', location(pid, 7), {
    path: 'PID-7',
    name: 'date de naissance',
    expected: 'AAAAMMJJ attendu',
  });
}

function readGender({ warnings }: Translation, pid: Segment): NonNullable<Patient['gender']> {
  const value = pid.value(8)?.toUpperCase();
  if (value === 'F') return 'female';
  if (value === 'M') return 'male';
  if (value !== undefined && value !== 'U' && value !== 'I') warnings.push('PID-8 : code inconnu, sexe laissé inconnu');
  return 'unknown';
}

/** Repetition of PID-11 of type BDL: INSEE code of the place in the ninth component. */
function readBirthPlace(pid: Segment): Extension | undefined {
  for (let repetition = 0; repetition < pid.repetitions(11); repetition += 1) {
    if (pid.value(11, 7, 1, repetition) !== 'BDL') continue;
    const code = pid.value(11, 9, 1, repetition)?.toUpperCase();
    const city = pid.value(11, 3, 1, repetition);
    const country = pid.value(11, 6, 1, repetition);
    if (!code && !city && !country) continue;
    return {
      url: birthPlaceUrl,
      valueAddress: {
        ...(code ? { extension: [{ url: inseeUrl, valueCoding: { code } }] } : {}),
        ...(city ? { city } : {}),
        ...(country ? { country } : {}),
      },
    };
  }
  return undefined;
}

function readHomeAddresses(pid: Segment): Address[] {
  const addresses: Address[] = [];
  for (let repetition = 0; repetition < pid.repetitions(11); repetition += 1) {
    const type = pid.value(11, 7, 1, repetition);
    if (type !== undefined && type !== 'H') continue;
    const leaf = (component: number) => pid.value(11, component, 1, repetition);
    const line = [leaf(1), leaf(2)].filter((part) => part !== undefined);
    const city = leaf(3);
    const postalCode = leaf(5);
    const country = leaf(6);
    if (line.length === 0 && !city && !postalCode && !country) continue;
    addresses.push({
      use: 'home',
      ...(line.length > 0 ? { line } : {}),
      ...(city ? { city } : {}),
      ...(postalCode ? { postalCode } : {}),
      ...(country ? { country } : {}),
    });
  }
  return addresses;
}

/** XTN: the number is in the twelfth component (the first one is tolerated), a mail address in the fourth. */
export function readTelecom(segment: Segment, field = 13): ContactPoint[] {
  const points: ContactPoint[] = [];
  for (let repetition = 0; repetition < segment.repetitions(field); repetition += 1) {
    const mail = segment.value(field, 4, 1, repetition);
    const number = segment.value(field, 12, 1, repetition) ?? segment.value(field, 1, 1, repetition);
    const equipment = segment.value(field, 3, 1, repetition);
    const work = segment.value(field, 2, 1, repetition) === 'WPN';
    if (mail?.includes('@')) points.push({ system: 'email', value: mail });
    else if (number)
      points.push({ system: 'phone', value: number, use: equipment === 'CP' ? 'mobile' : work ? 'work' : 'home' });
  }
  return points;
}

/** PID of a message. @throws Refusal `segment-missing`. */
export function patientSegment({ message }: Translation): Segment {
  const pid = message.first('PID');
  if (!pid)
    throw new Refusal('segment-missing', 'PID^1', { path: 'PID', name: 'identité du patient', flow: 'ce message' });
  required(pid, 5, 'nom du patient');
  return pid;
}
