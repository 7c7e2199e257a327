/** delete: https://hl7.org/fhir/R4/http.html#delete; conditional delete of one: https://hl7.org/fhir/R4/http.html#3.1.0.7.1. */
import type { RestTransaction, StoredVersion } from '../store/contract.ts';
import type { Answer, Call, WriteInteraction } from './call.ts';
import { criteriaOf, requireMatch } from './conditions.ts';
import { answeredVersion } from './read.ts';

export const deleteInstance: WriteInteraction = {
  access: 'write',
  code: 'delete',
  run: async (call, tx) => remove(call, tx, await tx.lockStored(call.type!, call.id!)),
};

/** Criteria that match several resources delete none of them (`conditionalDelete: single`): 412. */
export const conditionalDelete: WriteInteraction = {
  access: 'write',
  code: 'delete',
  async run(call, tx) {
    const criteria = criteriaOf(call.query);
    const stored = await tx.lockMatch(call.type!, criteria);
    // Nothing was written, so nothing else tells the audit trail that somebody learned of this absence.
    if (!stored) return { status: 204, read: { resources: [], query: `${call.type}?${criteria}` } };
    return remove(call, tx, stored);
  },
};

/** What is not there any more, or never was, counts as deleted. */
async function remove(call: Call, tx: RestTransaction, stored: StoredVersion | undefined): Promise<Answer> {
  if (!stored || stored.deleted) return { status: 204 };
  requireMatch(call.conditions, stored);
  const { type, id } = stored;
  await tx.delete(type, id);
  const deleted = await tx.readStored(type, id);
  return { status: 204, ...(deleted ? { version: answeredVersion(deleted) } : {}) };
}
