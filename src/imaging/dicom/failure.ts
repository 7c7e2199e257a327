/** PS3.4 Annex B and PS3.18 §10.5: why an instance is not stored, as a number for machines and a sentence for people. */

/** Failure Reason (0008,1197). */
export const failureReason = {
  /** Processing failure. */
  processing: 0x0110,
  /** SOP Class not supported. */
  sopClass: 0x0122,
  /** Out of resources. */
  resources: 0xa700,
  /** Data set does not match what is expected (an identifier is missing or wrong). */
  dataSet: 0xa900,
  /** Cannot understand the stream. */
  unreadable: 0xc000,
  /** Referenced transfer syntax not supported. */
  transferSyntax: 0xc122,
  /** The SOP Instance UID is taken by other bytes. */
  taken: 45070,
} as const;

/** An instance that cannot be stored. The message names the element at fault and never holds a value of the data set. */
export class DicomFailure extends Error {
  override name = 'DicomFailure';
  readonly reason: number;
  /** As far as they could be read. */
  sopUid: string | undefined;
  sopClassUid: string | undefined;

  constructor(reason: number, comment: string) {
    super(comment);
    this.reason = reason;
  }
}
