/**
 * Demonstration keystore: an authority made at first start and one certificate per practitioner. The files survive restarts;
 * certificates are renewed before they expire. A production signer comes from elsewhere and has the same shape.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { access, mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Practitioner } from '@medplum/fhirtypes';
import type { Clock } from '../../config/index.ts';
import type { Signer } from '../contract.ts';
import { professional, spokenName } from '../people.ts';
import { issueCertificate, type KeyAndCertificate, type Subject } from './issue.ts';

export interface Keystore {
  /** Certificate and key of a practitioner, made or renewed when needed. @throws Error when the practitioner has no RPPS */
  signerFor(practitioner: Practitioner): Promise<Signer>;
  /** Certificate and key of the platform itself, for what it certifies. */
  platformSigner(): Promise<Signer>;
}

const dayMs = 86_400_000;
const authorityDays = 3650;
const signerDays = 730;
/** A certificate with less than this left is replaced before it signs again. */
const renewalDays = 30;
/** Clocks of readers may be a little behind ours. */
const backdateDays = 1;

const organization = 'Passerelle (demonstration)';
const authoritySubject = { commonName: 'Passerelle demonstration CA', organization };

export async function openKeystore(folder: string, clock: Clock): Promise<Keystore> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  let authority = await current(folder, 'authority', clock.now(), () => authorityFrom(clock.now()));
  const known = new Map<string, KeyAndCertificate>();
  // One at a time: two signatures at once must not make two certificates, nor two authorities.
  let turn: Promise<unknown> = Promise.resolve();

  const obtain = async (name: string, subject: Subject): Promise<KeyAndCertificate> => {
    const now = clock.now();
    // The authority must outlive what it signs.
    if (expiresWithin(authority, now, signerDays)) {
      authority = await replace(folder, 'authority', authorityFrom(now));
    }
    return current(folder, name, now, () =>
      issueCertificate(subject, validity(now, signerDays), { ...authority, subject: authoritySubject }),
    );
  };

  const signer = async (name: string, subject: Subject): Promise<Signer> => {
    const usable = () => {
      const pair = known.get(name);
      const now = clock.now();
      return pair && !expiresWithin(pair, now, renewalDays) && !notYetValid(pair, now) ? pair : undefined;
    };
    const obtained = async () => {
      const pair = usable() ?? (await obtain(name, subject));
      known.set(name, pair);
      return pair;
    };
    const next = usable() ?? turn.then(obtained, obtained);
    if (next instanceof Promise) turn = next.catch(() => undefined);
    const { certificate, privateKey } = await next;
    return { certificate, privateKey, chain: [await issuerOf(folder, certificate, authority)] };
  };

  return {
    signerFor: async (practitioner) => {
      const { rpps, ...person } = professional(practitioner);
      if (!rpps) throw new Error('a practitioner without RPPS has no signing certificate');
      const commonName = spokenName({ ...person, rpps });
      return signer(`rpps-${rpps}`, { commonName, serialNumber: rpps, organization });
    },
    platformSigner: () => signer('platform', { commonName: 'Passerelle', organization }),
  };
}

function authorityFrom(now: Date): KeyAndCertificate {
  return issueCertificate(authoritySubject, validity(now, authorityDays));
}

function validity(now: Date, days: number): { from: Date; to: Date } {
  return { from: new Date(now.getTime() - backdateDays * dayMs), to: new Date(now.getTime() + days * dayMs) };
}

/** What the folder holds under this name if it can still be used, else a new one, stored. */
async function current(
  folder: string,
  name: string,
  now: Date,
  make: () => KeyAndCertificate,
): Promise<KeyAndCertificate> {
  const stored = await read(folder, name);
  if (stored && !expiresWithin(stored, now, renewalDays) && !notYetValid(stored, now)) return stored;
  return replace(folder, name, make());
}

async function read(folder: string, name: string): Promise<KeyAndCertificate | undefined> {
  const path = join(folder, `${name}.pem`);
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) return undefined;
  const text = await readFile(path, 'utf8');
  const privateKey = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/.exec(text)?.[0];
  const certificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text)?.[0];
  if (!privateKey || !certificate) throw new Error(`keystore file ${name}.pem is damaged`);
  return { privateKey, certificate };
}

/** Key and certificate in one file, renamed into place: a crash leaves the old pair or the new one, never half of each. */
async function replace(folder: string, name: string, pair: KeyAndCertificate): Promise<KeyAndCertificate> {
  await store(join(folder, `${name}.pem`), `${pair.privateKey}\n${pair.certificate}`, 0o600);
  if (name === 'authority') {
    // Every authority there ever was stays readable under its fingerprint: old certificates keep their chain.
    await store(join(folder, `authority-${fingerprint(pair.certificate)}.crt`), pair.certificate, 0o644);
  }
  return pair;
}

async function store(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  const file = await open(temporary, 'w', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** The authority that issued a certificate: the present one, or an earlier one kept in the folder. */
async function issuerOf(folder: string, certificate: string, authority: KeyAndCertificate): Promise<string> {
  const subject = new X509Certificate(certificate);
  if (subject.verify(new X509Certificate(authority.certificate).publicKey)) return authority.certificate;
  for (const file of await readdir(folder)) {
    if (!/^authority-[0-9a-f]+\.crt$/.test(file)) continue;
    const candidate = await readFile(join(folder, file), 'utf8');
    if (subject.verify(new X509Certificate(candidate).publicKey)) return candidate;
  }
  throw new Error('issuing authority of the signing certificate is missing from the keystore');
}

function fingerprint(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex').slice(0, 16);
}

function expiresWithin(pair: KeyAndCertificate, now: Date, days: number): boolean {
  return new X509Certificate(pair.certificate).validToDate.getTime() - now.getTime() < days * dayMs;
}

function notYetValid(pair: KeyAndCertificate, now: Date): boolean {
  return new X509Certificate(pair.certificate).validFromDate > now;
}
