/** What a comparison is worth: points by trait in one table, and the grade they make (docs/fhir.md, "$match"). */
import type { Comparison, Outcome, Trait } from './match-comparison.ts';

export type Grade = 'certain' | 'probable' | 'possible' | 'certainly-not';

/** Points of a trait by outcome; what is not known is worth nothing. The strict traits, all the same, make `full`. */
const points: Readonly<Record<Trait, Readonly<Record<Exclude<Outcome, 'unknown'>, number>>>> = {
  ins: { same: 40, close: 0, different: -75 },
  ipp: { same: 30, close: 0, different: -5 },
  'birth-name': { same: 22, close: 12, different: -20 },
  'first-given-name': { same: 15, close: 8, different: -15 },
  'birth-date': { same: 22, close: 10, different: -25 },
  sex: { same: 4, close: 0, different: -12 },
  'birth-place': { same: 12, close: 0, different: -8 },
};
const full = 75;

/** Scores from which patients are probably the same, or possibly. */
const probableFrom = 0.7;
const possibleFrom = 0.4;

const strict = ['birth-name', 'first-given-name', 'birth-date', 'sex'] as const satisfies readonly Trait[];

/** 0 to 1, two decimals. */
export function scoreOf(comparison: Comparison): number {
  const sum = Object.entries(comparison).reduce(
    (total, [trait, outcome]) => total + (outcome === 'unknown' ? 0 : points[trait as Trait][outcome]),
    0,
  );
  return Math.round(Math.min(1, Math.max(0, sum / full)) * 100) / 100;
}

/**
 * The grade, undefined for who is simply somebody else. `certain` needs the same number (a qualified INS, or an IPP) and every strict
 * trait the same: a number alone may have been typed into the wrong record. Two qualified identities with two INS are two persons.
 */
export function gradeOf(comparison: Comparison, bothQualified: boolean): Grade | undefined {
  const score = scoreOf(comparison);
  const isSame = strict.every((trait) => comparison[trait] === 'same');
  const contradicts = [...strict, 'ins', 'birth-place'].some((trait) => comparison[trait as Trait] === 'different');
  if (comparison.ins === 'different') {
    const traits = scoreOf({ ...comparison, ins: 'unknown' });
    if (traits < possibleFrom) return undefined;
    return bothQualified ? 'certainly-not' : 'possible';
  }
  const sameNumber = (comparison.ins === 'same' && bothQualified) || comparison.ipp === 'same';
  if (isSame && !contradicts && sameNumber) return 'certain';
  // A number on two records whose traits differ is for a person to look at, whatever the points say.
  if (contradicts)
    return comparison.ins === 'same' || comparison.ipp === 'same' || score >= possibleFrom ? 'possible' : undefined;
  // A near name of birth is a suspicion and no match (RNIV), unless the INS says the same.
  const isNamed = comparison['birth-name'] === 'same' && comparison['first-given-name'] !== 'unknown';
  if (score >= probableFrom && (isNamed || comparison.ins === 'same')) return 'probable';
  return score >= possibleFrom ? 'possible' : undefined;
}
