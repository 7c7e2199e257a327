/** `$sign`, `$sign-addendum`: the documents are made before anything is locked, then all they mean happens in one transaction (RP-2, OUT-6). */
import type { DiagnosticReport, DocumentReference, Task } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import type { ReportDocuments, ReportInput, ReportIssue } from '../../report/contract.ts';
import { guards, stateDefinition } from '../case/index.ts';
import { codeSystem, identifierSystem } from '../codes.ts';
import { documentOid } from '../request/case-number.ts';
import { type CaseTask, isTaskOf, outputsOf, stateOf } from '../shell/case-task.ts';
import { gatherFacts } from '../shell/gather-facts.ts';
import { actorOf, decideOn, readCase, type Shell, transition } from '../shell/perform.ts';
import type { Given } from '../shell/scene.ts';
import { type DraftInput, draftOf, readDraft, readPublished, startedDraft } from './draft.ts';
import { currentDocuments, type FormerVersion, type Nature, publishReport } from './publish.ts';
import { type DocumentNumbers, reportInput } from './report-input.ts';

export interface SignInput extends DraftInput {
  /** The first version, or the next one by an addendum or a re-reading (RP-6). */
  event: 'sign' | 'sign-addendum';
  notDisplayedReason?: string;
  /** Why there is another version, and what it is to the one before. */
  reason?: string;
  nature?: Nature;
  /** It is the complement the act owes (WF-8). */
  complement?: boolean;
}

/**
 * @throws FhirError 422 with the guard or every fault of the report, 403 for whoever is not its reader, 409 when the
 * draft changed while the documents were made.
 */
export async function sign(
  shell: Shell,
  tx: FhirTransaction,
  id: string,
  input: SignInput,
  ifMatch?: string,
): Promise<Task> {
  const seen = (await tx.read('Task', id)) as CaseTask;
  const first = await prepare(shell, tx, id, seen, input);
  const { task } = await readCase(tx, id, ifMatch);
  const current = await readDraft(tx, task);
  if (current?.meta?.versionId !== first.savedVersion)
    throw new FhirError(
      409,
      'conflict',
      'Le compte rendu a changé pendant la signature : relisez-le, puis signez à nouveau.',
    );
  // The platform itself moves a case on (a series falls quiet, a delivery is acknowledged), and a site corrects its request or its patient.
  // Then everything is asked and made again from what is true now, this time with the case locked.
  const isCurrent = task.meta?.versionId === seen.meta?.versionId && (await rendersTheSame(tx, task, first));
  const ready = isCurrent ? first : await prepare(shell, tx, id, task, input);
  return transition(shell, tx, task, ready.state, {
    event: input.event,
    input: ready.given,
    ...(input.event === 'sign' ? { times: { signed: ready.input.signedAt } } : {}),
    change: (before) => publishReport(tx, before, { ...ready, nature: input.nature, reason: input.reason?.trim() }),
  });
}

/** Asks every guard, then makes the documents of the case as it stands in `seen`; stores nothing. */
async function prepare(shell: Shell, tx: FhirTransaction, id: string, seen: CaseTask, input: SignInput) {
  const state = isTaskOf(seen, 'teleradiology-case') ? stateOf(seen) : undefined;
  if (state === undefined) throw new FhirError(404, 'not-found', `Task/${id} n'est pas un dossier de téléradiologie.`);
  // Everything but the report's content is asked first: whoever may not sign learns nothing by lint.
  const view = await gatherFacts(tx, seen, tx.context.now());
  const { notDisplayedReason, reason, complement } = input;
  const given: Given = { notDisplayedReason, reason, complement, reportComplete: true };
  const signer = actorOf(tx);
  decideOn(shell, tx, id, state, input.event, signer, { ...view.facts, input: given });

  const saved = await readDraft(tx, seen);
  const draft = draftOf(seen, await startedDraft(tx, seen), input, signer);
  const former = await formerVersion(tx, seen, input.event);
  const numbers = await numbersOf(tx, seen, draft, former);
  const model = await reportInput(tx, seen, draft, numbers, { by: signer, at: tx.context.now() });
  const faults = shell.report.lint(model).filter((issue) => issue.severity === 'error');
  if (faults.length > 0) throw incomplete(faults, stateDefinition(state)?.display ?? state);
  return {
    state,
    given: { ...given, version: numbers.version },
    draft,
    input: model,
    ...(former ? { former } : {}),
    savedVersion: saved?.meta?.versionId,
    documents: await buildDocuments(shell, model),
  };
}

/** Whether the documents say what is stored now: everything they are made of is read again, at the versions there are. */
async function rendersTheSame(
  tx: FhirTransaction,
  task: CaseTask,
  { draft, input }: { draft: DiagnosticReport; input: ReportInput },
): Promise<boolean> {
  const now = await reportInput(tx, task, draft, input.document, { by: actorOf(tx), at: input.signedAt });
  return JSON.stringify(now) === JSON.stringify(input);
}

/** The signed version that an addendum replaces. */
async function formerVersion(
  tx: FhirTransaction,
  task: CaseTask,
  event: SignInput['event'],
): Promise<FormerVersion | undefined> {
  const report = event === 'sign-addendum' ? await readPublished(tx, task) : undefined;
  return report === undefined ? undefined : { report, documents: await currentDocuments(tx, task) };
}

/** One set of versions per report: each replaces the one before. */
async function numbersOf(
  tx: FhirTransaction,
  task: CaseTask,
  draft: DiagnosticReport,
  former: FormerVersion | undefined,
): Promise<DocumentNumbers> {
  const report = former?.report ?? (await readPublished(tx, task)) ?? draft;
  const bare = (value: string | undefined): string | undefined => value?.replace(/^urn:oid:/, '');
  const set = { oid: documentOid(), setOid: bare(report.identifier?.[0]?.value) ?? documentOid() };
  const replaces = bare(former?.documents.find(isCda)?.masterIdentifier?.value);
  // Each version left two documents, a PDF and a CDA.
  const version = former === undefined ? 1 : outputsOf(task, 'document').length / 2 + 1;
  return { ...set, version, ...(replaces ? { replaces } : {}) };
}

const isCda = (document: DocumentReference): boolean => document.content[0]?.attachment.contentType === 'text/xml';

/** A certificate that cannot sign is said as such; anything else is a fault of ours. */
async function buildDocuments(shell: Shell, model: ReportInput): Promise<ReportDocuments> {
  if (!model.radiologist.identifier?.some((each) => each.system === identifierSystem.rpps && each.value))
    throw new FhirError(
      422,
      'business-rule',
      'Le radiologue n’a pas de numéro RPPS : il ne peut pas signer.',
      'Practitioner.identifier',
    );
  try {
    return await shell.report.build(model, await shell.signerFor(model.radiologist));
  } catch (error) {
    // The report room's own refusals, known by name: its classes are not part of its contract.
    if (!(error instanceof Error) || error.name !== 'SigningRefused') throw error;
    shell.log.warn({ err: error }, 'a certificate was refused for signing');
    throw new FhirError(
      422,
      'business-rule',
      'Le certificat du radiologue ne permet pas de signer : voyez l’administrateur.',
      'Provenance.signature',
    );
  }
}

/** What the report lacks, every fault an issue. */
export function incomplete(faults: readonly ReportIssue[], state: string): FhirError {
  return FhirError.of(422, [
    {
      severity: 'error',
      code: 'business-rule',
      details: {
        coding: [{ system: codeSystem.caseGuard, code: 'report-complete' }],
        text: guards['report-complete'].text,
      },
      diagnostics: `Le compte rendu ne peut pas être signé : ${faults.map((fault) => fault.text).join(' ')} État : ${state}.`,
    },
    ...faults.map((fault) => ({
      severity: 'error' as const,
      code: 'business-rule' as const,
      details: { text: fault.text },
      diagnostics: fault.text,
    })),
  ]);
}
