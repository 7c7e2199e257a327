/** Which certificates may sign a report: valid at the instant of signature, made for signing, matching their key (RFC 5280 §4.2.1.3). */
import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { type DerNode, derChildren, readDer } from './der.ts';

/** Refusal to sign; the message is French, for the radiologist. */
export class SigningRefused extends Error {
  override readonly name = 'SigningRefused';
  readonly code: 'expired' | 'not-yet-valid' | 'key-usage' | 'key-mismatch' | 'algorithm' | 'signature-too-large';
  constructor(code: SigningRefused['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Issuer and serial as in the certificate, for the signer identifier of a CMS. */
export interface IssuerAndSerial {
  issuer: Buffer;
  serial: Buffer;
}

const digitalSignature = 0;
const nonRepudiation = 1;
const keyUsageOid = '0603551d0f';
const minimalRsaBits = 2048;

/** @throws SigningRefused when this certificate may not sign at this instant */
export function assertMaySign(certificate: X509Certificate, privateKey: string, at: Date): void {
  if (at < certificate.validFromDate) {
    throw new SigningRefused('not-yet-valid', "Le certificat de signature n'est pas encore valide.");
  }
  if (at > certificate.validToDate) throw new SigningRefused('expired', 'Le certificat de signature a expiré.');
  const usage = keyUsage(certificate);
  if (usage && !usage.has(digitalSignature) && !usage.has(nonRepudiation)) {
    throw new SigningRefused('key-usage', "Le certificat n'est pas destiné à la signature.");
  }
  const key = createPrivateKey(privateKey);
  if (!certificate.checkPrivateKey(key)) {
    throw new SigningRefused('key-mismatch', 'La clé privée ne correspond pas au certificat.');
  }
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  const strong =
    (key.asymmetricKeyType === 'rsa' && (modulusLength ?? 0) >= minimalRsaBits) ||
    (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1');
  if (!strong) throw new SigningRefused('algorithm', 'Clé de signature trop faible ou non prise en charge.');
}

/** Bits of the key usage extension, `undefined` when the certificate sets none. */
function keyUsage(certificate: X509Certificate): Set<number> | undefined {
  const extension = extensions(certificate).find((each) =>
    derChildren(each)[0]!.whole.equals(Buffer.from(keyUsageOid, 'hex')),
  );
  if (!extension) return undefined;
  const bits = readDer(derChildren(extension).at(-1)!.content).content;
  const set = new Set<number>();
  // The first octet counts unused bits; bit 0 is the most significant of the next.
  bits.subarray(1).forEach((octet, index) => {
    for (let bit = 0; bit < 8; bit += 1) if (octet & (0x80 >> bit)) set.add(index * 8 + bit);
  });
  return set;
}

export function issuerAndSerial(certificate: X509Certificate): IssuerAndSerial {
  const fields = bodyFields(certificate);
  const versioned = fields[0]!.tag === 0xa0 ? 1 : 0;
  return { serial: fields[versioned]!.whole, issuer: fields[versioned + 2]!.whole };
}

/** Extensions of a certificate: the `[3]` element of its body. */
function extensions(certificate: X509Certificate): DerNode[] {
  const wrapper = bodyFields(certificate).find((field) => field.tag === 0xa3);
  return wrapper ? derChildren(derChildren(wrapper)[0]!) : [];
}

function bodyFields(certificate: X509Certificate): DerNode[] {
  return derChildren(derChildren(readDer(certificate.raw))[0]!);
}
