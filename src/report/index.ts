/** Report documents: lint of the draft, signed PDF/A-1, CDA R2, demonstration keystore, and the checks of all of them. */
export { checkCdaHeader } from './cda/check.ts';
export { certificatePdf } from './certificate-pdf.ts';
export { encodeInsDatamatrix, parseInsDatamatrix } from './datamatrix.ts';
export { createReportRoom, ReportRefused } from './room.ts';
export { SigningRefused } from './signature/certificate.ts';
export { openKeystore } from './signature/keystore.ts';
export { verifyPdfSignature } from './signature/verify.ts';
