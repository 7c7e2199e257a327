/** Another patient of the establishment with nearly the same traits (RNIV, homonyms): whoever reads must know that there are two. */
import type { Patient } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { isNear, lettersOf, wordsOf } from './names.ts';
import { insOf, ippsOf, type StatedTraits, traitsOfPatient } from './traits.ts';

/** Patients of one birth date that are looked at. */
const comparedAtMost = 500;

/** Those of the same establishment that could be taken for this patient; a double under the same INS is another problem. */
export async function homonymsOf(
  tx: FhirTransaction,
  patient: Patient & { id: string },
): Promise<(Patient & { id: string })[]> {
  if (!patient.birthDate || !/^\d{4}-\d{2}-\d{2}$/.test(patient.birthDate)) return [];
  const own = traitsOfPatient(patient);
  const sameDay = await bornOn(tx, [patient.birthDate]);
  // Of the neighbouring dates only names that begin like these: whoever differs in both is somebody else.
  const beginnings = beginningsOf(own);
  const nearDay = beginnings === '' ? [] : await bornOn(tx, nearDates(patient.birthDate).slice(1), beginnings);
  return [...sameDay, ...nearDay].filter(
    (other) =>
      other.id !== patient.id &&
      other.active !== false &&
      areOfOneEstablishment(patient, other) &&
      !isSameNumber(patient, other) &&
      isNearlyTheSame(own, traitsOfPatient(other)),
  );
}

async function bornOn(
  tx: FhirTransaction,
  dates: readonly string[],
  beginnings?: string,
): Promise<(Patient & { id: string })[]> {
  const named = beginnings === undefined ? '' : `&family=${encodeURIComponent(beginnings)}`;
  const found = await tx.search('Patient', `birthdate=${dates.join(',')}${named}&_count=${comparedAtMost}`);
  return found as (Patient & { id: string })[];
}

/** First letters of the family and given name, as alternatives of a search. */
function beginningsOf({ birthFamily, birthGiven }: StatedTraits): string {
  const first = [birthFamily, birthGiven].flatMap((name) => (name === undefined ? [] : lettersOf(name).slice(0, 2)));
  return [...new Set(first)].filter((letters) => letters.length === 2).join(',');
}

/** The date itself, and the mistakes that are made with dates: day and month changed over, a neighbouring day, month or year. */
export function nearDates(date: string): string[] {
  const [year = '', month = '', day = ''] = date.split('-');
  const shifted = (part: string, by: number): string => String(Number(part) + by).padStart(part.length, '0');
  const candidates = [
    date,
    `${year}-${day}-${month}`,
    ...[-1, 1].flatMap((by) => [
      `${year}-${month}-${shifted(day, by)}`,
      `${year}-${shifted(month, by)}-${day}`,
      `${shifted(year, by)}-${month}-${day}`,
    ]),
  ];
  return [...new Set(candidates)].filter(isDate);
}

function isDate(text: string): boolean {
  const parsed = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
}

/** A number of the same authority, or a label of the same establishment. */
export function areOfOneEstablishment(one: Patient, other: Patient): boolean {
  const domains = new Set(ippsOf(one).map(({ system }) => system));
  if (ippsOf(other).some(({ system }) => domains.has(system))) return true;
  const labels = new Set((one.meta?.security ?? []).map(({ system, code }) => `${system}|${code}`));
  return (other.meta?.security ?? []).some(({ system, code }) => labels.has(`${system}|${code}`));
}

function isSameNumber(one: Patient, other: Patient): boolean {
  const [ours, theirs] = [insOf(one), insOf(other)];
  return ours !== undefined && ours.system === theirs?.system && ours.value === theirs?.value;
}

/** Family and given name alike but for a letter, a further given name, or changed over; no known other sex. */
export function isNearlyTheSame(one: StatedTraits, other: StatedTraits): boolean {
  if (one.sex !== undefined && other.sex !== undefined && one.sex !== other.sex) return false;
  const families = [one, other].map(({ birthFamily, otherFamilies }) => [
    ...(birthFamily ? [birthFamily] : []),
    ...otherFamilies,
  ]);
  const givens = [one, other].map(({ birthGiven, otherGivens }) => [
    ...(birthGiven ? [birthGiven] : []),
    ...otherGivens,
  ]);
  const [ours = [], theirs = []] = families;
  const [ourGivens = [], theirGivens = []] = givens;
  const alike = anyNear(ours, theirs) && (anyNear(ourGivens, theirGivens) || anyBegins(ourGivens, theirGivens));
  return alike || (anyNear(ours, theirGivens) && anyNear(ourGivens, theirs));
}

function anyNear(ours: readonly string[], theirs: readonly string[]): boolean {
  // A name of one or two letters is near to too many.
  return ours.some((one) =>
    theirs.some((other) => lettersOf(one) === lettersOf(other) || (lettersOf(one).length > 2 && isNear(one, other))),
  );
}

/** ANNE and ANNE-MARIE. */
function anyBegins(ours: readonly string[], theirs: readonly string[]): boolean {
  return ours.some((one) =>
    theirs.some((other) => wordsOf(one)[0] !== undefined && wordsOf(one)[0] === wordsOf(other)[0]),
  );
}
