/** HL7 v2: the MLLP listener of the national teleradiology flows, what is sent back to a RIS, and a client for both. */

export { type Decoded, decode } from './charset.ts';
export { type RisDestination, type RisOptions, risDestination } from './destination.ts';
export { type Mllp, type MllpLimits, type MllpOptions, startMllp } from './listener.ts';
export { listReceived, type ReceivedMessage, readReceived } from './message-archive.ts';
export { connectMllp, frenchReason, type MllpAddress, type MllpClient, MllpError, sendMessage } from './mllp-client.ts';
export { acknowledgementOf } from './receive.ts';
export { mappedValueSets } from './value-sets.ts';
