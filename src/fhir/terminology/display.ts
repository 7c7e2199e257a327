/** Which of its names a concept is shown by (https://hl7.org/fhir/R4/valueset-operation-expand.html, displayLanguage). */
import type { Concept, Designation } from './concept.ts';
import type { ListedConcept } from './selection.ts';

export interface DisplayQuestion {
  /** What the value set calls it. */
  listed?: ListedConcept | undefined;
  /** Language asked for, `fr` or `fr-CA`, several in order of preference as in Accept-Language. */
  wanted?: string | undefined;
  /** Language of the system's own displays. */
  language?: string | undefined;
}

/** The name in the first language that has one; else what the value set says; else what the system says. */
export function displayOf(concept: Concept, question: DisplayQuestion = {}): string | undefined {
  const fallback = question.listed?.display ?? concept.display;
  const designations = [...(question.listed?.designations ?? []), ...concept.designations];
  for (const wanted of languagesOf(question.wanted ?? '')) {
    // The very language before one that serves too.
    for (const fits of [isSame, speaks]) {
      if (question.language && fits(question.language, wanted)) return fallback;
      const named = best(designations.filter((item) => item.language && fits(item.language, wanted)));
      if (named) return named.value;
    }
  }
  return fallback;
}

/** Everything a concept may be called. */
export function namesOf(concept: Concept, listed?: ListedConcept): string[] {
  const designations = [...(listed?.designations ?? []), ...concept.designations];
  return [
    ...(listed?.display === undefined ? [] : [listed.display]),
    ...(concept.display === undefined ? [] : [concept.display]),
    ...designations.filter(isName).map(({ value }) => value),
  ];
}

/** Uses that make a designation the name to show, before any other. */
const preferred = new Set(['display', 'preferredForLanguage']);

function best(designations: readonly Designation[]): Designation | undefined {
  const names = designations.filter(isName);
  return (
    names.find(({ use }) => use?.code !== undefined && preferred.has(use.code)) ??
    names.find(({ use }) => !use) ??
    names[0]
  );
}

/** Some designations are definitions. */
function isName({ use }: Designation): boolean {
  return use?.code !== 'definition';
}

function isSame(language: string, wanted: string): boolean {
  return language.toLowerCase() === wanted.toLowerCase();
}

/** `fr-CA` is spoken where `fr` is asked for, and `fr` serves where `fr-CA` is asked for. */
function speaks(language: string, wanted: string): boolean {
  const [a, b] = [language.toLowerCase(), wanted.toLowerCase()];
  return a === b || a.startsWith(`${b}-`) || b.startsWith(`${a}-`);
}

/** `fr-FR,fr;q=0.9,en;q=0.8` in order of preference. */
function languagesOf(text: string): string[] {
  return text
    .split(',')
    .slice(0, 10)
    .map((item) => {
      const [tag, ...parameters] = item.trim().split(';');
      const quality = parameters.map((parameter) => /^\s*q=([\d.]+)/.exec(parameter)?.[1]).find(Boolean);
      return { tag: tag!, quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ tag, quality }) => tag !== '' && tag !== '*' && quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag);
}
