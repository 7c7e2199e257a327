/** create: https://hl7.org/fhir/R4/http.html#create; conditional create: https://hl7.org/fhir/R4/http.html#ccreate. */
import type { Resource } from '@medplum/fhirtypes';
import type { StoredVersion } from '../store/contract.ts';
import type { Answer, Call, WriteInteraction } from './call.ts';
import { aboutIfNoneExist, criteriaOf } from './conditions.ts';
import { answeredVersion, parse } from './read.ts';
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
    const { resource: kept, created } = await tx
      .createIfNone(resource, criteriaOf(ifNoneExist))
      .catch(aboutIfNoneExist);
    const answer = writtenAnswer(tx, kept, created);
    return created ? answer : shownAnswer(call, answer, kept);
  },
};

/** The answer to a conditional create that found a resource already. */
export function foundAnswer(call: Call, found: StoredVersion): Answer {
  const answer: Answer = { status: 200, body: found.text, version: answeredVersion(found), isWrite: true };
  return shownAnswer(call, answer, parse(found));
}

/** Nothing was written, so nothing else tells the audit trail that the resource was shown. */
function shownAnswer(call: Call, answer: Answer, resource: Resource): Answer {
  const criteria = criteriaOf(call.conditions.ifNoneExist!);
  return { ...answer, read: { resources: [resource], query: `${call.type}?${criteria}` } };
}
