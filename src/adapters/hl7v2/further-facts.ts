/**
 * What a request says where the volume's dictionary of OBX does not look: other results, allergies (AL1), diagnoses (DG1), notes about the
 * patient or the visit (NTE before the first ORC). The grammar of ORM^O01 has room for them, and who protocols goes by them.
 */
import type { Annotation, Observation } from '@medplum/fhirtypes';
import { systemUri } from './coding.ts';
import type { Segment } from './message.ts';
import { readQuantity } from './observation.ts';
import type { Tables } from './tables.ts';
import { parseTimestamp } from './timestamp.ts';
import type { OrderGroup, Translation } from './translation.ts';

/** OBX-11 of a result that does not count: deleted, not obtained, wrong (table 0085). */
const noResult = ['D', 'X', 'W'];
/** OBX-2 of what is no text: files and references to them. */
const files = ['ED', 'RP'];
const quantity = /^[+-]?\d{1,12}([.,]\d{1,6})?$/;

/** Results whose code is not in the dictionary, under their own; a file is not taken, and the sender is told so. */
export function readOtherResults(translation: Translation, group: OrderGroup, made: string | undefined): Observation[] {
  const { tables, notices } = translation;
  const { modality, region, observations } = tables.observations.request;
  const known = [modality.code, region.code, ...observations.map(({ code }) => code)];
  return group.segments.flatMap((segment): Observation[] => {
    const code = segment.name === 'OBX' ? segment.value(3) : undefined;
    const label = plain(segment.value(3, 2));
    if ((code ?? label) === undefined || segment.name !== 'OBX' || known.includes(code ?? '')) return [];
    const text = plain(segment.text(5));
    if (text === undefined || noResult.includes(segment.value(11) ?? '')) return [];
    if (files.includes(segment.value(2) ?? '')) {
      notices.push(`OBX ${segment.ordinal} : fichier non repris, à joindre au dossier par un autre moyen.`);
      return [];
    }
    const system = systemUri(segment.value(3, 3) ?? '', tables);
    // What is beside the dictionary is no reason to refuse a request.
    const at = parseTimestamp(segment.value(14) ?? '', translation.site.zone)?.dateTime ?? made;
    return [
      {
        resourceType: 'Observation',
        status: 'final',
        code: {
          ...(code && system && isCode(code)
            ? { coding: [{ system, code, ...(label ? { display: label } : {}) }] }
            : {}),
          text: label ?? plain(code),
        },
        ...(at ? { effectiveDateTime: at } : {}),
        ...resultOf(segment, text, tables),
      },
    ];
  });
}

/** Without the control characters that no FHIR string may hold. */
function plain(text: string | undefined): string | undefined {
  const clean = text?.replace(/(?![\t\n\r])\p{Cc}/gu, ' ').trim();
  return clean === '' ? undefined : clean;
}

/** Whether FHIR takes it for a code. */
function isCode(text: string): boolean {
  return /^\S+(?: \S+)*$/.test(text);
}

/** A number with its unit; of a coded value the words, else the code; any other text as it stands. */
function resultOf(
  segment: Segment,
  text: string,
  tables: Tables,
): Pick<Observation, 'valueQuantity' | 'valueString' | 'note'> {
  const type = segment.value(2) ?? '';
  const flag = plain(segment.value(8));
  const note = flag === undefined ? {} : { note: [{ text: `Interprétation de l’émetteur : ${flag}` }] };
  if (type === 'NM' && quantity.test(text))
    return { valueQuantity: readQuantity(segment, 'résultat', tables), ...note };
  const coded = type === 'CE' || type === 'CWE' ? plain(segment.value(5, 2) ?? segment.value(5)) : undefined;
  const unit = plain(segment.value(6));
  return { valueString: [coded ?? text, ...(coded === undefined && unit ? [unit] : [])].join(' '), ...note };
}

/** AL1, each as a result of its own: the substance, how severe, what happened. */
export function readAllergies({ message, tables }: Translation, made: string | undefined): Observation[] {
  const { allergy } = tables.observations;
  return message.segments.flatMap((segment): Observation[] => {
    if (segment.name !== 'AL1') return [];
    const substance = plain(segment.value(3, 2) ?? segment.value(3));
    const severity = plain(segment.value(4, 2) ?? segment.value(4));
    const known = allergy.severities.find(({ code }) => code === segment.value(4))?.display;
    const reactions = Array.from({ length: segment.repetitions(5) }, (_, at) => plain(segment.value(5, 1, 1, at)));
    const words = [substance, known ?? severity, ...reactions].filter((word) => word !== undefined);
    if (words.length === 0) return [];
    return [
      {
        resourceType: 'Observation',
        status: 'final',
        code: {
          coding: [{ system: 'http://loinc.org', code: allergy.code, display: allergy.display }],
          text: allergy.name,
        },
        ...(made ? { effectiveDateTime: made } : {}),
        valueString: words.join(', '),
      },
    ];
  });
}

/** Notes before the first order, and the diagnoses of the message or of this order. */
export function readFurtherNotes({ message }: Translation, group: OrderGroup): Annotation[] {
  const first = message.segments.findIndex(({ name }) => name === 'ORC');
  const before = message.segments.slice(0, first);
  const notes = before.flatMap((segment) => (segment.name === 'NTE' ? (plain(segment.text(3)) ?? []) : []));
  const diagnoses = [...before, ...group.segments].flatMap((segment) => {
    if (segment.name !== 'DG1') return [];
    const [code, label] = [plain(segment.value(3)), plain(segment.value(4) ?? segment.value(3, 2))];
    const said = label === undefined ? code : code === undefined ? label : `${label} (${code})`;
    return said === undefined ? [] : [`Diagnostic : ${said}`];
  });
  return [...notes, ...diagnoses].map((text) => ({ text }));
}
