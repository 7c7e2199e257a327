/**
 * Files that leave the house (SE-12): encrypted for whoever is to read them, in the age format (age-encryption.org/v1), which needs nothing of
 * ours to open. Our own master keys would be of no use to them.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { VaultError } from './vault-error.ts';

/** A file while it is written. */
export interface HandedFile {
  /** Waits for the disk: a study is never held in memory. */
  write(data: string | Uint8Array): Promise<void>;
  /** The file is whole and on the disk. */
  close(): Promise<void>;
}

/** How the files of one hand-over are written. */
export interface Sealing {
  /** What the names of its files end with. */
  suffix: '' | '.age';
  /** @throws Error EEXIST. */
  create(path: string): Promise<HandedFile>;
}

/** For a medium that is encrypted itself. */
export const inClear: Sealing = {
  suffix: '',
  async create(path) {
    const file = await createFile(path);
    return {
      write: (data) => file.appendFile(data),
      close: () => file.sync().finally(() => file.close()),
    };
  },
};

/**
 * @param recipients public keys, `age1…`.
 * @throws VaultError for one that is none, or when there is none.
 */
export async function sealedFor(recipients: readonly string[]): Promise<Sealing> {
  const { Encrypter } = await import('age-encryption');
  const encrypter = new Encrypter();
  if (recipients.length === 0) throw new VaultError('recipient', 'Personne pour qui chiffrer : donnez --for.');
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient.trim());
    } catch {
      throw new VaultError('recipient', `« ${recipient} » n’est pas la clé publique d’un destinataire (age1…).`);
    }
  }
  return {
    suffix: '.age',
    async create(path) {
      const file = await createFile(path);
      const through = new TransformStream<Uint8Array, Uint8Array>();
      const writer = through.writable.getWriter();
      const written = writeAll(file, await encrypter.encrypt(through.readable));
      // Told by write or close, whichever comes first.
      written.catch((error: unknown) => writer.abort(error).catch(() => undefined));
      return {
        write: (data) => writer.write(typeof data === 'string' ? Buffer.from(data) : new Uint8Array(data)),
        async close() {
          await writer.close();
          await written;
        },
      };
    },
  };
}

/**
 * Content of a file that was encrypted for this identity.
 * @param identity private key, `AGE-SECRET-KEY-…`.
 * @throws VaultError when it is for somebody else, or was changed.
 */
export async function* openHandedOver(path: string, identity: string): AsyncGenerator<Uint8Array> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity.trim());
  } catch {
    throw new VaultError('recipient', 'Ce n’est pas une clé privée (AGE-SECRET-KEY-…).');
  }
  const source = createReadStream(path);
  try {
    yield* await decrypter.decrypt(Readable.toWeb(source) as ReadableStream<Uint8Array>);
  } catch {
    throw new VaultError('recipient', `${path} n’est pas pour cette clé, ou a été modifié.`);
  } finally {
    source.destroy();
  }
}

async function writeAll(file: FileHandle, content: ReadableStream<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of content) await file.appendFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
}

function createFile(path: string): Promise<FileHandle> {
  return open(path, 'wx', 0o600);
}
