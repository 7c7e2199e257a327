/** Our own check of a signed report, for tests and before a document leaves: coverage, digest, signature, certificate reference. */
import { createHash, verify, X509Certificate } from 'node:crypto';
import { issuerAndSerial } from './certificate.ts';
import { oids } from './cms.ts';
import { type DerNode, derChildren, oid, readDer } from './der.ts';

export interface SignatureCheck {
  valid: boolean;
  /** Why not, English, no patient data. */
  reason?: string;
  /** Everything but Contents is signed, to the last byte of the file. */
  coversWholeFile: boolean;
  signer?: X509Certificate;
  chain: X509Certificate[];
  /** Object identifiers of the signed attributes. */
  attributes: string[];
}

/** Reads the one signature of a PDF and verifies it mathematically; trust in the issuer is another question. */
export function verifyPdfSignature(pdf: Buffer): SignatureCheck {
  const failed = (reason: string, more: Partial<SignatureCheck> = {}): SignatureCheck => ({
    valid: false,
    reason,
    coversWholeFile: false,
    chain: [],
    attributes: [],
    ...more,
  });
  const text = pdf.toString('latin1');
  const ranges = [...text.matchAll(/\/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]/g)];
  if (ranges.length !== 1) return failed(`${ranges.length} signatures`);
  const [start, before, from, after] = ranges[0]!.slice(1).map(Number) as [number, number, number, number];
  const hole = text.slice(before, from);
  if (start !== 0 || from + after !== pdf.length || !/^<[0-9a-f]+>$/i.test(hole))
    return failed('not the whole file signed');
  try {
    return verifyContents(pdf, before, from, Buffer.from(hole.slice(1, -1), 'hex'));
  } catch (error) {
    return failed(`unreadable signature: ${(error as Error).message}`, { coversWholeFile: true });
  }
}

function verifyContents(pdf: Buffer, before: number, from: number, contents: Buffer): SignatureCheck {
  const content = derChildren(derChildren(derChildren(readDer(contents))[1]!)[0]!);
  const certificates = derChildren(content.find((node) => node.tag === 0xa0)!).map(
    (node) => new X509Certificate(node.whole),
  );
  const signers = derChildren(content.at(-1)!);
  const [, identifier, , attributes, , signature] = derChildren(signers[0]!) as DerNode[];
  const signer = certificates.find((certificate) => {
    const { issuer, serial } = issuerAndSerial(certificate);
    return identifier!.content.equals(Buffer.concat([issuer, serial]));
  });
  const found = attributeValues(attributes!);
  const names = Object.entries(oids).filter(([, value]) => found.has(hexOid(value)));
  const check: SignatureCheck = {
    valid: false,
    coversWholeFile: true,
    signer,
    chain: certificates.filter((certificate) => certificate !== signer),
    attributes: names.map(([name]) => name),
  };
  const digest = createHash('sha256').update(pdf.subarray(0, before)).update(pdf.subarray(from)).digest();
  if (signers.length !== 1 || !signer) return { ...check, reason: 'signer certificate missing' };
  if (!found.get(hexOid(oids.messageDigest))?.content.equals(digest)) return { ...check, reason: 'digest differs' };
  const hash = createHash('sha256').update(signer.raw).digest();
  const reference = found.get(hexOid(oids.signingCertificateV2));
  const named = reference && derChildren(derChildren(derChildren(reference)[0]!)[0]!)[0];
  if (!named?.content.equals(hash)) return { ...check, reason: 'certificate reference differs' };
  const signed = Buffer.from(attributes!.whole);
  signed[0] = 0x31;
  if (!verify('sha256', signed, signer.publicKey, signature!.content)) return { ...check, reason: 'signature differs' };
  return { ...check, valid: true };
}

function attributeValues(attributes: DerNode): Map<string, DerNode> {
  return new Map(
    derChildren(attributes).map((attribute) => {
      const [type, values] = derChildren(attribute) as [DerNode, DerNode];
      return [type.whole.toString('hex'), derChildren(values)[0]!];
    }),
  );
}

function hexOid(dotted: string): string {
  return oid(dotted).toString('hex');
}
