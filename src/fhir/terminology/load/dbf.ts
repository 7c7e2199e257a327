/** dBase III tables, the form in which the Assurance maladie publishes the CCAM. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import iconv from 'iconv-lite';
import { LoadError } from './load-error.ts';

export interface DbfRow {
  /** Text of a field with the blanks that fill it; empty when there is no such field. */
  raw(name: string): string;
  /** The same without blanks around. */
  get(name: string): string;
  place: string;
}

/** Language drivers of the header: DOS Western Europe unless it says Windows. */
const windowsDrivers = new Set([0x03, 0x57, 0x58, 0x59]);
const headerSize = 32;

/** @throws LoadError for a file that is none, or is cut short. */
export async function readDbf(path: string): Promise<DbfRow[]> {
  const bytes = await readFile(path);
  const name = basename(path);
  if (bytes.length < headerSize) throw new LoadError('ce n’est pas une table dBase', name);
  const count = bytes.readUInt32LE(4);
  const dataStart = bytes.readUInt16LE(8);
  const width = bytes.readUInt16LE(10);
  const encoding = windowsDrivers.has(bytes[29]!) ? 'win1252' : 'cp850';
  const fields = new Map<string, { start: number; end: number }>();
  // Each record begins with a byte that says whether it was deleted.
  let start = 1;
  for (let at = headerSize; at + headerSize <= dataStart && bytes[at] !== 0x0d; at += headerSize) {
    const field = bytes.toString('latin1', at, at + 11).replace(/\0.*$/s, '');
    const length = bytes[at + 16]!;
    fields.set(field.toUpperCase(), { start, end: start + length });
    start += length;
  }
  if (fields.size === 0 || width < start) throw new LoadError('ce n’est pas une table dBase', name);
  if (bytes.length < dataStart + count * width) throw new LoadError(`finit avant ses ${count} enregistrements`, name);
  const rows: DbfRow[] = [];
  for (let n = 0; n < count; n++) {
    const record = bytes.subarray(dataStart + n * width, dataStart + (n + 1) * width);
    if (record[0] === 0x2a) continue;
    const raw = (field: string) => {
      const place = fields.get(field);
      return place ? iconv.decode(record.subarray(place.start, place.end), encoding) : '';
    };
    rows.push({ raw, get: (field) => raw(field).trim(), place: `${name}, enregistrement ${n + 1}` });
  }
  return rows;
}
