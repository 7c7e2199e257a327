/** create: https://hl7.org/fhir/R4/http.html#create; conditional create: https://hl7.org/fhir/R4/http.html#ccreate. */
import type { Resource } from '@medplum/fhirtypes';
import type { Answer, WriteInteraction } from './call.ts';
import { criteriaOf } from './conditions.ts';
import { resourceOf, writtenAnswer } from './written.ts';

export const create: WriteInteraction = {
  access: 'write',
  code: 'create',
  async run(call, tx): Promise<Answer> {
    // An id in the body means nothing here; one in the call was given out by the transaction Bundle this is an entry of.
    const { id: _, ...content } = resourceOf(call);
    const resource = (call.id ? { ...content, id: call.id } : content) as Resource;
    const { ifNoneExist } = call.conditions;
    if (ifNoneExist === undefined) return writtenAnswer(tx, await tx.create(resource), true);
    const found = await tx.createIfNone(resource, criteriaOf(ifNoneExist));
    const answer = writtenAnswer(tx, found.resource, found.created);
    // Nothing was written, so nothing else tells the audit trail that the resource was shown.
    return found.created
      ? answer
      : { ...answer, read: { resources: [found.resource], query: `${call.type}?${criteriaOf(ifNoneExist)}` } };
  },
};
