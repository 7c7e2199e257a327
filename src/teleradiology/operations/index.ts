/** The operations on a case (docs/fhir-conventions.md); each is one event of the machine. */
import type { Task } from '@medplum/fhirtypes';
import type { Operation } from '../../fhir/index.ts';
import { perform, type Shell } from '../shell/perform.ts';
import { eventOperations } from './events.ts';
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
    ...readingOperations(shell),
    transitionsOperation,
  ];
}
