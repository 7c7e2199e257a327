/** update, also under an id not known yet: https://hl7.org/fhir/R4/http.html#update; conditional: https://hl7.org/fhir/R4/http.html#cond-update. */
import type { Resource } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import type { RestTransaction } from '../store/contract.ts';
import type { Answer, Conditions, WriteInteraction } from './call.ts';
import { criteriaOf, ifMatchOf } from './conditions.ts';
import { resourceOf, writtenAnswer } from './written.ts';

export const update: WriteInteraction = {
  access: 'write',
  code: 'update',
  async run(call, tx) {
    const resource = resourceOf(call);
    if (resource.id !== call.id)
      throw new FhirError(400, 'invalid', 'the id in the body must be the one in the URL', `${call.type}.id`);
    if (isOnlyCreate(call.conditions)) return createUnderId(tx, resource);
    const before = tx.changes.length;
    const written = await tx.update(resource, ifMatchOf(call.conditions));
    // Rules may have made other things after it.
    const created = tx.changes
      .slice(before)
      .some(({ interaction, type, id }) => interaction === 'create' && type === call.type && id === call.id);
    return writtenAnswer(tx, written, created);
  },
};

/** Whether `If-None-Match: *` allows a create only. @throws FhirError 400 for ETags, of which an update has no use. */
function isOnlyCreate({ ifNoneMatch }: Conditions): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  throw new FhirError(400, 'value', 'If-None-Match of an update is *', 'http.If-None-Match');
}

/** Only when nothing is there (RFC 9110 §13.1.2). */
async function createUnderId(tx: RestTransaction, resource: Resource): Promise<Answer> {
  try {
    return writtenAnswer(tx, await tx.create(resource), true);
  } catch (error) {
    if (!(error instanceof FhirError) || error.status !== 409) throw error;
    throw new FhirError(
      412,
      'conflict',
      `${resource.resourceType}/${resource.id} exists already`,
      'http.If-None-Match',
    );
  }
}

export const conditionalUpdate: WriteInteraction = {
  access: 'write',
  code: 'update',
  async run(call, tx) {
    if (call.conditions.ifNoneMatch !== undefined)
      throw new FhirError(400, 'not-supported', 'a conditional update takes no If-None-Match', 'http.If-None-Match');
    const { resource, created } = await tx.updateIfOne(
      resourceOf(call),
      criteriaOf(call.query),
      ifMatchOf(call.conditions),
    );
    return writtenAnswer(tx, resource, created);
  },
};
