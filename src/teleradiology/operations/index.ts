/** The operations on a case (docs/fhir-conventions.md); each is one event of the machine. */
import type { Task } from '@medplum/fhirtypes';
import type { Operation } from '../../fhir/index.ts';
import { readPublished } from '../reading/draft.ts';
import { perform, readCase, type Shell, transition } from '../shell/perform.ts';
import { eventOperations } from './events.ts';
import { reference } from './parameters.ts';
import { readingOperations } from './reading.ts';
import { transitionsOperation } from './transitions.ts';

export function caseOperations(shell: Shell): Operation[] {
  return [
    ...eventOperations.map(
      ([event, read]): Operation => ({
        name: event,
        type: 'Task',
        level: 'instance',
        seesWhole: true,
        affectsState: true,
        run: ({ tx, id = '', parameters, ifMatch }): Promise<Task> =>
          perform(shell, tx, id, { event, input: read(parameters), ifMatch }),
      }),
    ),
    reportReceived(shell),
    ...readingOperations(shell),
    transitionsOperation,
  ];
}

/**
 * Whoever says that a report was received says which: by its version (`report`, as it was read), or by that of the case (If-Match). One that was
 * signed while the page was open was read by nobody.
 */
function reportReceived(shell: Shell): Operation {
  return {
    name: 'report-received',
    type: 'Task',
    level: 'instance',
    seesWhole: true,
    affectsState: true,
    async run({ tx, id = '', parameters, ifMatch }): Promise<Task> {
      const named = reference(parameters, 'report');
      const { task, state } = await readCase(tx, id, ifMatch);
      const report = await readPublished(tx, task);
      const last = report && `DiagnosticReport/${report.id}/_history/${report.meta?.versionId}`;
      const lastVersion = named === undefined ? ifMatch !== undefined : named === last;
      return transition(shell, tx, task, state, { event: 'report-received', input: { lastVersion } });
    },
  };
}
