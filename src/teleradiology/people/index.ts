/** The register of readers: what they hold, until when, and which establishments refuse them. */

export { raiseExclusion } from './exclude.ts';
export { raiseExpiry } from './expiry.ts';
export { guardPeople } from './guard-people.ts';
export { peopleOperations } from './operations.ts';
export { checkProfessionalDocument } from './professional-document.ts';
export { readerStanding } from './reader-standing.ts';
export { createReasons } from './reasons.ts';
