/** Certificates of machines: one signed by itself, and those of an authority. */
import { X509Certificate } from 'node:crypto';
import { certificateNames } from '../../../src/access/index.ts';
import { issueCertificate, type KeyAndCertificate } from '../../../src/report/signature/issue.ts';

export interface Pair {
  cert: string;
  key: string;
  fingerprint: string;
  subject: string;
}

const validity = { from: new Date('2020-01-01'), to: new Date('2040-01-01') };

export interface Authority {
  cert: string;
  issue(commonName: string, when?: { from: Date; to: Date }): Pair;
}

export function authority(name: string): Authority {
  const subject = { commonName: name, organization: 'TEST' };
  const own = issueCertificate(subject, validity);
  return {
    cert: own.certificate,
    issue: (commonName, when = validity) =>
      pairOf(issueCertificate({ commonName, organization: 'TEST' }, when, { ...own, subject })),
  };
}

export function signedByItself(commonName: string): Pair {
  return pairOf(issueCertificate({ commonName, organization: 'TEST' }, validity));
}

function pairOf({ certificate, privateKey }: KeyAndCertificate): Pair {
  return { cert: certificate, key: privateKey, ...certificateNames(new X509Certificate(certificate)) };
}
