/** The report while it is written: one DiagnosticReport, `partial` until it is signed (RP-1). */
import type { Coding, DiagnosticReport, Extension } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { ReportText } from '../../report/contract.ts';
import { codeSystem, concept, identifierSystem, structureDefinition } from '../codes.ts';
import { kindOf } from '../kinds/index.ts';
import { documentOid } from '../request/case-number.ts';
import { type CaseTask, idOf, inputsOf, outputsOf } from '../shell/case-task.ts';

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

export async function readDraft(
  tx: FhirTransaction,
  task: CaseTask,
): Promise<(DiagnosticReport & { id: string }) | undefined> {
  const id = outputsOf(task, 'report').map((each) => idOf(each.valueReference, 'DiagnosticReport'))[0];
  return id === undefined ? undefined : ((await tx.find('DiagnosticReport', id)) as DiagnosticReport & { id: string });
}

/** The report with what the call brings, not stored. */
export function draftOf(task: CaseTask, saved: DiagnosticReport | undefined, input: DraftInput): DiagnosticReport {
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
  const reader = idOf(task.owner, 'Practitioner');
  const studies = outputsOf(task, 'imaging-study').flatMap((each) => each.valueReference ?? []);
  return {
    ...kept,
    resourceType: 'DiagnosticReport',
    identifier: saved?.identifier ?? [{ system: identifierSystem.uri, value: `urn:oid:${documentOid()}` }],
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
    ...(reader ? { resultsInterpreter: [{ reference: `Practitioner/${reader}`, display: task.owner?.display }] } : {}),
    ...(text.conclusion.trim() ? { conclusion: text.conclusion } : {}),
  };
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
