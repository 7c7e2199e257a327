/**
 * Data handed over: a folder of NDJSON, DICOM and documents, each encrypted for whoever is to read it, with a manifest in clear that names
 * every file by its hash as it lies there and is signed: the folder is verified without the reader's key. What it was
 * made of is named by a digest, so that whoever destroys afterwards can prove that nothing came later.
 */
import { createHash, hash, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Binary, Resource } from '@medplum/fhirtypes';
import type { AuditKeys } from '../../access/index.ts';
import type { Database } from '../../db/index.ts';
import type { BlobStore } from '../../imaging/index.ts';
import { type HandedFile, inClear, openHandedOver, type Sealing } from '../../vault/index.ts';
import { CommandError } from '../command-error.ts';

export interface HandoverFile {
  name: string;
  bytes: number;
  /** Hexadecimal. */
  sha256: string;
}

export interface Handover {
  format: 1;
  tenant: string;
  /** Organization id, when it is of one establishment. */
  establishment?: string;
  /** Patient id, when it is of one patient. */
  patient?: string;
  at: string;
  /** Resources by type. */
  resources: Record<string, number>;
  images: number;
  documents: number;
  /** SHA-256 of the sorted lines `Type/id/version` of every resource in it. */
  listSha256: string;
  files: HandoverFile[];
}

const manifestFile = 'manifest.json';

export interface HandoverWriter {
  /** A line of `<folder>/<Type>.ndjson`. */
  line(folder: string, resource: { resourceType: string }, text: string): Promise<void>;
  /** Counted and listed. */
  resource(resource: Resource, text: string): Promise<void>;
  /** Every instance of a study, as received. */
  study(imagingStudyId: string): Promise<void>;
  finish(about: Pick<Handover, 'tenant' | 'establishment' | 'patient'>, at: Date): Promise<Handover>;
}

/** @throws Error when the folder is there and holds something. */
export async function openHandover(
  to: string,
  tenant: string,
  parts: { database: Database; blobs: BlobStore; keys: AuditKeys; sealing: Sealing },
): Promise<HandoverWriter> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  if ((await readdir(to)).length > 0) throw new CommandError(`${to} n’est pas vide : donnez un dossier neuf.`);
  const lines = new Map<string, HandedFile>();
  const list: string[] = [];
  const counts: Pick<Handover, 'resources' | 'images' | 'documents'> = { resources: {}, images: 0, documents: 0 };

  const create = async (name: string, sealing = parts.sealing) => {
    const path = join(to, `${name}${sealing.suffix}`);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return sealing.create(path);
  };

  const writer: HandoverWriter = {
    async line(folder, { resourceType }, text) {
      const name = join(folder, `${resourceType}.ndjson`);
      let file = lines.get(name);
      if (!file) {
        file = await create(name);
        lines.set(name, file);
      }
      await file.write(`${text}\n`);
    },
    async resource(resource, text) {
      const { resourceType, id } = resource;
      await writer.line('ressources', resource, text);
      list.push(listLine(resource));
      counts.resources[resourceType] = (counts.resources[resourceType] ?? 0) + 1;
      if (resourceType !== 'Binary') return;
      const { contentType, data } = resource as Binary;
      if (data === undefined) return;
      const file = await create(join('documents', `${id}.${endingOf(contentType)}`));
      await file.write(Buffer.from(data, 'base64')).finally(() => file.close());
      counts.documents++;
    },
    async study(imagingStudyId) {
      const { rows } = await parts.database.query<{ study_uid: string; sop_uid: string; blob: string; sha256: Buffer }>(
        tenant,
        `SELECT i.study_uid, i.sop_uid, i.blob, i.sha256
         FROM dicom_study s JOIN dicom_instance i ON i.tenant = s.tenant AND i.study_uid = s.study_uid AND i.lot = s.lot
         WHERE s.tenant = $1 AND s.imaging_study = $2 ORDER BY i.sop_uid`,
        [tenant, imagingStudyId],
      );
      for (const { study_uid: study, sop_uid: sop, blob, sha256 } of rows) {
        const source = await parts.blobs.read(tenant, blob);
        const file = await create(join('dicom', study, `${sop}.dcm`));
        const digest = createHash('sha256');
        try {
          const buffer = Buffer.alloc(1024 * 1024);
          for (let at = 0; at < source.size; ) {
            const { bytesRead } = await source.read(buffer, 0, buffer.length, at);
            digest.update(buffer.subarray(0, bytesRead));
            await file.write(buffer.subarray(0, bytesRead));
            at += bytesRead;
          }
        } finally {
          await Promise.all([source.close(), file.close()]);
        }
        if (!digest.digest().equals(sha256))
          throw new CommandError(
            `L’image gardée ${sop} n’est pas celle qui a été reçue : restaurez-la d’une sauvegarde.`,
          );
        counts.images++;
      }
    },
    async finish(about, at) {
      for (const file of lines.values()) await file.close();
      const handover: Handover = {
        format: 1,
        ...about,
        at: at.toISOString(),
        ...counts,
        listSha256: digestOf(list),
        files: await filesOf(to),
      };
      const text = JSON.stringify(handover);
      const signer = await parts.keys.current();
      const signed = { manifest: text, key: signer.id, signature: signer.sign(hash('sha256', text, 'base64url')) };
      const file = await create(manifestFile, inClear);
      await file.write(`${JSON.stringify(signed)}\n`).finally(() => file.close());
      return handover;
    },
  };
  return writer;
}

/** `Type/id/version` */
export function listLine({ resourceType, id, meta }: Resource): string {
  return `${resourceType}/${id}/${meta?.versionId ?? ''}`;
}

/** SHA-256 of lines, in the order of their code units. */
export function digestOf(lines: readonly string[]): string {
  const digest = createHash('sha256');
  for (const line of [...lines].sort()) digest.update(`${line}\n`);
  return digest.digest('hex');
}

/** Reads a folder again, byte for byte. @throws Error saying what does not hold. */
export async function verifyHandover(folder: string, keys: AuditKeys): Promise<Handover> {
  const { manifest, key, signature } = JSON.parse(await readFile(join(folder, manifestFile), 'utf8'));
  const publicKey = (await keys.trusted()).get(key);
  if (!publicKey) throw new CommandError(`Le manifeste est signé par ${key}, une clé inconnue ici.`);
  const digest = Buffer.from(hash('sha256', manifest, 'base64url'), 'base64url');
  if (!verify(null, digest, publicKey, Buffer.from(signature, 'base64url')))
    throw new CommandError('La signature du manifeste ne tient pas.');
  const handover = JSON.parse(manifest) as Handover;
  const found = new Map((await filesOf(folder)).map((file) => [file.name, file]));
  for (const file of handover.files) {
    if (found.get(file.name)?.sha256 !== file.sha256) throw new CommandError(`${file.name} manque ou a été modifié.`);
  }
  return handover;
}

/**
 * Decrypts a folder into another, file by file.
 * @param identity private key of the reader.
 * @returns how many files. @throws VaultError when one is not for this key.
 */
export async function openFolder(from: string, to: string, identity: string): Promise<number> {
  const sealed = (await filesOf(from)).filter(({ name }) => name.endsWith('.age'));
  for (const { name } of sealed) {
    const path = join(to, name.slice(0, -'.age'.length));
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await inClear.create(path);
    try {
      for await (const chunk of openHandedOver(join(from, name), identity)) await file.write(chunk);
    } finally {
      await file.close();
    }
  }
  return sealed.length;
}

async function filesOf(folder: string): Promise<HandoverFile[]> {
  const files: HandoverFile[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path).replaceAll('\\', '/');
    if (!entry.isFile() || name === manifestFile) continue;
    const digest = createHash('sha256');
    let bytes = 0;
    for await (const chunk of createReadStream(path)) {
      digest.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    files.push({ name, bytes, sha256: digest.digest('hex') });
  }
  return files.sort((one, other) => (one.name < other.name ? -1 : 1));
}

function endingOf(contentType: string): string {
  const [, subtype = ''] = /^[a-z]+\/(?:[a-z.]+\+)?([a-z0-9]{1,8})/.exec(contentType.toLowerCase()) ?? [];
  return subtype === '' || subtype === 'octet' ? 'bin' : subtype;
}
