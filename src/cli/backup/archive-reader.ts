/** Reads an archive from front to back; every entry is checked against its foot, all of them against the manifest. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { AuditKeys } from '../../access/index.ts';
import type { Vault } from '../../vault/index.ts';
import { CommandError } from '../command-error.ts';
import { archiveObject } from './archive-writer.ts';
import {
  type EntryFoot,
  type ManifestEntry,
  type SignedManifest,
  type VerifiedManifest,
  verifyManifest,
} from './manifest.ts';
import { type ArchiveRecord, decodeRecords, recordKind } from './records.ts';

/** Takes the data of an entry; it must read `data` to its end. */
export type EntryHandler = (entry: Pick<ManifestEntry, 'kind' | 'name'>, data: AsyncIterable<Buffer>) => Promise<void>;

/**
 * Reads a whole archive. What `handle` was given is proven only when this resolves: verify first, act in a second reading.
 * @throws VaultError, or Error saying what does not hold.
 */
export async function readArchive(
  vault: Vault,
  keys: AuditKeys,
  path: string,
  handle: EntryHandler = drain,
): Promise<VerifiedManifest> {
  // Its failure comes out of reading the last stream.
  const stream = pipeline(createReadStream(path), vault.opening(archiveObject), () => undefined);
  const records = decodeRecords(stream as AsyncIterable<Buffer>);
  const entries: ManifestEntry[] = [];
  let signed: SignedManifest | undefined;
  for (;;) {
    const { done, value: record } = await records.next();
    if (done) break;
    if (signed) throw malformed();
    if (record.kind === recordKind.manifest) {
      signed = JSON.parse(record.bytes.toString()) as SignedManifest;
      continue;
    }
    if (record.kind !== recordKind.head) throw malformed();
    const head = JSON.parse(record.bytes.toString()) as Pick<ManifestEntry, 'kind' | 'name'>;
    const reading = entryReader(records);
    await handle(head, reading.data());
    entries.push({ ...head, ...reading.foot() });
  }
  if (!signed) throw malformed();
  const verified = await verifyManifest(signed, keys);
  if (!isDeepStrictEqual(verified.manifest.entries, entries))
    throw new CommandError('La sauvegarde ne contient pas ce qu’elle annonce.');
  return verified;
}

function entryReader(records: AsyncGenerator<ArchiveRecord>) {
  const hash = createHash('sha256');
  let bytes = 0;
  let foot: EntryFoot | undefined;
  return {
    async *data(): AsyncGenerator<Buffer> {
      for (;;) {
        const { done, value: record } = await records.next();
        if (done) throw malformed();
        if (record.kind === recordKind.foot) {
          foot = JSON.parse(record.bytes.toString()) as EntryFoot;
          if (foot.bytes !== bytes || foot.sha256 !== hash.digest('hex')) throw malformed();
          return;
        }
        if (record.kind !== recordKind.data) throw malformed();
        hash.update(record.bytes);
        bytes += record.bytes.length;
        yield record.bytes;
      }
    },
    foot(): EntryFoot {
      if (!foot) throw new Error('an entry of the archive was not read to its end');
      return foot;
    },
  };
}

async function drain(_entry: unknown, data: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of data);
}

function malformed(): Error {
  return new CommandError('La sauvegarde est mal formée.');
}
