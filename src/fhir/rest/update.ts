/** update, also under an id not known yet: https://hl7.org/fhir/R4/http.html#update; conditional: https://hl7.org/fhir/R4/http.html#cond-update. */
import { FhirError } from '../contract.ts';
import type { WriteInteraction } from './call.ts';
import { criteriaOf, versionOfETag } from './conditions.ts';
import { resourceOf, writtenAnswer } from './written.ts';

export const update: WriteInteraction = {
  access: 'write',
  code: 'update',
  async run(call, tx) {
    const resource = resourceOf(call);
    if (resource.id !== call.id)
      throw new FhirError(400, 'invalid', 'the id in the body must be the one in the URL', `${call.type}.id`);
    if (call.conditions.ifNoneMatch === '*') {
      const existing = await tx.readStored(call.type!, call.id!);
      if (existing && !existing.deleted) throw new FhirError(412, 'conflict', `${call.type}/${call.id} exists`);
    }
    const ifMatch = versionOfETag(call.conditions.ifMatch);
    const written = await tx.update(resource, ifMatch === undefined ? {} : { ifMatch });
    return writtenAnswer(tx, written, tx.changes.at(-1)?.interaction === 'create');
  },
};

export const conditionalUpdate: WriteInteraction = {
  access: 'write',
  code: 'update',
  async run(call, tx) {
    const ifMatch = versionOfETag(call.conditions.ifMatch);
    const options = ifMatch === undefined ? {} : { ifMatch };
    const { resource, created } = await tx.updateIfOne(resourceOf(call), criteriaOf(call.query), options);
    return writtenAnswer(tx, resource, created);
  },
};
