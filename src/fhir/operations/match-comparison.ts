/** Compares the traits of two patients, one by one: the same, close (one slip of whoever typed), different, or not known. */
import type { Numbered, Traits } from './match-traits.ts';

export type Outcome = 'same' | 'close' | 'different' | 'unknown';
export type Trait = 'ins' | 'ipp' | 'birth-name' | 'first-given-name' | 'birth-date' | 'sex' | 'birth-place';
export type Comparison = Readonly<Record<Trait, Outcome>>;

export function compareTraits(wanted: Traits, known: Traits): Comparison {
  return {
    ins: compareIns(wanted.ins, known.ins),
    ipp: compareNumbers(wanted.ipp, known.ipp),
    'birth-name': compareFamily(wanted, known),
    'first-given-name': compareGiven(wanted, known),
    'birth-date': compareDates(wanted.birthDate, known.birthDate),
    sex: compareExact(wanted.sex, known.sex),
    'birth-place': compareExact(wanted.birthPlace, known.birthPlace),
  };
}

/** Numbers of one domain say something about each other, numbers of two domains nothing. */
function compareNumbers(wanted: readonly Numbered[], known: readonly Numbered[]): Outcome {
  const pairs = wanted.flatMap((a) => known.filter((b) => a.system === b.system).map((b) => a.value === b.value));
  if (pairs.length === 0) return 'unknown';
  return pairs.includes(true) ? 'same' : 'different';
}

/** Characters of a matricule without its key, which only repeats what these say. */
const bareLength = 13;

/** Written without its key it is no other number, and was not checked either: close, which is worth nothing. */
function compareIns(wanted: readonly Numbered[], known: readonly Numbered[]): Outcome {
  const outcome = compareNumbers(wanted, known);
  if (outcome !== 'different') return outcome;
  const isBare = wanted.some((a) => known.some((b) => a.system === b.system && isOneWithoutKey(a.value, b.value)));
  return isBare ? 'close' : 'different';
}

function isOneWithoutKey(a: string, b: string): boolean {
  return Math.min(a.length, b.length) === bareLength && a.slice(0, bareLength) === b.slice(0, bareLength);
}

function compareExact(wanted: string | undefined, known: string | undefined): Outcome {
  if (wanted === undefined || known === undefined) return 'unknown';
  return wanted === known ? 'same' : 'different';
}

/** A name in use where the name of birth is expected is close: the one mistake every desk makes. */
function compareFamily(wanted: Traits, known: Traits): Outcome {
  const names = compareWords(wanted.birthName, known.birthName);
  if (names === 'same' || names === 'close') return names;
  const used =
    known.otherNames.some((other) => compareWords(wanted.birthName, other) === 'same') ||
    wanted.otherNames.some((other) => compareWords(other, known.birthName) === 'same');
  return used ? 'close' : names;
}

/** `Jean` for `Jean-Pierre`, and `Jean Pierre` for the list that begins so, are close; so is one slip. */
function compareGiven(wanted: Traits, known: Traits): Outcome {
  const first = compareWords(wanted.firstGiven, known.firstGiven);
  if (first !== 'different') return first;
  const [a, b] = [wanted.firstGiven, known.firstGiven];
  return begins(a, b) || begins(b, a) || begins(a, known.allGiven) || begins(b, wanted.allGiven)
    ? 'close'
    : 'different';
}

function begins(part: readonly string[], whole: readonly string[]): boolean {
  return part.length > 0 && part.length <= whole.length && part.every((word, index) => word === whole[index]);
}

/** Shorter names differ by one letter without being one name: LEA, LEO. */
const slipFromLetters = 5;

function compareWords(wanted: readonly string[], known: readonly string[]): Outcome {
  if (wanted.length === 0 || known.length === 0) return 'unknown';
  const [a, b] = [wanted.join(''), known.join('')];
  // DE LA TOUR and DELATOUR: spaces are no letters.
  if (a === b) return 'same';
  return Math.min(a.length, b.length) >= slipFromLetters && isOneSlip(a, b) ? 'close' : 'different';
}

/** One letter more, less, other, or two neighbours exchanged. */
export function isOneSlip(a: string, b: string): boolean {
  if (a === b) return false;
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  return (
    restA.slice(1) === restB ||
    restB.slice(1) === restA ||
    restA.slice(1) === restB.slice(1) ||
    (restA.length > 1 && restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2))
  );
}

/** A date known less exactly, day and month exchanged, or one digit wrong are close. */
function compareDates(wanted: string | undefined, known: string | undefined): Outcome {
  if (!wanted || !known) return 'unknown';
  if (wanted === known) return 'same';
  if (wanted.startsWith(known) || known.startsWith(wanted) || wanted === swapped(known)) return 'close';
  return wanted.length === known.length && [...wanted].filter((digit, index) => digit !== known[index]).length === 1
    ? 'close'
    : 'different';
}

/** Day and month exchanged; undefined when that makes no date. */
export function swapped(date: string): string | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(date);
  return match && Number(match[3]) <= 12 ? `${match[1]}-${match[3]}-${match[2]}` : undefined;
}
