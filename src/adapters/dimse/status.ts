/** PS3.7 Annex C and PS3.4 §B.2.3: what became of an instance as the status of C-STORE-RSP. */
import { FhirError } from '../../fhir/index.ts';
import { failureReason, type StoredInstance } from '../../imaging/index.ts';
import type { Response } from './command-set.ts';

export const status = {
  success: 0x0000,
  processingFailure: 0x0110,
  duplicateInstance: 0x0111,
  noSuchInstance: 0x0112,
  invalidArgument: 0x0115,
  invalidInstance: 0x0117,
  sopClassNotSupported: 0x0122,
  noSuchAction: 0x0123,
  notAuthorized: 0x0124,
  unrecognizedOperation: 0x0211,
  mistypedArgument: 0x0212,
  resourceLimitation: 0x0213,
  outOfResources: 0xa700,
  datasetMismatch: 0xa900,
  cannotUnderstand: 0xc000,
  /** A warning: stored, but apart from what it says it belongs to. */
  storedApart: 0xb007,
} as const;

/** Stored and committed, or why not. */
export function responseOf(stored: StoredInstance | undefined): Response {
  if (stored === undefined) return { status: status.cannotUnderstand, comment: 'No data set.' };
  if (stored.status !== 'failed') {
    const { setApart } = stored;
    return setApart === undefined
      ? { status: status.success }
      : { status: status.storedApart, comment: 'Stored apart: contradicts what is known of this study.' };
  }
  // As a number the reason of STOW-RS would be a warning here: the sender would take its instance for stored.
  if (stored.failureReason === failureReason.taken)
    return { status: status.duplicateInstance, comment: 'SOP Instance UID taken by another instance; not replaced.' };
  return { status: stored.failureReason, comment: stored.comment };
}

/** Everything may go well another time, but for what the sender may not do. */
export function responseOfError(error: unknown): Response {
  if (error instanceof FhirError && (error.status === 403 || error.status === 401))
    return { status: status.notAuthorized, comment: 'This sender may not store images.' };
  if (error instanceof FhirError && error.status < 500 && error.status !== 409 && error.status !== 413)
    return { status: status.processingFailure, comment: 'The instance was refused.' };
  return { status: status.outOfResources, comment: 'Not stored for now: send it again later.' };
}
