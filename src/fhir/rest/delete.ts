/** delete: https://hl7.org/fhir/R4/http.html#delete; conditional delete of one: https://hl7.org/fhir/R4/http.html#3.1.0.7.1. */
import type { ResourceType } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import type { RestTransaction } from '../store/contract.ts';
import type { Answer, Conditions, WriteInteraction } from './call.ts';
import { criteriaOf, versionOfETag } from './conditions.ts';
import { answeredVersion } from './read.ts';

export const deleteInstance: WriteInteraction = {
  access: 'write',
  code: 'delete',
  run: (call, tx) => remove(tx, call.type!, call.id!, call.conditions),
};

export const conditionalDelete: WriteInteraction = {
  access: 'write',
  code: 'delete',
  async run(call, tx) {
    const criteria = criteriaOf(call.query);
    const [id, another] = await tx.matchIds(call.type!, criteria);
    if (another !== undefined)
      throw new FhirError(412, 'multiple-matches', 'the criteria match more than one resource');
    // Nothing was written, so nothing else tells the audit trail that somebody learned of this absence.
    if (id === undefined) return { status: 204, read: { resources: [], query: `${call.type}?${criteria}` } };
    return remove(tx, call.type!, id, call.conditions);
  },
};

/** What is not there any more, or never was, counts as deleted. */
async function remove(tx: RestTransaction, type: ResourceType, id: string, conditions: Conditions): Promise<Answer> {
  const stored = await tx.readStored(type, id);
  if (!stored || stored.deleted) return { status: 204 };
  const ifMatch = versionOfETag(conditions.ifMatch);
  if (ifMatch !== undefined && ifMatch !== String(stored.version)) {
    throw new FhirError(412, 'conflict', `${type}/${id} is at version ${stored.version}`);
  }
  await tx.delete(type, id);
  const deleted = await tx.readStored(type, id);
  return { status: 204, ...(deleted ? { version: answeredVersion(deleted) } : {}) };
}
