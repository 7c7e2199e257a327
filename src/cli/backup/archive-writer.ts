/** Writes an archive: sealed, flushed, under its name only when it is whole. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Vault } from '../../vault/index.ts';
import type { EntryFoot, ManifestEntry, SignedManifest } from './manifest.ts';
import { encodeRecord, type RecordKind, recordKind } from './records.ts';

/** Name archives are sealed under: they may be moved and renamed. */
export const archiveObject = 'backup';
const pieceBytes = 4 * 1024 * 1024;

export interface ArchiveWriter {
  /** One entry: `data` must give pieces; what comes back of `rows` goes into the foot. */
  entry(kind: ManifestEntry['kind'], name: string, data: AsyncIterable<Buffer>, rows?: () => number): Promise<void>;
  readonly entries: readonly ManifestEntry[];
  end(manifest: SignedManifest): Promise<void>;
  abandon(): Promise<void>;
}

export function openArchive(vault: Vault, path: string): ArchiveWriter {
  const sealing = vault.sealing(archiveObject);
  const written = pipeline(sealing, createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
  // Told by `put` and `end`; without a listener a full disk would end the process.
  written.catch(() => undefined);
  const entries: ManifestEntry[] = [];

  async function put(kind: RecordKind, bytes: Buffer): Promise<void> {
    for (const piece of encodeRecord(kind, bytes)) {
      if (!sealing.write(piece)) await Promise.race([once(sealing, 'drain'), written]);
    }
  }

  return {
    entries,
    async entry(kind, name, data, rows) {
      await put(recordKind.head, Buffer.from(JSON.stringify({ kind, name })));
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const chunk of data) {
        for (let at = 0; at < chunk.length; at += pieceBytes) {
          const piece = chunk.subarray(at, at + pieceBytes);
          hash.update(piece);
          bytes += piece.length;
          await put(recordKind.data, piece);
        }
      }
      const foot: EntryFoot = { bytes, sha256: hash.digest('hex'), ...(rows ? { rows: rows() } : {}) };
      await put(recordKind.foot, Buffer.from(JSON.stringify(foot)));
      entries.push({ kind, name, ...foot });
    },
    async end(manifest) {
      await put(recordKind.manifest, Buffer.from(JSON.stringify(manifest)));
      sealing.end();
      await written;
    },
    async abandon() {
      sealing.destroy();
      await written.catch(() => undefined);
    },
  };
}
