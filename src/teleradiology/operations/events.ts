/** Operations that are an event of the machine with some texts: what each is given (docs/fhir-conventions.md). Their name is the event's. */
import type { OperationCall } from '../../fhir/index.ts';
import type { CaseEvent } from '../case/index.ts';
import type { Given } from '../shell/scene.ts';
import { flag, instant, maxChapterLength, reference, text, texts } from './parameters.ts';

type Read = (parameters: OperationCall['parameters']) => Given;

const nothing: Read = () => ({});
const reason: Read = (parameters) => ({ reason: text(parameters, 'reason') });
const question: Read = (parameters) => ({ question: text(parameters, 'question') });
const reader: Read = (parameters) => ({ reader: reference(parameters, 'reader'), reason: text(parameters, 'reason') });

export const eventOperations: readonly (readonly [CaseEvent, Read])[] = [
  ['ask', question],
  ['answer', (parameters) => ({ answer: text(parameters, 'answer') })],
  ['ask-imaging', question],
  [
    'protocol',
    (parameters) => ({ protocols: texts(parameters, 'text', maxChapterLength).filter((each) => each.trim() !== '') }),
  ],
  ['refuse', reason],
  ['cancel', reason],
  ['ask-cancellation', reason],
  ['decline-cancellation', reason],
  ['interrupt', reason],
  ['declare-error', reason],
  ['withdraw-error', reason],
  ['enter-in-error', reason],
  ['complete-images', nothing],
  ['confirm-images', nothing],
  ['assign', reader],
  ['claim', reason],
  ['hand-over', reader],
  ['release', reason],
  ['suspend', reason],
  ['resume', reason],
  [
    'phone-exchange',
    (parameters) => ({
      summary: text(parameters, 'summary'),
      with: text(parameters, 'with'),
      number: text(parameters, 'number'),
      at: instant(parameters, 'at'),
    }),
  ],
  [
    'declare-critical',
    (parameters) => ({ finding: text(parameters, 'finding'), criticalCategory: text(parameters, 'category', 40) }),
  ],
  [
    'acknowledge-critical',
    (parameters) => ({
      readBack: text(parameters, 'read-back'),
      with: text(parameters, 'with'),
      number: text(parameters, 'number'),
      at: instant(parameters, 'at'),
    }),
  ],
  ['displayed', (parameters) => ({ displayed: texts(parameters, 'series', 64) })],
  ['request-second-reading', (parameters) => ({ ...reason(parameters), blind: flag(parameters, 'blind') })],
  ['claim-second-reading', nothing],
  ['release-second-reading', reason],
  [
    'complete-second-reading',
    (parameters) => ({
      agrees: flag(parameters, 'agrees'),
      opinion: text(parameters, 'opinion', maxChapterLength),
      notDisplayedReason: text(parameters, 'not-displayed-reason'),
    }),
  ],
  ['request-rereading', reason],
  ['open-addendum', reason],
  ['claim-addendum', nothing],
  ['release-addendum', reason],
  ['close-addendum', reason],
];
