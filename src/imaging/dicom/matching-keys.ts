/** PS3.4 §C.2.2.2: values brought to the form in which they are compared. */

/** Capitals without accents, single spaces: how names are compared (PS3.4 §C.2.2.2.1.1 leaves case and accents to the server). */
export function folded(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .toUpperCase()
    .replace(/\s+/g, ' ')
    .trim();
}

/** A name for comparison: folded, without empty components at the end. */
export function foldedName(text: string): string {
  return folded(text).replace(/(?<![\^ ])[\^ ]+$/, '');
}

/** DA → `YYYYMMDD`; also the `YYYY.MM.DD` of old files. Undefined when it is no date. */
export function dateKey(text: string | undefined): string | undefined {
  const match = /^(\d{4})[.-]?(\d{2})[.-]?(\d{2})$/.exec(text?.trim() ?? '');
  if (!match) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return `${match[1]}${match[2]}${match[3]}`;
}

/** TM → `HHMMSS.ffffff`, missing parts as zeros; also the `HH:MM:SS` of old files. Undefined when it is no time. */
export function timeKey(text: string | undefined): string | undefined {
  const match = /^(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?$/.exec(text?.trim() ?? '');
  if (!match) return undefined;
  const [hours, minutes, seconds] = [match[1] ?? '00', match[2] ?? '00', match[3] ?? '00'];
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 60) return undefined;
  return `${hours}${minutes}${seconds}.${(match[4] ?? '').padEnd(6, '0')}`;
}
