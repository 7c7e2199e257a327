/** The operations on a case (docs/fhir-conventions.md); each is one event of the machine. */
import type { Task } from '@medplum/fhirtypes';
import type { Operation } from '../../fhir/index.ts';
import { errorDeclaredBy } from '../shell/effect/errors.ts';
import { perform, readCase, type Shell, transition } from '../shell/perform.ts';
import { eventOperations } from './events.ts';
import { text } from './parameters.ts';
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
    enterInError(shell),
    ...readingOperations(shell),
    transitionsOperation,
  ];
}

/** The second of two people: who declared the error first is in the case, not in what the caller says. */
function enterInError(shell: Shell): Operation {
  return {
    name: 'enter-in-error',
    type: 'Task',
    level: 'instance',
    seesWhole: true,
    affectsState: true,
    async run({ tx, id = '', parameters, ifMatch }): Promise<Task> {
      const { task, state } = await readCase(tx, id, ifMatch);
      const input = { reason: text(parameters, 'reason'), secondPerson: errorDeclaredBy(task) };
      return transition(shell, tx, task, state, { event: 'enter-in-error', input });
    },
  };
}
