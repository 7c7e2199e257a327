/** The report as a CDA document: MDM^T02/T10/T04 (HL7 2.6) or ORU^R01 (2.5), by the French volume of CDA transmission 2.1. */
import { type CaseData, documentOid, IncompleteCase, type readCda } from './case-data.ts';
import { escapeText } from './escape.ts';
import { writeCx } from './identifier.ts';
import { writeXcn, writeXon } from './people.ts';
import { writePid } from './pid-writer.ts';
import { type Envelope, line, writeMessage } from './segment-writer.ts';
import type { Tables } from './tables.ts';
import { formatTimestamp } from './timestamp.ts';

export type DocumentForm = 'mdm' | 'oru';

/** What differs between the two forms of the same message. */
const forms = {
  mdm: { version: '2.6', flagType: 'CWE', dataType: 'text' },
  oru: { version: '2.5', flagType: 'CE', dataType: 'TEXT' },
} as const;

/** A signed version: sent first, in the place of another, or to be deleted. */
export type Document = Awaited<ReturnType<typeof readCda>> & { withdrawn?: boolean };

/** PID and PV1. */
export interface PatientLines {
  pid: string;
  pv1: string;
}

/** What the message wants: ORC-1, status of the observation (table 0085) and event of an MDM agree, or the receiver refuses (volume §1). */
type Intent = 'create' | 'replace' | 'delete';
const observationStatus: Readonly<Record<Intent, string>> = { create: 'F', replace: 'C', delete: 'D' };
const events: Readonly<Record<Intent, string>> = { create: 'T02', replace: 'T10', delete: 'T04' };

/**
 * @param asSent of the message that brought what is withdrawn.
 * @throws IncompleteCase when the document has no OID.
 */
export function writeDocument(
  form: DocumentForm,
  data: CaseData,
  document: Document,
  envelope: Envelope,
  tables: Tables,
  siteFlags: Record<string, 'Y' | 'N'>,
  asSent?: PatientLines,
): { bytes: Buffer; messageType: string } {
  const { documents } = tables;
  const { version, flagType, dataType } = forms[form];
  const oid = documentOid(document.reference);
  if (!oid) throw new IncompleteCase('Le compte rendu CDA n’a pas d’identifiant OID.');
  const intent: Intent = document.withdrawn ? 'delete' : document.replaces === undefined ? 'create' : 'replace';
  const type = documentType(tables);
  const now = formatTimestamp(envelope.now, envelope.zone).slice(0, 14);
  const event = form === 'oru' ? 'R01' : events[intent];
  const messageType = form === 'oru' ? `ORU^${event}` : `MDM^${event}`;
  const header = {
    type: form === 'oru' ? 'ORU^R01^ORU_R01' : `MDM^${event}^MDM_T02`,
    version,
    profile: documents.profile,
  };
  const { pid, pv1 } = asSent ?? patientLines(data, tables);
  const segments = [
    ...(form === 'mdm' ? [line('EVN', { 2: now })] : []),
    pid,
    pv1,
    line('ORC', { 1: documents.orderControls[intent] }),
    line('OBR', { 1: '1', 4: type }),
    ...(form === 'mdm'
      ? [
          line('TXA', {
            1: '1',
            2: documents.report.code,
            3: 'TEXT',
            12: oid,
            13: intent === 'replace' ? document.replaces : '',
            17: 'AU',
          }),
        ]
      : []),
    line('OBX', {
      1: '1',
      2: 'ED',
      3: type,
      5: `^${dataType}^XML^Base64^${document.cda.toString('base64')}`,
      11: observationStatus[intent],
    }),
    senderParticipation(data, tables),
    ...documents.flags.map((flag, index) =>
      line('OBX', {
        1: String(index + 2),
        2: flagType,
        3: `${flag.code}^${escapeText(flag.display)}^${documents.flagSystem}`,
        5: `${siteFlags[flag.code] ?? flag.value}^^${documents.yesNoSystem}`,
        11: 'F',
      }),
    ),
  ];
  return { bytes: writeMessage(envelope, header, segments), messageType };
}

/** OBR-4 and OBX-3: type of the document. */
export function documentType({ documents: { report } }: Tables): string {
  return `${report.code}^${escapeText(report.display)}^${report.system}`;
}

/** The patient and the visit as the case knows them. */
export function patientLines(data: CaseData, tables: Tables): PatientLines {
  return {
    pid: writePid(data.patient, data.account, tables, data.task.requester?.reference),
    pv1: line('PV1', {
      1: '1',
      2: data.encounterClass ?? 'N',
      19: data.appointment ? writeCx(data.appointment, 'VN', tables) : '',
    }),
  };
}

/** PRT of the sender: the radiologist who signed, for the structure they read for. It follows the document's OBX at once. */
function senderParticipation(data: CaseData, tables: Tables): string {
  const { sender } = tables.documents.participations;
  return line('PRT', {
    2: 'UC',
    4: `${sender.code}^${sender.display}^${sender.system}`,
    5: writeXcn(data.radiologist, tables, { title: false }),
    8: data.platform ? writeXon(data.platform, tables) : '',
  });
}
