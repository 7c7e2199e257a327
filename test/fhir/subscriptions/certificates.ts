import { KEYUTIL, KJUR } from 'jsrsasign';

/** A self-signed certificate for these names and addresses, with its key (PEM). */
export function selfSigned(names: readonly string[], addresses: readonly string[] = []): { key: string; cert: string } {
  const { prvKeyObj, pubKeyObj } = KEYUTIL.generateKeypair('EC', 'secp256r1');
  const certificate = new KJUR.asn1.x509.Certificate({
    version: 3,
    serial: { int: Date.now() },
    issuer: { str: `/CN=${names[0]}` },
    subject: { str: `/CN=${names[0]}` },
    notbefore: '200101000000Z',
    notafter: '491231235959Z',
    sbjpubkey: pubKeyObj,
    sigalg: 'SHA256withECDSA',
    cakey: prvKeyObj,
    ext: [
      { extname: 'basicConstraints', cA: true },
      { extname: 'subjectAltName', array: [...names.map((dns) => ({ dns })), ...addresses.map((ip) => ({ ip }))] },
    ],
  } as never);
  return { key: KEYUTIL.getPEM(prvKeyObj, 'PKCS8PRV'), cert: certificate.getPEM() };
}
