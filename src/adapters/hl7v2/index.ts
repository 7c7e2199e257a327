/** HL7 v2: the MLLP listener of the national teleradiology flows, what is sent back to a RIS, and a client for both. */

export { decode } from './charset.ts';
export { type RisDestination, type RisOptions, risDestination } from './destination.ts';
export { type Mllp, type MllpOptions, startMllp } from './listener.ts';
export { listReceived, readReceived } from './message-archive.ts';
export { connectMllp, frenchReason, type MllpClient, MllpError, sendMessage } from './mllp-client.ts';
export { mappedValueSets } from './value-sets.ts';
