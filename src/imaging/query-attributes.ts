/** PS3.18 §10.6.1.2.3: what can be matched, by which column and in which way. */
import { entryOfKeyword, entryOfTag, tagText } from './dicom/dictionary.ts';
import type { Level } from './indexed-attributes.ts';

/** A search that cannot be answered as asked; the message names the parameter. */
export class QueryError extends Error {
  override name = 'QueryError';
}

export type MatchKind =
  | 'uid'
  | 'text'
  | 'person'
  | 'integer'
  /** `YYYYMMDD`, ranges. */
  | 'date'
  /** `HHMMSS.ffffff`, ranges. */
  | 'time'
  /** Study date, kept with the time in one ordered column. */
  | 'moment'
  /** Any value of an array column, several may be asked for. */
  | 'anyOf'
  /** Any value of an array column, with wildcards. */
  | 'anyLike';

export interface Matchable {
  level: Level;
  kind: MatchKind;
  column: string;
  /** Few rows have one value: then sorting them is cheaper than walking all studies in order. */
  selective?: boolean;
}

/** By path: a tag, or the tag of a sequence, a dot, and the tag inside. */
const matchable: Readonly<Record<string, Matchable>> = {
  '0020000D': { level: 'study', kind: 'uid', column: 's.study_uid', selective: true },
  '00100010': { level: 'study', kind: 'person', column: 's.patient_name' },
  '00100020': { level: 'study', kind: 'text', column: 's.patient_id', selective: true },
  '00100021': { level: 'study', kind: 'text', column: 's.patient_id_issuer' },
  '00100030': { level: 'study', kind: 'date', column: 's.birth_date' },
  '00100040': { level: 'study', kind: 'text', column: 's.sex' },
  '00080050': { level: 'study', kind: 'text', column: 's.accession_number', selective: true },
  '00080020': { level: 'study', kind: 'moment', column: 's.moment' },
  '00080030': { level: 'study', kind: 'time', column: 's.study_time' },
  '00200010': { level: 'study', kind: 'text', column: 's.study_id' },
  '00081030': { level: 'study', kind: 'text', column: 's.description' },
  '00080090': { level: 'study', kind: 'person', column: 's.referring_physician' },
  '00080061': { level: 'study', kind: 'anyOf', column: 's.modalities' },
  '00080062': { level: 'study', kind: 'anyOf', column: 's.sop_classes' },
  '0020000E': { level: 'series', kind: 'uid', column: 'se.series_uid', selective: true },
  '00080060': { level: 'series', kind: 'text', column: 'se.modality' },
  '00200011': { level: 'series', kind: 'integer', column: 'se.series_number' },
  '0008103E': { level: 'series', kind: 'text', column: 'se.description' },
  '00180015': { level: 'series', kind: 'text', column: 'se.body_part' },
  '00200060': { level: 'series', kind: 'text', column: 'se.laterality' },
  '00081010': { level: 'series', kind: 'text', column: 'se.station_name' },
  '00080080': { level: 'series', kind: 'text', column: 'se.institution' },
  '00080021': { level: 'series', kind: 'date', column: 'se.series_date' },
  '00080031': { level: 'series', kind: 'time', column: 'se.series_time' },
  '00400244': { level: 'series', kind: 'date', column: 'se.performed_date' },
  '00400245': { level: 'series', kind: 'time', column: 'se.performed_time' },
  '00400275.00400009': { level: 'series', kind: 'anyLike', column: 'se.scheduled_step_ids' },
  '00400275.00401001': { level: 'series', kind: 'anyLike', column: 'se.requested_procedure_ids' },
  '00080018': { level: 'instance', kind: 'uid', column: 'i.sop_uid', selective: true },
  '00080016': { level: 'instance', kind: 'uid', column: 'i.sop_class' },
  '00200013': { level: 'instance', kind: 'integer', column: 'i.instance_number' },
};

/**
 * `PatientID`, `00100020` or `RequestAttributesSequence.ScheduledProcedureStepID` → tags joined by a dot.
 * @throws QueryError when a part is neither an attribute's keyword nor a tag.
 */
export function attributePath(name: string): string {
  return name
    .split('.')
    .map((part) => {
      const entry = /^[0-9a-fA-F]{8}$/.test(part) ? Number.parseInt(part, 16) : entryOfKeyword(part)?.tag;
      if (entry === undefined)
        throw new QueryError(`« ${clipped(name)} » n'est ni un paramètre de recherche ni un attribut DICOM.`);
      return tagText(entry);
    })
    .join('.');
}

/** How to match a path. @throws QueryError when it cannot be matched at or above any level. */
export function matchableOf(path: string): Matchable {
  const found = matchable[path];
  if (found) return found;
  const name = path
    .split('.')
    .map((tag) => entryOfTag(Number.parseInt(tag, 16))?.keyword ?? tag)
    .join('.');
  throw new QueryError(`La recherche par « ${name} » n'est pas prise en charge.`);
}

/** A name out of a request, short enough for a message. */
function clipped(name: string): string {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name;
}
