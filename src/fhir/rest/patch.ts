/** patch, also by criteria: https://hl7.org/fhir/R4/http.html#patch. A patch is an update: validated, hooked and audited as one. */
import { FhirError } from '../contract.ts';
import { patchedResource } from '../patch/index.ts';
import type { RestTransaction, StoredVersion } from '../store/contract.ts';
import type { Answer, Call, WriteInteraction } from './call.ts';
import { criteriaOf, requireMatch } from './conditions.ts';
import { refuseSubsetted } from './subsetting.ts';
import { writtenAnswer } from './written.ts';

export const patch: WriteInteraction = {
  access: 'write',
  code: 'patch',
  async run(call, tx) {
    const stored = await tx.lockStored(call.type!, call.id!);
    if (!stored) throw new FhirError(404, 'not-found', `${call.type}/${call.id} is not known`);
    return apply(call, tx, stored);
  },
};

export const conditionalPatch: WriteInteraction = {
  access: 'write',
  code: 'patch',
  async run(call, tx) {
    const stored = await tx.lockMatch(call.type!, criteriaOf(call.query));
    if (!stored) throw new FhirError(404, 'not-found', `no ${call.type} matches the criteria`);
    return apply(call, tx, stored);
  },
};

async function apply(call: Call, tx: RestTransaction, stored: StoredVersion): Promise<Answer> {
  const { type, id, version } = stored;
  if (stored.deleted) throw new FhirError(410, 'deleted', `${type}/${id} was deleted`);
  requireMatch(call.conditions, stored);
  const resource = patchedResource(stored.text, call.body);
  refuseSubsetted(resource);
  try {
    return writtenAnswer(tx, await tx.update(resource, { ifMatch: String(version) }), false);
  } catch (error) {
    // The patch itself is well formed; what it makes is not a resource we keep (RFC 5789 §2.2).
    if (error instanceof FhirError && error.status === 400) throw FhirError.of(422, error.outcome.issue);
    throw error;
  }
}
