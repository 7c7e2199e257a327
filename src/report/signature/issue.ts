/** Demonstration certificates (RFC 5280): an authority of our own and signing certificates under it, P-256 with SHA-256. */
import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { certificates } from '../libraries.ts';

export interface KeyAndCertificate {
  /** PEM. */
  certificate: string;
  /** PEM, PKCS #8. */
  privateKey: string;
}

export interface Subject {
  commonName: string;
  /** RPPS of the person; absent for the authority. */
  serialNumber?: string;
  organization: string;
}

/** Makes a key and its certificate; without `issuer` the certificate is that of a new authority, signed by itself. */
export function issueCertificate(
  subject: Subject,
  validity: { from: Date; to: Date },
  issuer?: KeyAndCertificate & { subject: Subject },
): KeyAndCertificate {
  const x509 = certificates();
  const keys = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const authority = issuer === undefined;
  const body = new x509.TBSCertificate({
    version: 3,
    // Positive and never zero in its first octet.
    serial: { hex: `4${randomBytes(16).toString('hex').slice(1)}` },
    sigalg: 'SHA256withECDSA',
    issuer: { array: name(issuer?.subject ?? subject) },
    notbefore: { type: 'gen', str: generalizedTime(validity.from) },
    notafter: { type: 'gen', str: generalizedTime(validity.to) },
    subject: { array: name(subject) },
    sbjpubkey: keys.publicKey,
    ext: authority
      ? [
          { extname: 'basicConstraints', critical: true, cA: true, pathLen: 0 },
          { extname: 'keyUsage', critical: true, names: ['keyCertSign', 'cRLSign'] },
          { extname: 'subjectKeyIdentifier', kid: keys.publicKey },
        ]
      : [
          { extname: 'basicConstraints', critical: true },
          { extname: 'keyUsage', critical: true, names: ['digitalSignature', 'nonRepudiation'] },
          { extname: 'authorityKeyIdentifier', kid: issuer.certificate },
          { extname: 'subjectKeyIdentifier', kid: keys.publicKey },
        ],
  } as unknown as ConstructorParameters<typeof x509.TBSCertificate>[0]);
  // Signed by node:crypto: the arithmetic in JavaScript takes a hundred times as long.
  const signature = sign(
    'sha256',
    Buffer.from(encoded(body), 'hex'),
    createPrivateKey(issuer?.privateKey ?? keys.privateKey),
  );
  const certificate = new x509.Certificate({
    tbsobj: body,
    sigalg: 'SHA256withECDSA',
    sighex: signature.toString('hex'),
  } as unknown as ConstructorParameters<typeof x509.Certificate>[0]);
  return { certificate: pem(certificate.getPEM()), privateKey: pem(keys.privateKey) };
}

/** One spelling of line ends, so that a pair read back from its file equals the one just made. */
function pem(text: string): string {
  return text.replaceAll('\r\n', '\n').trim();
}

function encoded(body: unknown): string {
  return (body as { getEncodedHex: () => string }).getEncodedHex();
}

function name(subject: Subject): { type: string; value: string; ds: string }[][] {
  const part = (type: string, value: string, ds = 'utf8') => [{ type, value, ds }];
  return [
    part('C', 'FR', 'prn'),
    part('O', subject.organization),
    ...(subject.serialNumber ? [part('serialNumber', subject.serialNumber, 'prn')] : []),
    part('CN', subject.commonName),
  ];
}

function generalizedTime(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}
