/** PS3.4 §C.2.2.2 and PS3.18 §8.3.4: each kind of matching as an SQL condition. Values are parameters, always. */
import { dateKey, folded, foldedName, timeKey } from './dicom/matching-keys.ts';
import { isUid } from './dicom/uid.ts';
import { type Matchable, QueryError } from './query-attributes.ts';

/** Adds a value to the statement's parameters; answers its placeholder. */
export type Bind = (value: unknown) => string;

/** Sorts after everything that begins with the same text. */
const highest = '\u{10ffff}';
const maximumListed = 1000;

/**
 * The condition for one attribute; undefined when the value matches everything (empty, or `*`).
 * @param name as the caller wrote it, for messages.
 */
export function condition(
  matchable: Matchable,
  value: string,
  name: string,
  fuzzy: boolean,
  bind: Bind,
): string | undefined {
  if (value === '' || /^\*+$/.test(value)) return undefined;
  const { column, kind } = matchable;
  switch (kind) {
    case 'uid':
      return `${column} = ANY (${bind(uids(value, name))})`;
    case 'integer':
      return `${column} = ${bind(integer(value, name))}`;
    case 'anyOf':
      return `${column} && ${bind(value.split(/[,\\]/).map((one) => one.trim()))}::text[]`;
    case 'anyLike':
      return `EXISTS (SELECT FROM unnest(${column}) AS one (value) WHERE ${textCondition('one.value', value.trim(), bind)})`;
    case 'text':
      return textCondition(column, value.trim(), bind);
    case 'person':
      return fuzzy ? fuzzyCondition(column, value, bind) : personCondition(column, value, bind);
    case 'date':
    case 'moment': {
      const { from, to } = dateRange(value, name);
      return range(column, from, to, bind);
    }
    case 'time': {
      const { from, to } = timeRange(value, name);
      return range(column, from, to, bind);
    }
  }
}

/** Date and time ranges given together mean one range of instants (PS3.4 §C.2.2.2.5.4). */
export function combinedMoment(column: string, date: string, time: string, bind: Bind): string {
  const days = dateRange(date, 'StudyDate');
  const times = timeRange(time, 'StudyTime');
  return range(column, days.from && days.from + (times.from ?? ''), days.to && days.to + (times.to ?? ''), bind);
}

/** Whether a value is a range of more than one day or instant. */
export function isRange(value: string): boolean {
  return value.includes('-');
}

function range(column: string, from: string | undefined, to: string | undefined, bind: Bind): string {
  // An undated study is in no range, however open.
  const low = `${column} >= ${bind(from ?? '0')}`;
  return to === undefined ? low : `${low} AND ${column} < ${bind(to + highest)}`;
}

function textCondition(column: string, value: string, bind: Bind): string {
  if (!/[*?]/.test(value)) return `${column} = ${bind(value)}`;
  const like = `${column} LIKE ${bind(likePattern(value))}`;
  const prefix = /^[^*?]*/.exec(value)?.[0] ?? '';
  // Said as a range too, because LIKE is not leakproof and row-level security would keep it from the index.
  return prefix === '' ? like : `${column} >= ${bind(prefix)} AND ${column} < ${bind(prefix + highest)} AND ${like}`;
}

function personCondition(column: string, value: string, bind: Bind): string {
  const wanted = /[*?]/.test(value) ? folded(value) : foldedName(value);
  const main = textCondition(column, wanted, bind);
  // Ideographic and phonetic groups are asked for in their own script only, so that the common case stays one index scan.
  if (column !== 's.patient_name' || !/[\u0250-\u{10ffff}]/u.test(wanted)) return main;
  return `(${main} OR s.patient_name_other LIKE ${bind(`%${likePattern(wanted)}%`)})`;
}

/** Every word is the beginning of some part of the name. */
function fuzzyCondition(column: string, value: string, bind: Bind): string {
  const words = folded(value)
    .split(/[\s^=,*?-]+/)
    .filter((word) => word !== '');
  const other =
    column === 's.patient_name' ? ` || ' ' || translate(coalesce(s.patient_name_other, ''), '^=-', '   ')` : '';
  const haystack = `' ' || translate(coalesce(${column}, ''), '^-', '  ')${other}`;
  return words.length === 0
    ? 'true'
    : words.map((word) => `${haystack} LIKE ${bind(`% ${likePattern(word)}%`)}`).join(' AND ');
}

/** `*` any characters, `?` one; what LIKE would take for a wildcard is literal. */
function likePattern(value: string): string {
  return value
    .replace(/[\\%_]/g, '\\$&')
    .replaceAll('*', '%')
    .replaceAll('?', '_');
}

function uids(value: string, name: string): string[] {
  const list = value.split(/[,\\]/).map((one) => one.trim());
  if (list.length > maximumListed) throw new QueryError(`« ${name} » : ${maximumListed} UID au plus.`);
  if (!list.every(isUid)) throw new QueryError(`« ${name} » attend un UID, ou plusieurs séparés par des virgules.`);
  return list;
}

function integer(value: string, name: string): number {
  const number = Number(value);
  if (!/^[+-]?\d{1,9}$/.test(value.trim())) throw new QueryError(`« ${name} » attend un nombre entier.`);
  return number;
}

interface Range {
  from?: string;
  to?: string;
}

function bounds(value: string): [string, string] {
  const dash = value.indexOf('-');
  return dash === -1 ? [value, value] : [value.slice(0, dash), value.slice(dash + 1)];
}

function dateRange(value: string, name: string): Range {
  const [from, to] = bounds(value.trim());
  const key = (text: string) => {
    if (text === '') return undefined;
    const date = dateKey(text);
    if (!date) throw new QueryError(`« ${name} » attend une date AAAAMMJJ, ou un intervalle AAAAMMJJ-AAAAMMJJ.`);
    return date;
  };
  const found = { from: key(from), to: key(to) };
  if (!found.from && !found.to) throw new QueryError(`« ${name} » attend une date ou un intervalle.`);
  return definedRange(found);
}

function timeRange(value: string, name: string): Range {
  const [from, to] = bounds(value.trim());
  const check = (text: string) => {
    if (text !== '' && !timeKey(text)) {
      throw new QueryError(`« ${name} » attend une heure HHMMSS, ou un intervalle HHMMSS-HHMMSS.`);
    }
    return text.replaceAll(':', '');
  };
  // As far as written: `1730` is the whole minute, so the upper bound is what begins with it.
  const found = { from: check(from) || undefined, to: check(to) || undefined };
  if (!found.from && !found.to) throw new QueryError(`« ${name} » attend une heure ou un intervalle.`);
  return definedRange(found);
}

function definedRange({ from, to }: { from: string | undefined; to: string | undefined }): Range {
  return { ...(from ? { from } : {}), ...(to ? { to } : {}) };
}
