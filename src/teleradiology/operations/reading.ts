/** Operations of the report: `$save-draft`, `$issue-preliminary`, `$sign`, `$sign-addendum`. */
import type { DiagnosticReport } from '@medplum/fhirtypes';
import { FhirError, type Operation, type OperationCall } from '../../fhir/index.ts';
import { type DraftInput, draftOf, saveDraft, startedDraft, withDraft } from '../reading/draft.ts';
import { issuePreliminary } from '../reading/preliminary.ts';
import { type Nature, natures } from '../reading/publish.ts';
import { sign } from '../reading/sign.ts';
import { actorOf, readCase, type Shell, transition } from '../shell/perform.ts';
import { coding, flag, maxChapterLength, text } from './parameters.ts';

const onCase = { type: 'Task', level: 'instance', seesWhole: true, affectsState: true } as const;

export function readingOperations(shell: Shell): Operation[] {
  return [
    { ...onCase, name: 'save-draft', run: (call) => saveDraftOf(shell, call) },
    {
      ...onCase,
      name: 'issue-preliminary',
      run: ({ tx, id = '', parameters, ifMatch }) => issuePreliminary(shell, tx, id, draftInput(parameters), ifMatch),
    },
    {
      ...onCase,
      name: 'sign',
      run: ({ tx, id = '', parameters, ifMatch }) =>
        sign(shell, tx, id, { event: 'sign', ...signInput(parameters) }, ifMatch),
    },
    {
      ...onCase,
      name: 'sign-addendum',
      run: ({ tx, id = '', parameters, ifMatch }) =>
        sign(
          shell,
          tx,
          id,
          {
            event: 'sign-addendum',
            ...signInput(parameters),
            reason: text(parameters, 'reason'),
            nature: natureOf(parameters),
            complement: flag(parameters, 'complement'),
          },
          ifMatch,
        ),
    },
  ];
}

/** Stores the draft; the case itself is written only the first time, when it learns where its report is. */
async function saveDraftOf(shell: Shell, { tx, id = '', parameters, ifMatch }: OperationCall) {
  const input = draftInput(parameters);
  const { task, state } = await readCase(tx, id, ifMatch);
  const saved = await startedDraft(tx, task);
  let report: (DiagnosticReport & { id: string }) | undefined;
  await transition(shell, tx, task, state, {
    event: 'save-draft',
    change: async (before) => {
      report = await saveDraft(tx, draftOf(before, saved, input, actorOf(tx)));
      return withDraft(before, report);
    },
  });
  if (report === undefined) throw new Error('the draft was not stored');
  return report;
}

function signInput(parameters: OperationCall['parameters']) {
  return { ...draftInput(parameters), notDisplayedReason: text(parameters, 'not-displayed-reason') };
}

/** What the next version is to the one before: changed, completed, or wrong and put right. */
function natureOf(parameters: OperationCall['parameters']): Nature {
  const given = text(parameters, 'nature') ?? 'amended';
  const nature = natures.find((each) => each === given);
  if (nature === undefined)
    throw new FhirError(
      400,
      'code-invalid',
      `La nature est l’une de : ${natures.join(', ')}.`,
      "Parameters.parameter.where(name = 'nature')",
    );
  return nature;
}

function draftInput(parameters: OperationCall['parameters']): DraftInput {
  const chapter = (name: string): string | undefined => text(parameters, name, maxChapterLength);
  return {
    indication: chapter('indication'),
    technique: chapter('technique'),
    results: chapter('results'),
    conclusion: chapter('conclusion'),
    ccam: coding(parameters, 'ccam'),
  };
}
