/** The operations on a case (docs/fhir-conventions.md); each is one event of the machine. */
import type { Task } from '@medplum/fhirtypes';
import type { Operation, OperationCall } from '../../fhir/index.ts';
import type { CaseEvent } from '../case/index.ts';
import { perform, type Shell, type Transitioning } from '../shell/perform.ts';
import { maxChapterLength, text, texts } from './parameters.ts';
import { readingOperations } from './reading.ts';
import { transitionsOperation } from './transitions.ts';

type Read = (parameters: OperationCall['parameters']) => Transitioning['input'];

const reason: Read = (parameters) => ({ reason: text(parameters, 'reason') });

/** Operations that are an event with some texts; their name is the event's. */
const simple: readonly (readonly [CaseEvent, Read])[] = [
  [
    'protocol',
    (parameters) => ({ protocols: texts(parameters, 'text', maxChapterLength).filter((each) => each.trim() !== '') }),
  ],
  ['refuse', reason],
  ['cancel', reason],
  ['complete-images', () => ({})],
  ['confirm-images', () => ({})],
  ['claim', () => ({})],
  ['release', reason],
  ['suspend', reason],
  ['resume', reason],
  ['phone-exchange', (parameters) => ({ summary: text(parameters, 'summary'), with: text(parameters, 'with') })],
  ['displayed', (parameters) => ({ displayed: texts(parameters, 'series', 64) })],
];

export function caseOperations(shell: Shell): Operation[] {
  return [
    ...simple.map(
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
