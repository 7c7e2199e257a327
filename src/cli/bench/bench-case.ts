/**
 * Cases of a measurement, each of somebody else: two requests for one person, or for two of nearly the same name and birth date, open a
 * doubt about the identity, and what would be measured is the doubt.
 */
import { type DemoCase, demoCases, withKey } from '../demonstration/cases.ts';

const firstBirthMs = Date.UTC(1950, 0, 1);
const dayMs = 86_400_000;
const birthDays = 20_000;

/** @param series letters that set the cases of one load apart. @param n below 900,000. */
export function benchCase(series: string, n: number): DemoCase {
  const [template] = demoCases();
  if (!template) throw new Error('no demonstration case');
  const birthDate = new Date(firstBirthMs + scattered(n, birthDays) * dayMs)
    .toISOString()
    .slice(0, 10)
    .replaceAll('-', '');
  // Sex, year and month of birth, department, then commune and order from the number.
  const place = String(100_000 + n);
  return {
    ...template,
    placerNumber: `BENCH-${series}-${n}`,
    accessionNumber: `${series}-${n}`.slice(0, 16),
    appointment: `RDV-${series}-${n}`,
    ipp: `${series}${String(n).padStart(7, '0')}`,
    ins: withKey(`2${birthDate.slice(2, 6)}33${place}`),
    birthName: `TEST-${letters(n)}`,
    birthDate,
  };
}

/** A number of 0 to `below` - 1, far from those of its neighbours; each once, `below` and the factor having no common divisor. */
function scattered(n: number, below: number): number {
  return (n * 7_368_787) % below;
}

/** Six letters, as names are, another in most places than those of its neighbours. */
function letters(n: number): string {
  const digits = String(scattered(n, 1_000_000)).padStart(6, '0');
  return Array.from(digits, (digit, place) => String.fromCodePoint(65 + Number(digit) + place)).join('');
}
