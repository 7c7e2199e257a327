/** Proves an export of the trail by itself: no database, only the files and the public keys. */
import type { KeyObject } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beginning, type Fault, type Link, proveEvent, proveLink, proveRow } from '../chain/prove.ts';
import { rowsIn, type Seal } from '../chain/seal.ts';
import { exportFiles } from './write.ts';

export interface ExportProof {
  tenant: string;
  seals: number;
  rows: number;
  events: number;
  /** Link the first seal follows; taken for granted unless it is the beginning. */
  from: Link;
  head: Link;
  fault?: Fault;
}

interface ExportedRow {
  id: string;
  entries: string;
}

/** @param follows head of the export before, when there is one: the chain must go on from it. */
export async function verifyExport(
  folder: string,
  trusted: ReadonlyMap<string, KeyObject>,
  follows?: Link,
): Promise<ExportProof> {
  const rows = lines(join(folder, exportFiles.journal));
  const events = lines(join(folder, exportFiles.events));
  let proof: ExportProof | undefined;
  try {
    for await (const text of lines(join(folder, exportFiles.seals))) {
      const seal = JSON.parse(text) as Seal;
      proof ??= begin(seal, follows);
      const fault = proveLink(proof.head, seal, trusted) ?? (await contentFault(seal, rows, events, proof));
      if (fault) return { ...proof, fault };
      proof.head = { number: seal.number, digest: seal.digest };
      proof.seals++;
    }
    proof ??= { tenant: '', seals: 0, rows: 0, events: 0, from: follows ?? beginning, head: follows ?? beginning };
    const [row, event] = [await next(rows), await next(events)];
    if (row !== undefined)
      return { ...proof, fault: { kind: 'row-inserted', row: (JSON.parse(row) as ExportedRow).id } };
    if (event !== undefined) return { ...proof, fault: { kind: 'event-inserted', event: eventId(event) } };
    return proof;
  } finally {
    await rows.return(undefined);
    await events.return(undefined);
  }
}

function begin({ tenant, number, previous }: Seal, follows: Link | undefined): ExportProof {
  const from = follows ?? (number === 1 ? beginning : { number: number - 1, digest: previous });
  return { tenant, seals: 0, rows: 0, events: 0, from, head: from };
}

async function contentFault(
  { number, manifest }: Seal,
  rows: AsyncGenerator<string>,
  events: AsyncGenerator<string>,
  proof: ExportProof,
): Promise<Fault | undefined> {
  const sealed = rowsIn(manifest);
  for (const row of sealed) {
    const text = await next(rows);
    const exported = text === undefined ? undefined : (JSON.parse(text) as ExportedRow);
    // Lines go along with the seals: another id here means that one was taken out.
    const fault = proveRow(number, row, exported?.id === row.id ? exported.entries : undefined);
    if (fault) return fault;
    proof.rows++;
  }
  for (const row of sealed) {
    for (const event of row.events) {
      const content = await next(events);
      const isIt = content !== undefined && eventId(content) === event.id;
      const fault = proveEvent(number, row.id, event, isIt ? content : undefined);
      if (fault) return fault;
      proof.events++;
    }
  }
  return undefined;
}

function eventId(content: string): string {
  const { id } = JSON.parse(content) as { id?: string };
  return id ?? '';
}

async function* lines(path: string): AsyncGenerator<string> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY }))
    if (line !== '') yield line;
}

async function next(source: AsyncGenerator<string>): Promise<string | undefined> {
  const { value, done } = await source.next();
  return done ? undefined : value;
}
