/**
 * The server's certificate and key, read again when their files change or when somebody asks (SIGHUP): certificates live for weeks,
 * servers for months. Files that do not belong together change nothing: the old pair serves on, and the log says why.
 */
import { X509Certificate } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext, rootCertificates, type SecureContextOptions } from 'node:tls';
import { tlsProtocol } from './protocol.ts';

export interface TlsFiles {
  /** PEM, the server's certificate first, then those that signed it. */
  cert: string;
  /** PEM. */
  key: string;
  /** PEM of who signs the certificates of clients. */
  clientCa?: string;
}

interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** A server whose certificate can be changed while it serves: `https.Server`, `tls.Server`. */
interface Renewable {
  setSecureContext(options: SecureContextOptions): void;
}

export interface ServerTls {
  /** What a server is made with, as the files are now. */
  options(): SecureContextOptions;
  /** What we show and whom we trust where we are the client: the public authorities, and those of our clients. */
  outgoing(): SecureContextOptions;
  /** From now on the server gets every new certificate; connections that are open keep theirs. */
  follow(server: Renewable): void;
  /** Looks after the files until `close`, and says what became of them. */
  watch(log: Log): void;
  /** Reads the files again. Never rejects: what is wrong with them is in the log. */
  reload(): Promise<void>;
  close(): void;
}

/** Renewals are announced weeks before: nobody waits for these seconds. */
const lookEveryMs = 10_000;
const warnDays = 21;

/** @throws when the files cannot be read or do not belong together: a server does not start on those. */
export async function openServerTls(
  files: TlsFiles,
  { now, everyMs = lookEveryMs }: { now: () => Date; everyMs?: number },
): Promise<ServerTls> {
  const paths = [files.cert, files.key, ...(files.clientCa ? [files.clientCa] : [])];
  const servers = new Set<Renewable>();
  let current = await read(files);
  let log: Log | undefined;

  function warnAboutEnd(cert: Buffer): void {
    const { validTo } = new X509Certificate(cert);
    const days = Math.floor((Date.parse(validTo) - now().getTime()) / 86_400_000);
    if (days < warnDays) log?.warn({ days, until: validTo }, 'the certificate of the server ends soon, or has ended');
  }

  let reading: Promise<void> = Promise.resolve();
  function reload(): Promise<void> {
    reading = reading.then(async () => {
      try {
        const next = await read(files);
        if (isSame(next, current)) return;
        current = next;
        for (const server of servers) server.setSecureContext({ ...next, ...tlsProtocol });
        log?.info({}, 'the certificate of the server was replaced');
        warnAboutEnd(next.cert);
      } catch (error) {
        const { code, name } = error as NodeJS.ErrnoException;
        log?.error({ error: code ?? name }, 'the new certificate or key cannot be used: the old one serves on');
      }
    });
    return reading;
  }

  const changed = () => void reload();

  return {
    options: () => ({ ...current, ...tlsProtocol }),
    outgoing: () => ({
      ...{ cert: current.cert, key: current.key, minVersion: tlsProtocol.minVersion, ciphers: tlsProtocol.ciphers },
      ...(current.ca ? { ca: [...rootCertificates, current.ca] } : {}),
    }),
    follow: (server) => void servers.add(server),
    watch(to) {
      log = to;
      warnAboutEnd(current.cert);
      for (const path of paths) watchFile(path, { persistent: false, interval: everyMs }, changed);
    },
    reload,
    close() {
      for (const path of paths) unwatchFile(path, changed);
    },
  };
}

interface Material {
  cert: Buffer;
  key: Buffer;
  ca?: Buffer;
}

async function read({ cert, key, clientCa }: TlsFiles): Promise<Material> {
  const material = {
    cert: await readFile(cert),
    key: await readFile(key),
    ...(clientCa ? { ca: await readFile(clientCa) } : {}),
  };
  createSecureContext(material);
  return material;
}

function isSame(one: Material, other: Material): boolean {
  return one.cert.equals(other.cert) && one.key.equals(other.key) && (one.ca?.equals(other.ca!) ?? true);
}
