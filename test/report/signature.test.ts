import { X509Certificate } from 'node:crypto';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Signer } from '../../src/report/contract.ts';
import { createReportRoom, openKeystore, SigningRefused, verifyPdfSignature } from '../../src/report/index.ts';
import { issueCertificate } from '../../src/report/signature/issue.ts';
import { signPdf } from '../../src/report/signature/pades.ts';
import { sampleInput, sampleRadiologist } from './sample.ts';
import { keystoreStart, sampleSigner } from './signer.ts';
import { hasTool, run, scratchFolder } from './tools.ts';

const room = createReportRoom();
let signer: Signer;
let pdf: Buffer;

beforeAll(async () => {
  signer = await sampleSigner();
  pdf = (await room.build(sampleInput(), signer)).pdf;
});

test('one signature covers every byte of the file but its own', () => {
  const check = verifyPdfSignature(pdf);
  expect(check).toMatchObject({ valid: true, coversWholeFile: true });
  expect(check.signer?.subject).toContain('99700990031');
  expect(check.chain).toHaveLength(1);
  expect(check.signer?.verify(check.chain[0]!.publicKey)).toBe(true);
});

test('the signed attributes are those of a baseline B signature, without signing-time', () => {
  expect(verifyPdfSignature(pdf).attributes.toSorted()).toEqual([
    'contentType',
    'messageDigest',
    'signingCertificateV2',
  ]);
  expect(pdf.toString('latin1')).toContain("/M (D:20260512145841+02'00')");
  expect(pdf.toString('latin1').match(/\/SubFilter \/ETSI\.CAdES\.detached/g)).toHaveLength(1);
});

test('one flipped byte anywhere breaks the signature', () => {
  const step = Math.floor(pdf.length / 97);
  const range = /\/ByteRange \[0 (\d+) (\d+) /.exec(pdf.toString('latin1'))!.slice(1).map(Number) as [number, number];
  for (let index = 0; index < pdf.length; index += step) {
    if (index >= range[0] && index < range[1]) continue;
    const changed = Buffer.from(pdf);
    changed[index]! ^= 1;
    expect(verifyPdfSignature(changed).valid).toBe(false);
  }
});

test('anything appended after the signature is reported', () => {
  expect(verifyPdfSignature(Buffer.concat([pdf, Buffer.from('\n%more')]))).toMatchObject({ coversWholeFile: false });
});

test('a certificate is refused before signing when expired, not yet valid, made for something else or not of this key', async () => {
  const at = new Date('2026-05-12T00:00:00Z');
  const authority = issueCertificate({ commonName: 'A', organization: 'O' }, { from: at, to: new Date('2030-01-01') });
  const other = issueCertificate(
    { commonName: 'B', organization: 'O' },
    { from: at, to: new Date('2027-01-01') },
    { ...authority, subject: { commonName: 'A', organization: 'O' } },
  );
  const refusal = (change: Partial<Signer>, when: Date) => {
    try {
      signPdf(pdf, { ...signer, ...change }, when);
    } catch (error) {
      return error instanceof SigningRefused ? error.code : String(error);
    }
    return 'signed';
  };
  expect(refusal({}, new Date('2040-01-01'))).toBe('expired');
  expect(refusal({}, new Date('2020-01-01'))).toBe('not-yet-valid');
  expect(refusal(authority, new Date('2026-06-01'))).toBe('key-usage');
  expect(refusal({ certificate: other.certificate }, new Date('2026-06-01'))).toBe('key-mismatch');
  await expect(room.build(sampleInput({ signedAt: new Date('2040-01-01') }), signer)).rejects.toThrow(SigningRefused);
});

test('a chain too long for the reserved room is refused, never cut', () => {
  const unsigned = Buffer.from(
    pdf.toString('latin1').replace(/\/ByteRange \[[^\]]*\]( *)/, '/ByteRange [0 /********** /********** /**********]'),
    'latin1',
  );
  expect(() => signPdf(unsigned, { ...signer, chain: Array(40).fill(signer.certificate) }, keystoreStart)).toThrow(
    SigningRefused,
  );
});

describe('keystore', () => {
  test('keeps keys to itself and gives the same certificate after a restart', async () => {
    const folder = scratchFolder();
    const clock = { now: () => keystoreStart };
    const first = await (await openKeystore(folder, clock)).signerFor(sampleRadiologist());
    const again = await (await openKeystore(folder, clock)).signerFor(sampleRadiologist());
    expect(again).toEqual(first);
    for (const file of readdirSync(folder).filter((each) => each.endsWith('.pem'))) {
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
    }
  });

  test('makes one certificate however many signatures start at once', async () => {
    const keystore = await openKeystore(scratchFolder(), { now: () => keystoreStart });
    const all = await Promise.all(Array.from({ length: 8 }, () => keystore.signerFor(sampleRadiologist())));
    expect(new Set(all.map((each) => each.certificate)).size).toBe(1);
  });

  test('renews a certificate before it expires, and its authority before that', async () => {
    let now = keystoreStart;
    const keystore = await openKeystore(scratchFolder(), { now: () => now });
    const seen = new Set<string>();
    for (let month = 0; month < 130; month += 1) {
      now = new Date(keystoreStart.getTime() + month * 30 * 86_400_000);
      const { certificate, chain } = await keystore.signerFor(sampleRadiologist());
      const parsed = new X509Certificate(certificate);
      const authority = new X509Certificate(chain[0]!);
      expect(parsed.validToDate.getTime() - now.getTime()).toBeGreaterThanOrEqual(30 * 86_400_000);
      expect(authority.validToDate >= parsed.validToDate).toBe(true);
      expect(parsed.verify(authority.publicKey)).toBe(true);
      seen.add(certificate);
    }
    expect(seen.size).toBeGreaterThan(4);
  });

  test('refuses a practitioner without RPPS', async () => {
    const keystore = await openKeystore(scratchFolder(), { now: () => keystoreStart });
    await expect(keystore.signerFor({ resourceType: 'Practitioner' })).rejects.toThrow('RPPS');
  });
});

describe.skipIf(!hasTool('pdfsig'))('judged by pdfsig (skipped where poppler-utils is absent)', () => {
  test('valid, whole document signed; invalid after one flipped byte', () => {
    const file = join(scratchFolder(), 'report.pdf');
    writeFileSync(file, pdf);
    const verdict = run('pdfsig', [file]);
    expect(verdict).toContain('Signature is Valid');
    expect(verdict).toContain('Total document signed');
    expect(verdict).toContain('ETSI.CAdES.detached');
    expect(verdict.match(/Signature #/g)).toHaveLength(1);
    const changed = Buffer.from(pdf);
    changed[changed.indexOf('<xmp:CreatorTool>') + 20]! ^= 1;
    writeFileSync(file, changed);
    expect(run('pdfsig', ['-nocert', file])).not.toContain('Signature is Valid');
  });
});

describe.skipIf(!hasTool('openssl'))('judged by openssl (skipped where it is absent)', () => {
  test('the CMS verifies against the signed ranges under the demonstration authority', () => {
    const folder = scratchFolder();
    const [before, from] = /\/ByteRange \[0 (\d+) (\d+) /.exec(pdf.toString('latin1'))!.slice(1).map(Number) as [
      number,
      number,
    ];
    const hex = pdf.toString('latin1', before + 1, from - 1);
    writeFileSync(
      join(folder, 'cms.der'),
      Buffer.from(
        hex.replace(/0+$/, (zeros) => zeros.slice(0, (hex.length - zeros.length) % 2)),
        'hex',
      ),
    );
    writeFileSync(join(folder, 'content'), Buffer.concat([pdf.subarray(0, before), pdf.subarray(from)]));
    writeFileSync(join(folder, 'ca.pem'), signer.chain[0]!);
    const args = [
      'cms',
      '-verify',
      '-binary',
      '-inform',
      'DER',
      '-in',
      join(folder, 'cms.der'),
      '-content',
      join(folder, 'content'),
    ];
    const trust = [
      '-CAfile',
      join(folder, 'ca.pem'),
      '-purpose',
      'any',
      '-cades',
      '-attime',
      String(keystoreStart.getTime() / 1000),
    ];
    expect(() => run('openssl', [...args, ...trust, '-out', join(folder, 'out')])).not.toThrow();
    writeFileSync(join(folder, 'content'), 'other');
    expect(() => run('openssl', [...args, ...trust, '-out', join(folder, 'out')])).toThrow();
  });
});
