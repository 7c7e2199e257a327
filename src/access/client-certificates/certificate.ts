/**
 * The certificate a client showed in its TLS handshake, which proved that it holds the key (RFC 8705 §2). HTTP, MLLP and DICOM over TLS
 * ask the same way.
 */
import { hash, X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';

export interface ClientCertificate {
  /** SHA-256 of the certificate in DER: `x5t#S256`. */
  thumbprint: Buffer;
  /** Names it may be registered under, see `certificateNames`. */
  names: readonly string[];
  /** Within its own dates. */
  validFrom: Date;
  validTo: Date;
}

/** What of `tls.TLSSocket` is looked at; a plain socket has none of it. */
interface MaybeSecureSocket {
  encrypted?: unknown;
  authorized?: unknown;
  getPeerCertificate?: unknown;
}

/** The certificate of the other side; undefined when it showed none. */
export function certificateOf(socket: unknown): ClientCertificate | undefined {
  const { encrypted, authorized, getPeerCertificate } = (socket ?? {}) as MaybeSecureSocket;
  if (encrypted !== true || typeof getPeerCertificate !== 'function') return undefined;
  const { raw } = getPeerCertificate.call(socket, false) as Partial<DetailedPeerCertificate>;
  return raw && readCertificate(new X509Certificate(raw), authorized === true);
}

/** @param isTrusted whether the authority configured for clients signed it: only then its subject says anything. */
function readCertificate(certificate: X509Certificate, isTrusted: boolean): ClientCertificate {
  const thumbprint = hash('sha256', certificate.raw, 'buffer');
  return {
    thumbprint,
    names: [fingerprintName(thumbprint), ...(isTrusted ? [subjectName(certificate)] : [])],
    validFrom: new Date(certificate.validFrom),
    validTo: new Date(certificate.validTo),
  };
}

/** Both names of a certificate, for who registers it. */
export function certificateNames(certificate: X509Certificate): { fingerprint: string; subject: string } {
  return { fingerprint: fingerprintName(hash('sha256', certificate.raw, 'buffer')), subject: subjectName(certificate) };
}

/** A certificate as it is registered by itself. */
function fingerprintName(thumbprint: Buffer): string {
  return `sha256:${thumbprint.toString('hex')}`;
}

/** A subject as it is registered: RFC 4514, the most specific part first. */
function subjectName({ subject }: X509Certificate): string {
  return `subject:${subject.split('\n').reverse().join(',')}`;
}

export function isWithinDates({ validFrom, validTo }: ClientCertificate, now: Date): boolean {
  return validFrom <= now && now < validTo;
}
