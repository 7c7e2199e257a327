/**
 * Comparison of identity traits (RNIV §3, ID-2): strict, but for differences that are known ways of writing the same thing. Each rule of
 * tolerance has a name; everything else that both sides state differently is `different`. Symmetric; an absent value says nothing.
 *
 * | rule | what is taken for the same |
 * |---|---|
 * | `writing` | accents, ligatures, case, hyphens, apostrophes, spaces: Noël-Édouard, NOEL EDOUARD |
 * | `used-name` | a side that does not say which name it uses has the name of birth, the one in use, or both together |
 * | `given-names` | the first given name, the one in use, or the first ones of the list of birth |
 * | `undivided` | family and given name in one component of a DICOM name |
 * | `cut` | a DICOM name of 20 characters or more that is the beginning of the whole name |
 * | `incomplete-date` | a date without its day or month, or by the convention for an unknown one (1st of the month, January, 31 December), when both names are the same |
 */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { isCut, lettersOf, wordsOf } from './names.ts';
import { type ImageTraits, type StatedTraits, type Trait, traitsOfImages, traitsOfPatient } from './traits.ts';

export type Tolerance = 'writing' | 'used-name' | 'given-names' | 'undivided' | 'cut' | 'incomplete-date';

export interface ComparedTrait {
  trait: Trait;
  verdict: 'same' | 'tolerated' | 'different' | 'unknown';
  /** Why it is tolerated. */
  rule?: Tolerance;
}

type Verdict = Omit<ComparedTrait, 'trait'>;

const same: Verdict = { verdict: 'same' };
const different: Verdict = { verdict: 'different' };
const unknown: Verdict = { verdict: 'unknown' };
const tolerated = (rule: Tolerance): Verdict => ({ verdict: 'tolerated', rule });

/** Every trait, in the order of `Trait`. */
export function compareTraits(one: StatedTraits, other: StatedTraits): ComparedTrait[] {
  const undivided = isUndivided(one, other) || isUndivided(other, one);
  const cut = isCutName(one, other) || isCutName(other, one);
  const whole = undivided ? tolerated('undivided') : cut ? tolerated('cut') : undefined;
  const family = accepted(compareFamilies(one, other), whole);
  const given = accepted(compareGivens(one, other), whole);
  const named = [family, given].every(({ verdict }) => verdict === 'same' || verdict === 'tolerated');
  return [
    { trait: 'birth-name', ...family },
    { trait: 'given-name', ...given },
    { trait: 'birth-date', ...compareDates(one.birthDate, other.birthDate, named) },
    { trait: 'sex', ...compareSex(one.sex, other.sex) },
    { trait: 'ins', ...compareIns(one.ins, other.ins) },
    { trait: 'ipp', ...compareIpps(one.ipps, other.ipps) },
  ];
}

/** What a way of writing the whole name explains is no difference. */
function accepted(found: Verdict, whole: Verdict | undefined): Verdict {
  return whole !== undefined && found.verdict === 'different' ? whole : found;
}

function compareFamilies(one: StatedTraits, other: StatedTraits): Verdict {
  if (one.birthFamily !== undefined && other.birthFamily !== undefined)
    return compareWriting(one.birthFamily, other.birthFamily);
  const [ours, theirs] = [familiesOf(one), familiesOf(other)];
  if (ours.length === 0 || theirs.length === 0) return unknown;
  const shared = ours.some((name) => theirs.some((their) => lettersOf(name) === lettersOf(their)));
  return shared ? (ours.length + theirs.length > 2 ? tolerated('used-name') : same) : different;
}

/** Names of a side, and the name of birth with the one in use, in either order. */
function familiesOf({ birthFamily, otherFamilies }: StatedTraits): string[] {
  if (birthFamily === undefined) return [...otherFamilies];
  const joined = otherFamilies.flatMap((name) => [`${birthFamily} ${name}`, `${name} ${birthFamily}`]);
  return [birthFamily, ...otherFamilies, ...joined];
}

function compareGivens(one: StatedTraits, other: StatedTraits): Verdict {
  if (one.birthGiven !== undefined && other.birthGiven !== undefined)
    return compareWriting(one.birthGiven, other.birthGiven);
  const [ours, theirs] = [givensOf(one), givensOf(other)];
  if (ours.length === 0 || theirs.length === 0) return unknown;
  if (ours.some((name) => theirs.some((their) => lettersOf(name) === lettersOf(their))))
    return ours.length + theirs.length > 2 ? tolerated('given-names') : same;
  const begins = ours.some((name) => isFirstOf(name, other)) || theirs.some((name) => isFirstOf(name, one));
  return begins ? tolerated('given-names') : different;
}

function givensOf({ birthGiven, otherGivens, givenList }: StatedTraits): string[] {
  return [...(birthGiven ? [birthGiven] : []), ...otherGivens, ...(givenList ? [givenList] : [])];
}

/** Whole words at the beginning of the list of birth, never less than the first given name. */
function isFirstOf(name: string, { givenList, birthGiven }: StatedTraits): boolean {
  if (givenList === undefined) return false;
  const [words, list] = [wordsOf(name), wordsOf(givenList)];
  const least = birthGiven === undefined ? list.length : wordsOf(birthGiven).length;
  return words.length >= least && words.length <= list.length && words.every((word, index) => list[index] === word);
}

function compareWriting(one: string, other: string): Verdict {
  if (one === other) return same;
  return lettersOf(one) === lettersOf(other) ? tolerated('writing') : different;
}

/** A machine's name in one component that holds family and given name of the other side. */
function isUndivided(machine: StatedTraits, side: StatedTraits): boolean {
  const { writtenName } = machine;
  if (writtenName === undefined || writtenName.includes('^')) return false;
  const written = lettersOf(writtenName);
  return familiesOf(side).some((family) => givensOf(side).some((given) => lettersOf(family + given) === written));
}

function isCutName(machine: StatedTraits, side: StatedTraits): boolean {
  const { writtenName } = machine;
  if (writtenName === undefined) return false;
  return familiesOf(side).some((family) => givensOf(side).some((given) => isCut(writtenName, `${family} ${given}`)));
}

/** @param named both names are the same: only then may a date be a convention. */
function compareDates(one: string | undefined, other: string | undefined, named: boolean): Verdict {
  if (one === undefined || other === undefined) return unknown;
  if (one === other) return same;
  return named && (isWithin(one, other) || isWithin(other, one)) ? tolerated('incomplete-date') : different;
}

/** Whether the first date may stand for the second one because its day or month was not known. */
function isWithin(rough: string, exact: string): boolean {
  const [year, month, day] = rough.split('-');
  const [exactYear, exactMonth, exactDay] = exact.split('-');
  if (year !== exactYear) return false;
  if (month === undefined) return true;
  if (day === undefined) return exactMonth === undefined || month === exactMonth;
  if (month === '12' && day === '31') return true;
  if (day === '01' && (exactMonth === undefined || month === exactMonth || month === '01')) return true;
  return month === '01' && day === exactDay;
}

function compareSex(one: StatedTraits['sex'], other: StatedTraits['sex']): Verdict {
  if (one === undefined || other === undefined) return unknown;
  return one === other ? same : different;
}

/** A temporary number (NIA) and a NIR are not comparable: one person has the one, then the other. */
function compareIns(one: Identifier | undefined, other: Identifier | undefined): Verdict {
  if (!one?.value || !other?.value || one.system !== other.system) return unknown;
  const [ours, theirs] = [matricule(one.value), matricule(other.value)];
  if (ours === theirs) return same;
  // Without its key, the number is the same number.
  const short = Math.min(ours.length, theirs.length) === 13 && ours.slice(0, 13) === theirs.slice(0, 13);
  return short ? tolerated('writing') : different;
}

const matricule = (value: string): string => value.replaceAll(/\s/g, '').toUpperCase();

/** Only numbers of one domain can contradict each other; a patient may have several of one. */
function compareIpps(ours: readonly Identifier[], theirs: readonly Identifier[]): Verdict {
  const comparable = ours.flatMap((one) =>
    theirs.filter((other) => other.system === one.system).map((other) => [one, other]),
  );
  if (comparable.length === 0) return unknown;
  return comparable.some(([one, other]) => one?.value === other?.value) ? same : different;
}

/** Traits that both state and state differently, numbers aside. An absent value, or a sex not known, contradicts nothing. */
export function contradictions(known: Patient, received: Patient): Trait[] {
  return differing(traitsOfPatient(known), traitsOfPatient(received)).filter(
    (trait) => trait !== 'ins' && trait !== 'ipp',
  );
}

/** Traits of the images that contradict the patient's. */
export function imageContradictions(patient: Patient, images: ImageTraits): Trait[] {
  return differing(traitsOfPatient(patient), traitsOfImages(images));
}

/** Traits on which two sides differ, numbers included. */
export function differing(one: StatedTraits, other: StatedTraits): Trait[] {
  return compareTraits(one, other)
    .filter(({ verdict }) => verdict === 'different')
    .map(({ trait }) => trait);
}
