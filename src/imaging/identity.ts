/** Whose images these are, as the images state it, and when two statements contradict each other (design §5 rule 5). */
import type { StudyIdentity } from './contract.ts';
import { type DicomJson, itemsOf, personOf, textOf } from './dicom/json-model.ts';
import { dateKey, foldedName } from './dicom/matching-keys.ts';

/** A study's identity without what is computed from its series. */
export type StatedIdentity = Omit<StudyIdentity, 'modalities'>;

/** Reads the identity out of a header. */
export function statedIdentity(studyInstanceUid: string, header: DicomJson): StatedIdentity {
  const birth = dateKey(textOf(header, '00100030'));
  const accessionIssuer = itemsOf(header, '00080051')[0];
  const requests = itemsOf(header, '00400275');
  return definedOnly({
    studyInstanceUid,
    patientId: textOf(header, '00100020')?.trim(),
    issuerOfPatientId: textOf(header, '00100021')?.trim(),
    patientName: personOf(header, '00100010')?.Alphabetic?.trim(),
    birthDate: birth && `${birth.slice(0, 4)}-${birth.slice(4, 6)}-${birth.slice(6)}`,
    sex: textOf(header, '00100040'),
    accessionNumber: textOf(header, '00080050')?.trim(),
    accessionIssuer: accessionIssuer && (textOf(accessionIssuer, '00400032') ?? textOf(accessionIssuer, '00400031')),
    placerOrderNumber:
      textOf(header, '00402016')?.trim() ?? requests.map((item) => textOf(item, '00402016')?.trim()).find(Boolean),
    description: textOf(header, '00081030'),
  });
}

/** Both statements together; what was known first stays. */
export function mergedIdentity(known: StatedIdentity, added: StatedIdentity): StatedIdentity {
  return { ...added, ...known };
}

/**
 * Why two statements cannot be about one patient; undefined when they can. Absent values contradict nothing. Names are compared by
 * their family and given names, without case, accents or punctuation: a modality and a report station write them differently.
 */
export function contradiction(known: StatedIdentity, added: StatedIdentity): string | undefined {
  if (differ(known.patientId, added.patientId))
    return 'two patients under one Study Instance UID: Patient ID (0010,0020) differs';
  if (differ(known.birthDate, added.birthDate)) {
    return "two patients under one Study Instance UID: Patient's Birth Date (0010,0030) differs";
  }
  if (differ(comparableName(known.patientName), comparableName(added.patientName))) {
    return "two patients under one Study Instance UID: Patient's Name (0010,0010) differs";
  }
  if (differ(known.issuerOfPatientId, added.issuerOfPatientId) && !(known.birthDate && added.birthDate)) {
    return 'two patients under one Study Instance UID: Issuer of Patient ID (0010,0021) differs';
  }
  return undefined;
}

function differ(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

function comparableName(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const [family = '', given = ''] = foldedName(name).split('^');
  const words = (text: string) => text.replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
  return `${words(family)} ${words(given)}`.trim() || undefined;
}

function definedOnly(identity: StatedIdentity): StatedIdentity {
  return Object.fromEntries(Object.entries(identity).filter(([, value]) => value)) as unknown as StatedIdentity;
}
