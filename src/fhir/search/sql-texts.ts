/** Texts that PostgreSQL writes of values, and reads again when a page's cursor brings them back: whatever else is sent must not reach it. */

const timestampPattern =
  /^(\d{4,5})-(\d{2})-(\d{2}) ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?[+-](?:0\d|1[0-4])(?::[0-5]\d){0,2}$/;
/** Farther than any moment that is stored, nearer than what PostgreSQL knows. */
const lastYear = 10_000;

/** Whether a text is a `timestamptz` as it is printed: `2026-11-22 22:30:00.5+01`. */
export function isSqlTimestamp(text: string): boolean {
  const match = timestampPattern.exec(text);
  if (!match) return false;
  const [year, month, day] = match.slice(1, 4).map(Number) as [number, number, number];
  if (year < 1 || year > lastYear) return false;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** Whether a text is a `double precision` as it is printed: `5.4`, `1e-07`, `-Infinity`. */
export function isSqlNumber(text: string): boolean {
  if (/^-?Infinity$/.test(text)) return true;
  const mantissa = /^-?(\d+(?:\.\d+)?)(?:e[+-]?\d{1,4})?$/.exec(text)?.[1];
  if (mantissa === undefined) return false;
  const number = Number(text);
  // What is too small to be told from zero is refused by PostgreSQL.
  return Number.isFinite(number) && (number !== 0 || /^[0.]*$/.test(mantissa));
}
