/**
 * The keys that sign the audit trail: Ed25519 (RFC 8032), kept where the database's superuser does not reach. One private key signs; the
 * public ones of all there ever were stay in a folder, so that what they signed can be proven after a rotation.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Config, ConfigError, dataFolder } from '../../../config/index.ts';
import type { Digest } from './seal.ts';

export interface AuditKeys {
  /** The key that signs now; another server or a rotation may have changed it since. Made when there is none yet. */
  current(): Promise<AuditSigner>;
  /** Every public key known here, by id: those that are believed. */
  trusted(): Promise<ReadonlyMap<string, KeyObject>>;
  /** Makes another key the one that signs. @returns the ids. @throws Error when the key's file is the operator's own (AUDIT_KEY_FILE). */
  rotate(): Promise<{ before: string; after: string }>;
}

export interface AuditSigner {
  id: string;
  sign(digest: Digest): string;
}

export interface AuditKeyFiles {
  /** PKCS#8 PEM. */
  privateKey: string;
  /** Folder of the public ones, SPKI PEM. */
  publicKeys: string;
  /** Made and replaced by the operator, not by us. */
  isOperators: boolean;
}

/** Where a configuration keeps its keys. */
export function auditKeyFiles(config: Pick<Config, 'dataDir' | 'audit'>): AuditKeyFiles {
  const folder = dataFolder(config as Config, 'keys');
  return {
    privateKey: config.audit.keyFile ?? join(folder, 'audit.pem'),
    publicKeys: join(folder, 'audit-public'),
    isOperators: config.audit.keyFile !== undefined,
  };
}

/** Where the heads of the chains are told, outside the database. */
export function auditAnchorsFolder(config: Pick<Config, 'dataDir'>): string {
  return join(config.dataDir, 'audit', 'anchors');
}

export function openAuditKeys(files: AuditKeyFiles): AuditKeys {
  let known: { modifiedMs: number; signer: AuditSigner } | undefined;

  async function current(): Promise<AuditSigner> {
    const modifiedMs = await modified(files.privateKey);
    if (modifiedMs !== undefined && known?.modifiedMs === modifiedMs) return known.signer;
    if (modifiedMs === undefined) await makeFirst();
    const privateKey = createPrivateKey(await readFile(files.privateKey, 'utf8'));
    if (privateKey.asymmetricKeyType !== 'ed25519')
      throw new ConfigError(
        'La clé de la trace d’audit n’est pas une clé Ed25519 : openssl genpkey -algorithm ed25519 en fait une.',
      );
    const publicKey = createPublicKey(privateKey);
    const id = keyId(publicKey);
    await publish(id, publicKey);
    const signer: AuditSigner = {
      id,
      sign: (digest) => sign(null, Buffer.from(digest, 'base64url'), privateKey).toString('base64url'),
    };
    known = { modifiedMs: (await modified(files.privateKey)) ?? 0, signer };
    return signer;
  }

  /** Two processes may start at once: the file of the first one stays. */
  async function makeFirst(): Promise<void> {
    if (files.isOperators) throw new ConfigError('AUDIT_KEY_FILE ne nomme pas un fichier lisible.');
    await mkdir(dirname(files.privateKey), { recursive: true, mode: 0o700 });
    const written = await writePrivate(files.privateKey);
    await link(written, files.privateKey).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await rm(written);
  }

  async function publish(id: string, publicKey: KeyObject): Promise<void> {
    const path = join(files.publicKeys, `${id}.pem`);
    if ((await modified(path)) !== undefined) return;
    await mkdir(files.publicKeys, { recursive: true, mode: 0o755 });
    const written = `${path}.${process.pid}.new`;
    await writeDurably(written, publicKey.export({ type: 'spki', format: 'pem' }).toString(), 0o644);
    await rename(written, path);
  }

  return {
    current,
    async trusted() {
      await current();
      return readPublicKeys(files.publicKeys);
    },
    async rotate() {
      if (files.isOperators) throw new ConfigError('La clé de AUDIT_KEY_FILE se change en remplaçant ce fichier.');
      const before = (await current()).id;
      await rename(await writePrivate(files.privateKey), files.privateKey);
      known = undefined;
      return { before, after: (await current()).id };
    },
  };
}

/** Public keys of a folder, by id. Empty when there is no such folder. */
export async function readPublicKeys(folder: string): Promise<ReadonlyMap<string, KeyObject>> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const keys = new Map<string, KeyObject>();
  for (const name of names) {
    if (!name.endsWith('.pem')) continue;
    const key = createPublicKey(await readFile(join(folder, name), 'utf8'));
    keys.set(keyId(key), key);
  }
  return keys;
}

export function isSignedBy(key: KeyObject, digest: Digest, signature: string): boolean {
  return verify(null, Buffer.from(digest, 'base64url'), key, Buffer.from(signature, 'base64url'));
}

/** First 16 hexadecimal digits of the SHA-256 of the key (SPKI, DER). */
function keyId(publicKey: KeyObject): string {
  return hash('sha256', publicKey.export({ type: 'spki', format: 'der' })).slice(0, 16);
}

/** A new private key beside `path`. */
async function writePrivate(path: string): Promise<string> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const written = `${path}.${process.pid}.new`;
  await writeDurably(written, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
  return written;
}

async function writeDurably(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'w', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function modified(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );
}
