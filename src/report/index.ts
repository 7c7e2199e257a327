/** Report documents: lint of the draft, signed PDF/A-1, CDA R2, demonstration keystore, and the checks of all of them. */
export { type CdaProblem, checkCdaHeader } from './cda/check.ts';
export { type CertificateText, certificatePdf } from './certificate-pdf.ts';
export type { ReportDocuments, ReportInput, ReportIssue, ReportRoom, ReportText, Signer } from './contract.ts';
export { encodeInsDatamatrix, parseInsDatamatrix } from './datamatrix.ts';
export { createReportRoom, ReportRefused } from './room.ts';
export { SigningRefused } from './signature/certificate.ts';
export { type Keystore, openKeystore } from './signature/keystore.ts';
export { type SignatureCheck, verifyPdfSignature } from './signature/verify.ts';
