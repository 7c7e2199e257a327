/**
 * The report while it is written: a DiagnosticReport `partial` (RP-1). The first one becomes the report when it is signed; once there is a
 * preliminary or signed report, the draft of the next version is a resource of its own beside it, so that what was published is not touched.
 */
import type { Coding, DiagnosticReport, Extension, Reference } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { ReportText } from '../../report/contract.ts';
import { codeSystem, concept, identifierSystem, structureDefinition } from '../codes.ts';
import { kindOf } from '../kinds/index.ts';
import { documentOid } from '../request/case-number.ts';
import { type CaseTask, idOf, inputsOf, outputsOf, withOutputReference, withoutOutputs } from '../shell/case-task.ts';

/** What a call may bring; an absent chapter keeps what was saved. */
export interface DraftInput extends Partial<ReportText> {
  ccam?: Coding;
}

const chapters = ['indication', 'technique', 'results', 'conclusion'] as const;

/** Chapters of a report as saved; empty where nothing was written. */
export function textOf(report: DiagnosticReport | undefined): ReportText {
  const parts = report?.extension?.find((extension) => extension.url === structureDefinition.reportText)?.extension;
  const chapter = (name: string): string => parts?.find((part) => part.url === name)?.valueString ?? '';
  return {
    indication: chapter('indication'),
    technique: chapter('technique'),
    results: chapter('results'),
    conclusion: chapter('conclusion'),
  };
}

/** CCAM act of a report as saved. */
export function ccamOf(report: DiagnosticReport | undefined): Coding | undefined {
  return report?.code.coding?.find((coding) => coding.system === codeSystem.ccam);
}

type StoredReport = DiagnosticReport & { id: string };

/** Statuses of a report that somebody besides its author may rely on. */
const published: readonly DiagnosticReport['status'][] = ['preliminary', 'final', 'amended', 'corrected', 'appended'];

async function reportOf(
  tx: FhirTransaction,
  task: CaseTask,
  item: 'report' | 'draft',
): Promise<StoredReport | undefined> {
  const id = outputsOf(task, item).map((each) => idOf(each.valueReference, 'DiagnosticReport'))[0];
  return id === undefined ? undefined : ((await tx.find('DiagnosticReport', id)) as StoredReport | undefined);
}

/** The preliminary or signed report of a case. */
export async function readPublished(tx: FhirTransaction, task: CaseTask): Promise<StoredReport | undefined> {
  const report = await reportOf(tx, task, 'report');
  return report !== undefined && published.includes(report.status) ? report : undefined;
}

/** What is being written: the draft beside a published report, else the report that was not published yet. */
export async function readDraft(tx: FhirTransaction, task: CaseTask): Promise<StoredReport | undefined> {
  if (outputsOf(task, 'draft').length > 0) return reportOf(tx, task, 'draft');
  const report = await reportOf(tx, task, 'report');
  return report === undefined || published.includes(report.status) ? undefined : report;
}

/** Where the next version starts from when nobody wrote anything yet: a copy of the published one. */
function copyOf(report: DiagnosticReport): DiagnosticReport {
  const {
    id: _id,
    meta: _meta,
    identifier: _number,
    issued: _issued,
    presentedForm: _forms,
    performer: _by,
    ...rest
  } = report;
  return rest;
}

/** The draft as it stands, or would start. */
export async function startedDraft(tx: FhirTransaction, task: CaseTask): Promise<DiagnosticReport | undefined> {
  const saved = await readDraft(tx, task);
  if (saved !== undefined) return saved;
  const report = await readPublished(tx, task);
  return report === undefined ? undefined : copyOf(report);
}

/** Names a stored draft in the case. */
export function withDraft<T extends CaseTask>(task: T, draft: StoredReport): T {
  const isReport = outputsOf(task, 'report').length === 0;
  return withOutputReference(
    task,
    isReport || isItsReport(task, draft) ? 'report' : 'draft',
    `DiagnosticReport/${draft.id}`,
  );
}

function isItsReport(task: CaseTask, draft: StoredReport): boolean {
  return outputsOf(task, 'report').some((each) => idOf(each.valueReference, 'DiagnosticReport') === draft.id);
}

/** A draft beside the report has served, or will not: its versions stay in its history. */
export async function withoutDraft<T extends CaseTask>(tx: FhirTransaction, task: T): Promise<T> {
  const draft = outputsOf(task, 'draft').length > 0 ? await reportOf(tx, task, 'draft') : undefined;
  if (draft !== undefined) await tx.delete('DiagnosticReport', draft.id);
  return withoutOutputs(task, 'draft');
}

/** The report with what the call brings, not stored. */
export function draftOf(
  task: CaseTask,
  saved: DiagnosticReport | undefined,
  input: DraftInput,
  reader: Reference,
): DiagnosticReport {
  const text = { ...textOf(saved), ...definedOf(input) };
  const ccam = input.ccam ? { ...input.ccam, system: input.ccam.system ?? codeSystem.ccam } : ccamOf(saved);
  const written = chapters.filter((chapter) => text[chapter].trim() !== '');
  // What is derived from the chapters never survives them: an emptied conclusion must not stay in a report.
  const { conclusion: _conclusion, extension: savedExtensions, imagingStudy: _studies, ...kept } = saved ?? {};
  const extension: Extension[] = (savedExtensions ?? []).filter(({ url }) => url !== structureDefinition.reportText);
  if (written.length > 0)
    extension.push({
      url: structureDefinition.reportText,
      extension: written.map((chapter) => ({ url: chapter, valueString: text[chapter] })),
    });
  const { document } = kindOf(task);
  const acts = inputsOf(task, 'act').flatMap((each) => each.valueCodeableConcept?.coding ?? []);
  const studies = outputsOf(task, 'imaging-study').flatMap((each) => each.valueReference ?? []);
  return {
    ...kept,
    resourceType: 'DiagnosticReport',
    ...numberOf(task, saved),
    ...(extension.length > 0 ? { extension } : {}),
    status: 'partial',
    basedOn: task.focus ? [task.focus as NonNullable<DiagnosticReport['basedOn']>[number]] : undefined,
    category: [concept('http://terminology.hl7.org/CodeSystem/v2-0074', document.category)],
    code: {
      coding: [{ system: codeSystem.loinc, code: document.type.code }, ...acts, ...(ccam ? [ccam] : [])],
      text: document.name,
    },
    subject: task.for as DiagnosticReport['subject'],
    ...(studies.length > 0 ? { imagingStudy: studies as DiagnosticReport['imagingStudy'] } : {}),
    ...(idOf(reader, 'Practitioner')
      ? { resultsInterpreter: [{ reference: reader.reference, display: reader.display }] }
      : {}),
    ...(text.conclusion.trim() ? { conclusion: text.conclusion } : {}),
  };
}

/** Number of the set of its versions; a draft beside the report has none. */
function numberOf(task: CaseTask, saved: DiagnosticReport | undefined): Pick<DiagnosticReport, 'identifier'> {
  if (saved?.identifier !== undefined) return { identifier: saved.identifier };
  if (outputsOf(task, 'report').length > 0) return {};
  return { identifier: [{ system: identifierSystem.uri, value: `urn:oid:${documentOid()}` }] };
}

function definedOf(input: DraftInput): Partial<ReportText> {
  return Object.fromEntries(chapters.flatMap((name) => (input[name] === undefined ? [] : [[name, input[name]]])));
}

/** Stores a draft. */
export async function saveDraft(
  tx: FhirTransaction,
  report: DiagnosticReport,
): Promise<DiagnosticReport & { id: string }> {
  return report.id === undefined ? tx.create(report) : tx.update(report);
}
