/** PS3.8 §9.3.8: what ends an association at once, in the words of A-ABORT. */

/** Reason of an A-ABORT whose source is the service provider. */
export const abortReason = {
  unspecified: 0,
  unrecognizedPdu: 1,
  unexpectedPdu: 2,
  unrecognizedParameter: 4,
  unexpectedParameter: 5,
  invalidParameter: 6,
} as const;

/** The other side broke the protocol. The message says how and quotes nothing it sent. */
export class ProtocolError extends Error {
  override name = 'ProtocolError';
  readonly reason: number;

  constructor(reason: number, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What the other side sent has not the form it must have. */
export function malformed(message: string): ProtocolError {
  return new ProtocolError(abortReason.invalidParameter, message);
}

/** The other side is silent, too slow, or gone: there is nobody to abort to. */
export class LostPeer extends Error {
  override name = 'LostPeer';
}
