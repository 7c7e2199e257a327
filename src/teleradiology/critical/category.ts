/**
 * How soon a critical result must be heard (WF-9): the three categories that the profession tells apart, by minutes, hours or days. Each
 * establishment may shorten or lengthen them in its settings.
 */
import type { EstablishmentSettings } from '../settings.ts';

/** Codes of our CodeSystem `critical-category`. */
export type CriticalCategory = 'immediate' | 'hours' | 'days';

const criticalCategories: readonly CriticalCategory[] = ['immediate', 'hours', 'days'];

export function isCriticalCategory(code: string | undefined): code is CriticalCategory {
  return criticalCategories.some((category) => category === code);
}

/** Minutes one recipient has to answer before the next one is told too. */
export function patienceMinutes(category: CriticalCategory, settings: EstablishmentSettings): number {
  switch (category) {
    case 'immediate':
      return settings.criticalMinutes;
    case 'hours':
      return settings.criticalHours * 60;
    case 'days':
      return settings.criticalDays * 24 * 60;
  }
}

/** The more pressing of two. */
export function morePressing(a: CriticalCategory, b: CriticalCategory): CriticalCategory {
  return criticalCategories.indexOf(a) <= criticalCategories.indexOf(b) ? a : b;
}
