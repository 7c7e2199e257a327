/**
 * Claims of Pro Santé Connect (Agence du numérique en santé, userinfo of the professional identity): the national id in
 * `SubjectNameID` and `preferred_username` (`8` and the RPPS for who has one), what the person practises, and where, in
 * `SubjectRefPro.exercices[].activities[]`.
 */
import type { ExerciseRule } from '../../config/index.ts';
import { type Claims, textOf } from './claims.ts';

export interface Exercise {
  profession: string;
  skill: string;
  category: string;
  /** FINESS numbers of the places and of their legal entities. */
  finess: string[];
}

const exercisesAtMost = 50;
const activitiesAtMost = 200;
/** `8`+RPPS, `0`+ADELI, `3`+FINESS/internal number, and the test identities of the editors. */
const nationalIdSyntax = /^[A-Za-z0-9/._-]{6,64}$/;

/** The id both claims agree on; undefined when there is none or they differ: then nobody knows who this is. */
export function nationalIdOf(claims: Claims): string | undefined {
  const given = [claims.SubjectNameID, claims.preferred_username].filter((claim) => claim !== undefined);
  const ids = new Set(given.map((claim) => (typeof claim === 'string' ? claim.trim() : '')));
  const [id] = ids;
  return ids.size === 1 && id !== undefined && nationalIdSyntax.test(id) ? id : undefined;
}

export function exercisesOf(claims: Claims): Exercise[] {
  const exercises = listOf(objectOf(claims.SubjectRefPro)?.exercices).slice(0, exercisesAtMost);
  return exercises.flatMap((one) => {
    const exercise = objectOf(one);
    if (!exercise) return [];
    const activities = listOf(exercise.activities).slice(0, activitiesAtMost).map(objectOf);
    return {
      profession: textOf(exercise.codeProfession),
      skill: textOf(exercise.codeSavoirFaire),
      category: textOf(exercise.codeCategorieProfessionnelle),
      finess: activities.flatMap(finessOf),
    };
  });
}

export function fulfils(exercise: Exercise, rule: ExerciseRule): boolean {
  return (
    exercise.profession === rule.profession &&
    (rule.skill === undefined || exercise.skill === rule.skill) &&
    rule.categories.includes(exercise.category) &&
    (rule.finess === undefined || exercise.finess.includes(rule.finess))
  );
}

/** `numeroFinessSite`, `numeroFinessetablissementJuridique`: written with more than one use of capitals. */
function finessOf(activity: Record<string, unknown> | undefined): string[] {
  return Object.entries(activity ?? {}).flatMap(([name, value]) =>
    /^numerofiness/i.test(name) && textOf(value) !== '' ? [textOf(value)] : [],
  );
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
