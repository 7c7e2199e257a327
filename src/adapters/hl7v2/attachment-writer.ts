/** A scanned page for the archive of the establishment (IN-7): MDM^T02 with the file itself in an ED, under its own type. */
import type { DocumentReference } from '@medplum/fhirtypes';
import type { DeliveryItem } from '../../delivery/contract.ts';
import type { FhirTransaction } from '../../fhir/index.ts';
import { IncompleteCase, idOf, inputs, type RequestData } from './case-data.ts';
import { escapeText } from './escape.ts';
import { writeCx, writeEi } from './identifier.ts';
import { writePid } from './pid-writer.ts';
import { type Envelope, line, writeMessage } from './segment-writer.ts';
import type { Tables } from './tables.ts';
import { formatTimestamp } from './timestamp.ts';

export interface ScannedPage {
  document: DocumentReference;
  octets: Buffer;
}

const kindSystem = 'https://fhir.passerelle.example/CodeSystem/attachment-kind';

/** LOINC type of each kind; what has no type of its own is a note. */
const types: Readonly<Record<string, { code: string; display: string }>> = {
  prescription: { code: '55115-0', display: 'Demande d’examen d’imagerie' },
  consent: { code: '59284-0', display: 'Consentement du patient' },
  questionnaire: { code: '74465-6', display: 'Questionnaire' },
  other: { code: '34109-9', display: 'Note' },
};

/** Type and subtype of ED (tables 0191 and 0291), by the first octets: what is sent is what it says. */
const forms: readonly { start: string; type: string; subtype: string }[] = [
  { start: '255044462d', type: 'application', subtype: 'PDF' },
  { start: 'ffd8ff', type: 'image', subtype: 'JPEG' },
];

/** The files of the document a delivery is about. @throws IncompleteCase. */
export async function readScannedPages(tx: FhirTransaction, item: DeliveryItem): Promise<ScannedPage[]> {
  const child = idOf(item.task, 'Task');
  const task = child === undefined ? undefined : await tx.find('Task', child);
  const reference = task && inputs(task, 'attachment')[0]?.valueReference?.reference;
  const id = idOf(reference, 'DocumentReference');
  const document = id === undefined ? undefined : await tx.find('DocumentReference', id);
  if (document === undefined) throw new IncompleteCase('La pièce jointe est introuvable.');
  if (document.status === 'entered-in-error') throw new IncompleteCase('La pièce jointe a été marquée comme erronée.');
  const pages: ScannedPage[] = [];
  for (const { attachment } of document.content) {
    const binaryId = idOf(attachment.url, 'Binary');
    const data = attachment.data ?? (binaryId === undefined ? undefined : (await tx.find('Binary', binaryId))?.data);
    if (!data) throw new IncompleteCase('Le fichier de la pièce jointe est introuvable.');
    pages.push({ document, octets: Buffer.from(data, 'base64') });
  }
  return pages;
}

/** @param uniqueId of the document, TXA-12: an OID that is the same at every attempt. @throws IncompleteCase. */
export function writeAttachment(
  data: RequestData,
  pages: readonly ScannedPage[],
  uniqueId: string,
  envelope: Envelope,
  tables: Tables,
): { bytes: Buffer; messageType: string } {
  const [first] = pages;
  const kind = first?.document.type?.coding?.find(({ system }) => system === kindSystem)?.code ?? 'other';
  const { code, display } = types[kind] ?? types.other!;
  const type = `${code}^${escapeText(display)}^LN`;
  const now = formatTimestamp(envelope.now, envelope.zone).slice(0, 14);
  const made = first?.document.date === undefined ? envelope.now : new Date(first.document.date);
  const segments = [
    line('EVN', { 2: now }),
    writePid(data.patient, data.account, tables, data.task.requester?.reference),
    line('PV1', {
      1: '1',
      2: data.encounterClass ?? 'N',
      19: data.appointment ? writeCx(data.appointment, 'VN', tables) : '',
    }),
    line('ORC', { 1: 'NW', 2: writeEi(data.placer) }),
    line('OBR', { 1: '1', 2: writeEi(data.placer), 4: type }),
    line('TXA', {
      1: '1',
      2: code,
      3: 'TEXT',
      4: formatTimestamp(made, envelope.zone).slice(0, 14),
      12: uniqueId,
      17: 'AU',
    }),
    ...pages.map(({ octets }, index) => {
      const form = forms.find(({ start }) => octets.subarray(0, start.length / 2).toString('hex') === start);
      if (form === undefined) throw new IncompleteCase('La pièce jointe n’est ni un PDF ni un JPEG.');
      return line('OBX', {
        1: String(index + 1),
        2: 'ED',
        3: type,
        4: String(index + 1),
        5: `^${form.type}^${form.subtype}^Base64^${octets.toString('base64')}`,
        11: 'F',
      });
    }),
  ];
  const header = { type: 'MDM^T02^MDM_T02', version: '2.6', profile: '' };
  return { bytes: writeMessage(envelope, header, segments), messageType: 'MDM^T02' };
}

/** OID of a UUID (ITU-T X.667), of the child Task that shows the delivery. */
export function uniqueIdOf(item: DeliveryItem): string {
  const id = idOf(item.task, 'Task')?.replaceAll('-', '') ?? '';
  if (!/^[0-9a-f]{32}$/i.test(id)) throw new IncompleteCase('L’envoi de la pièce jointe n’a pas d’identifiant.');
  return `2.25.${BigInt(`0x${id}`)}`;
}
