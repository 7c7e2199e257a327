/**
 * `GET Communication/[id]/$attachment?part=<n>`: a file of a message, for whoever may read the message. The roles of a case do not all read Binary
 * (a technologist sees no report), and a message is no reason to open that.
 */
import type { Operation, OperationAnswer } from '../../fhir/index.ts';
import { FhirError } from '../../fhir/index.ts';
import { idOf } from '../shell/case-task.ts';
import { caseIdOf, isTalk } from './message.ts';

export const attachmentOperation: Operation = {
  name: 'attachment',
  type: 'Communication',
  level: 'instance',
  seesWhole: true,
  affectsState: false,
  async run({ tx, id = '', parameters }): Promise<OperationAnswer> {
    const message = await tx.read('Communication', id);
    const asked = parameters.parameter?.find(({ name }) => name === 'part');
    const index = Number(asked?.valueInteger ?? asked?.valueString ?? 0);
    const url = message.payload?.[index]?.contentAttachment?.url;
    const binary = isTalk(message) ? await tx.find('Binary', idOf({ reference: url }, 'Binary') ?? '') : undefined;
    // Only what was stored with a message of this case: an address in a message opens nothing else.
    if (binary === undefined || binary.securityContext?.reference !== `Task/${caseIdOf(message)}`)
      throw new FhirError(404, 'not-found', 'This message has no such file.');
    return {
      status: 200,
      headers: { 'content-disposition': 'attachment' },
      content: { type: binary.contentType, body: Buffer.from(binary.data ?? '', 'base64') },
      shown: [message],
    };
  },
};
