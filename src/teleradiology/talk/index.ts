/** People talk about a case: chat, questions, phone exchanges, and the notices that call them to it. */
import type { Operation } from '../../fhir/index.ts';
import { attachmentOperation } from './attachment-operation.ts';
import { readOperations } from './read.ts';

export { completeMessage, guardMessage, isPlainWrite } from './write-message.ts';

export const talkOperations: readonly Operation[] = [...readOperations, attachmentOperation];
