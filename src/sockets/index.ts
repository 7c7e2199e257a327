/** Connections of every protocol: listening in clear or over TLS (MLLP, DICOM), and closing without losing or waiting for what need not be. */
export { addressOf } from './address.ts';
export { letConnectionsGo } from './let-go.ts';
export { type Conversation, type Listener, type ListenerOptions, listen } from './listener.ts';
