/** Protocols that are octets on a connection (MLLP, DICOM): listening, in clear or over TLS, and closing without losing what is in hand. */
export { addressOf } from './address.ts';
export { type Conversation, type Listener, type ListenerOptions, listen, type ServerCertificate } from './listener.ts';
