/** Months of the trail, and where they begin among time-ordered ids (RFC 9562 version 7: the first 48 bits are milliseconds). */

/** First instant of a month, UTC: `2026-11` → 2026-11-01T00:00:00Z. */
export function monthStart(month: string): Date {
  return new Date(`${month}-01T00:00:00Z`);
}

export function monthOf(at: Date): string {
  return at.toISOString().slice(0, 7);
}

export function monthAfter(month: string): string {
  const start = monthStart(month);
  return monthOf(new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1)));
}

/** The least time-ordered id of an instant: every id made from then on comes after it. */
export function timePrefix(at: Date): string {
  const time = Math.max(at.getTime(), 0).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}`;
}

/** Month a time-ordered id was made in; undefined for any other id. */
export function monthOfId(id: string): string | undefined {
  const match = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-/.exec(id);
  return match ? monthOf(new Date(Number.parseInt(`${match[1]}${match[2]}`, 16))) : undefined;
}
