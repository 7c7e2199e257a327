/** PS3.18 §10.6.3.3: one item of a search answer, put together from the texts the index keeps and what is computed. */
import type { DicomJson } from './dicom/json-model.ts';
import type { Level } from './indexed-attributes.ts';

/** What a search selects; the levels not shown are absent. */
export interface AnswerRow {
  study_uid: string;
  series_uid?: string;
  sop_uid?: string;
  /** DICOM JSON objects. */
  study?: string;
  series?: string;
  instance?: string;
  modalities?: string[];
  sop_classes?: string[];
  series_count?: number;
  study_instances?: number;
  series_instances?: number;
  transfer_syntax?: string;
}

/** @returns the item as JSON text. */
export function answerItem(row: AnswerRow, query: { level: Level; serviceUrl: string }, extra: DicomJson): string {
  const computed: DicomJson = {
    '00080056': { vr: 'CS', Value: ['ONLINE'] },
    '00081190': { vr: 'UR', Value: [retrieveUrl(query.serviceUrl, row, query.level)] },
  };
  if (row.study !== undefined) {
    if (row.modalities?.length) computed['00080061'] = { vr: 'CS', Value: row.modalities };
    computed['00080062'] = { vr: 'UI', Value: row.sop_classes ?? [] };
    computed['00201206'] = { vr: 'IS', Value: [row.series_count ?? 0] };
    computed['00201208'] = { vr: 'IS', Value: [row.study_instances ?? 0] };
  }
  if (row.series !== undefined) computed['00201209'] = { vr: 'IS', Value: [row.series_instances ?? 0] };
  if (row.transfer_syntax !== undefined) computed['00083002'] = { vr: 'UI', Value: [row.transfer_syntax] };
  const texts = [row.study, row.series, row.instance, JSON.stringify(computed), JSON.stringify(extra)];
  // Each text is an object whose tags no other text has.
  const inner = texts.flatMap((text) => (text && text !== '{}' ? text.slice(1, -1) : []));
  return `{${inner.join(',')}}`;
}

function retrieveUrl(serviceUrl: string, row: AnswerRow, level: Level): string {
  const study = `${serviceUrl}/studies/${row.study_uid}`;
  if (level === 'study') return study;
  const series = `${study}/series/${row.series_uid}`;
  return level === 'series' ? series : `${series}/instances/${row.sop_uid}`;
}
