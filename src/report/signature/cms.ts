/**
 * CMS SignedData of a PAdES baseline B signature (RFC 5652; ETSI EN 319 122-1, EN 319 142-1 §6.3): detached, SHA-256,
 * attributes content-type, message-digest and signing-certificate-v2; no signing-time, the time is `/M` of the PDF.
 */
import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto';
import type { Signer } from '../contract.ts';
import { issuerAndSerial } from './certificate.ts';
import { der, nothing, octets, oid, sequence, setOf, small } from './der.ts';

export const oids = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  sha256: '2.16.840.1.101.3.4.2.1',
  rsaEncryption: '1.2.840.113549.1.1.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;

/** @param digest SHA-256 of the signed bytes */
export function signedData(digest: Buffer, signer: Signer): Buffer {
  const certificate = new X509Certificate(signer.certificate);
  const chain = signer.chain.map((pem) => new X509Certificate(pem));
  const key = createPrivateKey(signer.privateKey);
  const { issuer, serial } = issuerAndSerial(certificate);
  const attributes = [
    attribute(oids.contentType, oid(oids.data)),
    attribute(oids.messageDigest, octets(digest)),
    attribute(oids.signingCertificateV2, signingCertificate(certificate, issuer, serial)),
  ];
  // Signed as a SET OF, stored under the implicit tag [0] (RFC 5652 §5.4).
  const signature = sign('sha256', setOf(...attributes), key);
  const stored = setOf(...attributes);
  stored[0] = 0xa0;
  const sha256 = sequence(oid(oids.sha256));
  const algorithm =
    key.asymmetricKeyType === 'ec' ? sequence(oid(oids.ecdsaWithSha256)) : sequence(oid(oids.rsaEncryption), nothing);
  const signerInfo = sequence(small(1), sequence(issuer, serial), sha256, stored, algorithm, octets(signature));
  const certificates = [certificate, ...chain].map((each) => each.raw).toSorted(Buffer.compare);
  const content = sequence(
    small(1),
    setOf(sha256),
    sequence(oid(oids.data)),
    der(0xa0, ...certificates),
    setOf(signerInfo),
  );
  return sequence(oid(oids.signedData), der(0xa0, content));
}

function attribute(type: string, value: Buffer): Buffer {
  return sequence(oid(type), setOf(value));
}

/** ESSCertIDv2 with the default SHA-256, issuer and serial given so that no other certificate can be slipped in (RFC 5035 §4). */
function signingCertificate(certificate: X509Certificate, issuer: Buffer, serial: Buffer): Buffer {
  const hash = createHash('sha256').update(certificate.raw).digest();
  const generalNames = sequence(der(0xa4, issuer));
  return sequence(sequence(sequence(octets(hash), sequence(generalNames, serial))));
}
