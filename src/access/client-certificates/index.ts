/** Certificates of machines: what a connection showed, and for whom it may speak. */
export { type ClientCertificate, certificateNames, certificateOf } from './certificate.ts';
export { createNodes, type Nodes } from './nodes.ts';
