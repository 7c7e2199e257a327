/** A report posted as wrong by ORU^R01 of plain HL7 v2.5 (tables 0085 `W`, 0123 `C`), for a RIS that knows no deletion of documents. */
import { type CaseData, documentOid, IncompleteCase } from './case-data.ts';
import { type Document, documentType, type PatientLines, patientLines } from './document-writer.ts';
import { escapeText } from './escape.ts';
import { writeEi } from './identifier.ts';
import { type Envelope, line, writeMessage } from './segment-writer.ts';
import type { Tables } from './tables.ts';
import { formatTimestamp } from './timestamp.ts';

/**
 * Placer: the number of the request. Filler: the identifier of the document, which is in the CDA that was sent and is sent again as the wrong
 * value. The reason follows in an NTE.
 * @throws IncompleteCase when the document has no OID.
 */
export function writeWrongResult(
  data: CaseData,
  document: Document,
  envelope: Envelope,
  tables: Tables,
  asSent: PatientLines | undefined,
): { bytes: Buffer; messageType: string } {
  const oid = documentOid(document.reference);
  if (!oid) throw new IncompleteCase('Le compte rendu CDA n’a pas d’identifiant OID.');
  const { pid, pv1 } = asSent ?? patientLines(data, tables);
  const placer = writeEi(data.placer);
  const type = documentType(tables);
  const { orderControl, resultStatus, observationStatus } = tables.documents.wrongResult;
  const reason = data.task.statusReason?.text?.trim();
  const segments = [
    pid,
    pv1,
    line('ORC', { 1: orderControl, 2: placer, 3: oid }),
    line('OBR', {
      1: '1',
      2: placer,
      3: oid,
      4: type,
      22: formatTimestamp(envelope.now, envelope.zone).slice(0, 14),
      25: resultStatus,
    }),
    ...(reason ? [line('NTE', { 1: '1', 3: escapeText(reason) })] : []),
    line('OBX', {
      1: '1',
      2: 'ED',
      3: type,
      5: `^TEXT^XML^Base64^${document.cda.toString('base64')}`,
      11: observationStatus,
    }),
  ];
  const header = { type: 'ORU^R01^ORU_R01', version: '2.5', profile: '' };
  return { bytes: writeMessage(envelope, header, segments), messageType: 'ORU^R01' };
}
