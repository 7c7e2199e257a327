/** Operations of the report: `$save-draft` and `$sign`. */
import type { Operation, OperationCall } from '../../fhir/index.ts';
import { type DraftInput, draftOf, readDraft, saveDraft } from '../reading/draft.ts';
import { sign } from '../reading/sign.ts';
import { withOutputReference } from '../shell/case-task.ts';
import { readCase, type Shell, transition } from '../shell/perform.ts';
import { coding, maxChapterLength, text } from './parameters.ts';

export function readingOperations(shell: Shell): Operation[] {
  return [
    {
      name: 'save-draft',
      type: 'Task',
      level: 'instance',
      seesWhole: true,
      affectsState: true,
      run: (call) => saveDraftOf(shell, call),
    },
    {
      name: 'sign',
      type: 'Task',
      level: 'instance',
      seesWhole: true,
      affectsState: true,
      run: ({ tx, id = '', parameters, ifMatch }) =>
        sign(
          shell,
          tx,
          id,
          { ...draftInput(parameters), notDisplayedReason: text(parameters, 'not-displayed-reason') },
          ifMatch,
        ),
    },
  ];
}

/** Stores the draft; the case itself is written only the first time, when it learns where its report is. */
async function saveDraftOf(shell: Shell, { tx, id = '', parameters, ifMatch }: OperationCall) {
  const input = draftInput(parameters);
  const { task, state } = await readCase(tx, id, ifMatch);
  const saved = await readDraft(tx, task);
  let report = saved;
  await transition(shell, tx, task, state, {
    event: 'save-draft',
    change: async (before) => {
      report = await saveDraft(tx, draftOf(before, saved, input));
      return withOutputReference(before, 'report', `DiagnosticReport/${report.id}`);
    },
  });
  if (report === undefined) throw new Error('the draft was not stored');
  return report;
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
