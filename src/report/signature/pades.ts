/** Filling the empty signature of a laid-out report: ByteRange, digest of everything but Contents, CMS (PAdES baseline B). */
import { createHash, X509Certificate } from 'node:crypto';
import type { Signer } from '../contract.ts';
import { byteRangePlaceholder } from '../pdf/signature-field.ts';
import { assertMaySign, SigningRefused } from './certificate.ts';
import { signedData } from './cms.ts';

/** Bytes kept for the CMS: room for a chain of several certificates and, later, a timestamp. */
export const reservedForSignature = 12_288;

/**
 * Signs a PDF that carries exactly one placeholder. The file keeps its length.
 * @param at instant of signature, against which the certificate is checked
 * @throws SigningRefused
 */
export function signPdf(pdf: Buffer, signer: Signer, at: Date): Buffer {
  assertMaySign(new X509Certificate(signer.certificate), signer.privateKey, at);
  const signed = Buffer.from(pdf);
  const placeholder = signed.lastIndexOf(byteRangePlaceholder);
  const contents = signed.indexOf('/Contents <', placeholder);
  if (placeholder < 0 || contents < 0) throw new Error('PDF without signature placeholder');
  const open = contents + '/Contents '.length;
  const close = signed.indexOf('>', open) + 1;
  const range = `/ByteRange [0 ${open} ${close} ${signed.length - close}]`;
  signed.write(range.padEnd(byteRangePlaceholder.length), placeholder, 'latin1');
  const digest = createHash('sha256').update(signed.subarray(0, open)).update(signed.subarray(close)).digest();
  const cms = signedData(digest, signer).toString('hex');
  if (cms.length > close - open - 2) {
    throw new SigningRefused('signature-too-large', 'Chaîne de certificats trop longue pour la signature.');
  }
  signed.write(cms, open + 1, 'latin1');
  return signed;
}
