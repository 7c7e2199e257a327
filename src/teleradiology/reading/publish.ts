/** Stores a signed report: documents, references, the final DiagnosticReport and the proof of who signed what (RP-4). */
import { createHash } from 'node:crypto';
import type { Binary, DiagnosticReport, DocumentReference, Provenance, Reference } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { ReportDocuments, ReportInput } from '../../report/contract.ts';
import { codeSystem, concept, identifierSystem } from '../codes.ts';
import { kindOf } from '../kinds/index.ts';
import { documentOid } from '../request/case-number.ts';
import { type CaseTask, idOf, outputsOf, withOutputReference } from '../shell/case-task.ts';
import { withoutDraft } from './draft.ts';

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

/** What a version is to the one before (R4 DiagnosticReportStatus). */
export const natures = ['amended', 'corrected', 'appended'] as const;
export type Nature = (typeof natures)[number];

/** The version that is replaced: nothing before the first. */
export interface FormerVersion {
  report: DiagnosticReport & { id: string };
  documents: (DocumentReference & { id: string })[];
}

export interface Publication {
  /** The report as it was written. */
  draft: DiagnosticReport;
  input: ReportInput;
  documents: ReportDocuments;
  former?: FormerVersion;
  nature?: Nature;
  /** Why there is another version. */
  reason?: string;
}

/** Documents of the case in force, PDF and CDA. */
export async function currentDocuments(tx: FhirTransaction, task: CaseTask): Promise<FormerVersion['documents']> {
  const found: FormerVersion['documents'] = [];
  for (const output of outputsOf(task, 'document')) {
    const id = idOf(output.valueReference, 'DocumentReference');
    const document = id === undefined ? undefined : await tx.find('DocumentReference', id);
    if (document?.status === 'current') found.push(document as DocumentReference & { id: string });
  }
  return found;
}

/** @returns the case with its report and documents as outputs; its draft beside the report has gone into it. */
export async function publishReport(tx: FhirTransaction, task: CaseTask, publication: Publication): Promise<CaseTask> {
  const { draft, input, documents, former } = publication;
  const radiologist: Reference = { reference: `Practitioner/${input.radiologist.id}` };
  // With the name the draft has them by: readers of the page are not all in its directory.
  const interpreter = draft.resultsInterpreter?.find(({ reference }) => reference === radiologist.reference);
  const platform: Reference = { reference: `Organization/${input.platform.id}` };
  const known = outputsOf(task, 'report').map((each) => idOf(each.valueReference, 'DiagnosticReport'))[0];
  const target = known === undefined ? draft : await withNumber(tx, draft, known);
  // A report signed without a draft saved before is stored first, for its id.
  const id = target.id ?? (await tx.create(target)).id;
  const replaced = (type: string) => former?.documents.find((each) => each.content[0]?.attachment.contentType === type);
  const pdf = await storeDocument(tx, task, id, input, {
    content: documents.pdf,
    type: 'application/pdf',
    oid: documentOid(),
    title: documents.title,
    replaces: replaced('application/pdf'),
  });
  const cda = await storeDocument(tx, task, id, input, {
    content: documents.cda,
    type: 'text/xml',
    oid: input.document.oid,
    title: documents.title,
    replaces: replaced('text/xml'),
  });
  for (const document of former?.documents ?? [])
    await tx.update<DocumentReference>({ ...document, status: 'superseded' });
  const report = await tx.update<DiagnosticReport & { id: string }>({
    ...target,
    id,
    status: former === undefined ? 'final' : (publication.nature ?? 'amended'),
    issued: input.signedAt.toISOString(),
    ...(input.examDate ? { effectiveDateTime: input.examDate.toISOString() } : {}),
    performer: [radiologist, platform] as DiagnosticReport['performer'],
    resultsInterpreter: [interpreter ?? radiologist] as DiagnosticReport['resultsInterpreter'],
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
    ...(publication.reason ? { reason: [{ text: publication.reason }] } : {}),
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
  const settled = known === undefined || known === draft.id ? task : await withoutDraft(tx, task);
  const reported = withOutputReference(settled, 'report', `DiagnosticReport/${report.id}`);
  return withOutputReference(withOutputReference(reported, 'document', pdf.reference), 'document', cda.reference);
}

/** Stores what was written as the preliminary report, in place of an earlier one. */
export async function publishPreliminary(
  tx: FhirTransaction,
  task: CaseTask,
  draft: DiagnosticReport,
): Promise<CaseTask> {
  const known = outputsOf(task, 'report').map((each) => idOf(each.valueReference, 'DiagnosticReport'))[0];
  const target = known === undefined ? draft : await withNumber(tx, draft, known);
  const report: DiagnosticReport = { ...target, status: 'preliminary', issued: tx.context.now().toISOString() };
  const stored = report.id === undefined ? await tx.create(report) : await tx.update(report);
  const settled = known === undefined || known === draft.id ? task : await withoutDraft(tx, task);
  return withOutputReference(settled, 'report', `DiagnosticReport/${stored.id}`);
}

/** What was written, as the next version of the report the case has. */
async function withNumber(tx: FhirTransaction, draft: DiagnosticReport, id: string): Promise<DiagnosticReport> {
  const { identifier, meta } = await tx.read('DiagnosticReport', id);
  return { ...draft, id, ...(identifier ? { identifier } : {}), ...(meta ? { meta } : {}) };
}

async function storeDocument(
  tx: FhirTransaction,
  task: CaseTask,
  reportId: string,
  input: ReportInput,
  document: {
    content: Buffer;
    type: string;
    oid: string;
    title: string;
    replaces: (DocumentReference & { id: string }) | undefined;
  },
): Promise<StoredDocument> {
  const { document: kind } = kindOf(task);
  const binary = await tx.create<Binary>({
    resourceType: 'Binary',
    contentType: document.type,
    securityContext: { reference: `DiagnosticReport/${reportId}` },
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
    ...(document.replaces
      ? {
          relatesTo: [
            { code: 'replaces' as const, target: { reference: `DocumentReference/${document.replaces.id}` } },
          ],
        }
      : {}),
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
