/** Stores a signed report: documents, references, the final DiagnosticReport and the proof of who signed what (RP-4). */
import { createHash } from 'node:crypto';
import type { Binary, DiagnosticReport, DocumentReference, Provenance, Reference } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { ReportDocuments, ReportInput } from '../../report/contract.ts';
import { codeSystem, concept, identifierSystem } from '../codes.ts';
import { kindOf } from '../kinds/index.ts';
import { documentOid } from '../request/case-number.ts';
import { type CaseTask, withOutputReference } from '../shell/case-task.ts';

const proofOfApproval = {
  system: 'urn:iso-astm:E1762-95:2013',
  code: '1.2.840.10065.1.12.1.5',
  display: 'Verification Signature',
};

interface StoredDocument {
  binary: string;
  reference: string;
  /** Base64 SHA-1, as `Attachment.hash` is defined. */
  hash: string;
}

/** @returns the case with its report and documents as outputs. */
export async function publishReport(
  tx: FhirTransaction,
  task: CaseTask,
  draft: DiagnosticReport & { id: string },
  input: ReportInput,
  documents: ReportDocuments,
): Promise<CaseTask> {
  const pdf = await storeDocument(tx, task, draft, input, {
    content: documents.pdf,
    type: 'application/pdf',
    oid: documentOid(),
    title: documents.title,
  });
  const cda = await storeDocument(tx, task, draft, input, {
    content: documents.cda,
    type: 'text/xml',
    oid: input.document.oid,
    title: documents.title,
  });
  const radiologist: Reference = { reference: `Practitioner/${input.radiologist.id}` };
  const platform: Reference = { reference: `Organization/${input.platform.id}` };
  const report = await tx.update<DiagnosticReport & { id: string }>({
    ...draft,
    status: 'final',
    issued: input.signedAt.toISOString(),
    ...(input.examDate ? { effectiveDateTime: input.examDate.toISOString() } : {}),
    performer: [radiologist, platform] as DiagnosticReport['performer'],
    resultsInterpreter: [radiologist] as DiagnosticReport['resultsInterpreter'],
    presentedForm: [
      {
        contentType: 'application/pdf',
        language: 'fr-FR',
        url: pdf.binary,
        size: documents.pdf.length,
        hash: pdf.hash,
        title: documents.title,
        creation: input.signedAt.toISOString(),
      },
    ],
  });
  await tx.create<Provenance>({
    resourceType: 'Provenance',
    target: [`DiagnosticReport/${report.id}`, pdf.reference, cda.reference].map((reference) => ({ reference })),
    recorded: input.signedAt.toISOString(),
    activity: concept('http://terminology.hl7.org/CodeSystem/v3-DocumentCompletion', 'LA'),
    agent: [
      {
        type: concept('http://terminology.hl7.org/CodeSystem/contractsignertypecodes', 'VERF'),
        who: radiologist as Provenance['agent'][number]['who'],
        onBehalfOf: platform as Provenance['agent'][number]['onBehalfOf'],
      },
    ],
    signature: [
      {
        type: [proofOfApproval],
        when: input.signedAt.toISOString(),
        who: radiologist as NonNullable<Provenance['signature']>[number]['who'],
        targetFormat: 'application/pdf',
        data: Buffer.from(documents.pdfSha256, 'hex').toString('base64'),
      },
    ],
  });
  const reported = withOutputReference(task, 'report', `DiagnosticReport/${report.id}`);
  return withOutputReference(withOutputReference(reported, 'document', pdf.reference), 'document', cda.reference);
}

async function storeDocument(
  tx: FhirTransaction,
  task: CaseTask,
  report: DiagnosticReport & { id: string },
  input: ReportInput,
  document: { content: Buffer; type: string; oid: string; title: string },
): Promise<StoredDocument> {
  const { document: kind } = kindOf(task);
  const binary = await tx.create<Binary>({
    resourceType: 'Binary',
    contentType: document.type,
    securityContext: { reference: `DiagnosticReport/${report.id}` },
    data: document.content.toString('base64'),
  });
  const hash = createHash('sha1').update(document.content).digest('base64');
  const radiologist = { reference: `Practitioner/${input.radiologist.id}` };
  const stored = await tx.create<DocumentReference>({
    resourceType: 'DocumentReference',
    masterIdentifier: { system: identifierSystem.uri, value: `urn:oid:${document.oid}` },
    identifier: [{ system: identifierSystem.uri, value: `urn:oid:${input.document.setOid}` }],
    status: 'current',
    docStatus: 'final',
    type: concept(codeSystem.loinc, kind.type.code, document.title),
    category: [concept('http://terminology.hl7.org/CodeSystem/v2-0074', kind.category)],
    subject: task.for as DocumentReference['subject'],
    date: input.signedAt.toISOString(),
    author: [radiologist, { reference: `Organization/${input.platform.id}` }],
    authenticator: radiologist,
    custodian: { reference: `Organization/${input.establishment.id}` },
    securityLabel: [concept('http://terminology.hl7.org/CodeSystem/v3-Confidentiality', 'N')],
    content: [
      {
        attachment: {
          contentType: document.type,
          language: 'fr-FR',
          url: `Binary/${binary.id}`,
          size: document.content.length,
          hash,
          title: document.title,
          creation: input.signedAt.toISOString(),
        },
      },
    ],
    context: {
      ...(input.examDate ? { period: { start: input.examDate.toISOString() } } : {}),
      related: [{ reference: `Task/${task.id}` }, ...(task.focus ? [task.focus] : [])],
    },
  });
  return { binary: `Binary/${binary.id}`, reference: `DocumentReference/${stored.id}`, hash };
}
