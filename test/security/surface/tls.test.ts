/** TLS as others see it, on real sockets: what is spoken, what is refused, and a certificate that changes while the server runs. */
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openServerTls } from '../../../src/access/index.ts';
import { openWholeServer, type WholeServer, writeCertificate } from './whole-server.ts';

let folder: string;
let paths: { cert: string; key: string };
let trusted: string;
let whole: WholeServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-tls-'));
  paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  trusted = await writeCertificate(paths);
  whole = await openWholeServer({
    ...{ TLS_CERT: paths.cert, TLS_KEY: paths.key, TLS_CLIENT_CERTIFICATES: 'optional' },
    ...{ MLLPS_PORT: '0', DIMSES_PORT: '0' },
  });
});
afterAll(async () => {
  await whole?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Session {
  protocol: string | null;
  cipher: string;
  serial: string;
}

function handshake(port: number, options: ConnectionOptions = {}): Promise<Session> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: trusted, ...options });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const serial = socket.getPeerX509Certificate()!.serialNumber;
      resolve({ protocol: socket.getProtocol(), cipher: socket.getCipher().standardName, serial });
      socket.end();
    });
  });
}

/** Makes a client of the past out of this one: the library itself refuses old versions and suites unless told otherwise. */
const past: Record<string, ConnectionOptions> = {
  'TLS 1.0': { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' },
  'TLS 1.1': { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
  'CBC with SHA-1': { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0' },
  'CBC with SHA-2': { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256' },
  'CCM with a short tag': { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0' },
};

const ports = () => ({
  HTTPS: whole.server.httpPort,
  MLLPS: whole.server.mllpsPort!,
  'DICOM TLS': whole.server.dimsesPort!,
});

it.each(Object.keys(past))('a client that only knows %s is refused, by HTTPS, MLLPS and DICOM TLS', async (name) => {
  // The same client gets through where nothing is forbidden: it is the server that refuses.
  const { cert, key } = await import('../../fhir/subscriptions/certificates.ts').then((made) =>
    made.selfSigned(['localhost']),
  );
  const lax = createServer({ cert, key, minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }).on(
    'tlsClientError',
    () => 0,
  );
  await new Promise<void>((resolve) => lax.listen(0, '127.0.0.1', resolve));
  const port = (lax.address() as { port: number }).port;
  await expect(handshake(port, { ...past[name], ca: cert })).resolves.toMatchObject({ cipher: expect.any(String) });
  lax.close();
  for (const port of Object.values(ports())) await expect(handshake(port, past[name])).rejects.toThrow();
});

it('TLS 1.3 is spoken, and TLS 1.2 with ephemeral keys and authenticated encryption', async () => {
  for (const port of Object.values(ports())) {
    expect((await handshake(port)).protocol).toBe('TLSv1.3');
    const old = await handshake(port, { maxVersion: 'TLSv1.2' });
    expect(old.protocol).toBe('TLSv1.2');
    expect(old.cipher).toMatch(/^TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384$/);
  }
});

it('a certificate that was replaced is served from then on, by HTTPS and MLLPS, without a restart', async () => {
  const before = await handshake(whole.server.httpPort);
  trusted = await writeCertificate(paths);
  await whole.server.reload();
  const expected = new X509Certificate(trusted).serialNumber;
  expect(expected).not.toBe(before.serial);
  for (const port of Object.values(ports())) {
    expect((await handshake(port)).serial).toBe(expected);
    // What the old context refused the new one refuses, too.
    await expect(handshake(port, past['TLS 1.1'])).rejects.toThrow();
  }
});

it('a key that does not belong to the certificate changes nothing', async () => {
  const stranger = join(folder, 'stranger.pem');
  await writeCertificate({ cert: stranger, key: paths.key });
  await whole.server.reload();
  expect((await handshake(whole.server.httpPort)).serial).toBe(new X509Certificate(trusted).serialNumber);
  await expect(openServerTls(paths, { now: () => new Date() })).rejects.toThrow();
});

it('files that change are noticed without being told', async () => {
  const watched = { cert: join(folder, 'watched.pem'), key: join(folder, 'watched-key.pem') };
  await writeCertificate(watched);
  const lines: string[] = [];
  const renewed = Promise.withResolvers<void>();
  const log = {
    info: (_details: object, message: string) => lines.push(message),
    warn: (_details: object, message: string) => lines.push(message),
    error: (_details: object, message: string) => lines.push(message),
  };
  const tls = await openServerTls(watched, { now: () => new Date('2049-12-20'), everyMs: 20 });
  tls.follow({ setSecureContext: () => renewed.resolve() });
  tls.watch(log);
  expect(lines).toEqual(['the certificate of the server ends soon, or has ended']);
  await writeCertificate(watched);
  await renewed.promise;
  tls.close();
  await writeFile(watched.cert, 'no certificate');
  await tls.reload();
  expect(lines.at(-1)).toBe('the new certificate or key cannot be used: the old one serves on');
});
