/**
 * Anchors: the head of each tenant's chain, told outside the database. A chain whose end was cut off is whole in itself; what was
 * anchored before is then missing. Each anchor is signed: it is the seal without its manifest.
 */
import { appendFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../../db/index.ts';
import type { Seal } from './seal.ts';

export type Anchor = Pick<Seal, 'tenant' | 'number' | 'digest' | 'sealedAt' | 'key' | 'signature'>;

interface Row {
  number: string;
  digest: string;
  sealed_at: Date;
  key: string;
  signature: string;
}

/** The last seal of a tenant; undefined when there is none. */
export async function headOf(database: Database, tenant: string): Promise<Anchor | undefined> {
  const { rows } = await database.query<Row>(
    tenant,
    'SELECT number, digest, sealed_at, key, signature FROM audit_seal WHERE tenant = $1 ORDER BY number DESC LIMIT 1',
    [tenant],
  );
  const [row] = rows;
  if (!row) return undefined;
  const { digest, key, signature } = row;
  return { tenant, number: Number(row.number), digest, sealedAt: row.sealed_at.toISOString(), key, signature };
}

/** Adds anchors to the file of the day, one JSON object a line. */
export async function writeAnchors(folder: string, anchors: readonly Anchor[], now: Date): Promise<void> {
  if (anchors.length === 0) return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const text = anchors.map((anchor) => `${JSON.stringify(anchor)}\n`).join('');
  await appendFile(join(folder, `${now.toISOString().slice(0, 10)}.ndjson`), text, { mode: 0o600, flush: true });
}

/**
 * Anchors kept in a folder about a tenant, by number. Empty when there is no such folder. A line cut by a crash is left out.
 * @param days of the last so many days there is a file of; all when absent.
 */
export async function readAnchors(folder: string, tenant: string, days?: number): Promise<Anchor[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const anchors: Anchor[] = [];
  const files = names.filter((file) => file.endsWith('.ndjson')).sort();
  for (const name of files.slice(days === undefined ? 0 : -days)) {
    for (const line of (await readFile(join(folder, name), 'utf8')).split('\n')) {
      const anchor = anchorIn(line);
      if (anchor?.tenant === tenant) anchors.push(anchor);
    }
  }
  return anchors.sort((a, b) => a.number - b.number);
}

function anchorIn(line: string): Anchor | undefined {
  try {
    const anchor: unknown = JSON.parse(line);
    return typeof anchor === 'object' && anchor !== null && 'digest' in anchor ? (anchor as Anchor) : undefined;
  } catch {
    return undefined;
  }
}
