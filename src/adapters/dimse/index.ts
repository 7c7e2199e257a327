/** DICOM associations (PS3.7, PS3.8): C-ECHO and C-STORE into the imaging room. See docs/dimse.md for what is supported. */

export { commandSet, shortElement, uidElement } from './command-set.ts';
export { commitmentDestination } from './commitment-destination.ts';
export { type Dimse, type DimseOptions, startDimse } from './listener.ts';
export { dataPdus, pdu } from './pdu-writer.ts';
export { aeTitleSystem } from './senders.ts';
