/** vread: https://hl7.org/fhir/R4/http.html#vread. */
import { FhirError } from '../contract.ts';
import type { ReadInteraction } from './call.ts';
import { storedAnswer } from './read.ts';
import { readParameters, subsetOf } from './subsetting.ts';

export const vread: ReadInteraction = {
  access: 'read',
  code: 'vread',
  async run(call, reads, { searchDefinitions }) {
    const subset = subsetOf(readParameters(call), searchDefinitions);
    const name = `${call.type}/${call.id}/_history/${call.versionId}`;
    // Versions are numbers, but any id is a legal question.
    const number = /^[1-9]\d{0,8}$/.test(call.versionId!) ? Number(call.versionId) : undefined;
    const stored = number === undefined ? undefined : await reads.readVersion(call.type!, call.id!, number);
    if (!stored) throw new FhirError(404, 'not-found', `${name} is not known`);
    if (stored.deleted) throw new FhirError(410, 'deleted', `${name} is a deletion`);
    return storedAnswer(stored, subset);
  },
};
