/** Rows in the binary format of COPY (https://www.postgresql.org/docs/current/sql-copy.html): a million rows without parsing text. */
import { Buffer } from 'node:buffer';

/** Microseconds between 1970 and PostgreSQL's year 2000. */
const epochMicroseconds = 946_684_800_000_000n;
const minusInfinity = -(2n ** 63n);

/** Before the first row. */
export const copyHeader = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** After the last one. */
export const copyTrailer = Buffer.from([0xff, 0xff]);

/** One row of fields already in binary form. */
export function copyRow(fields: readonly Buffer[]): Buffer {
  const size = fields.reduce((total, field) => total + 4 + field.length, 2);
  const row = Buffer.allocUnsafe(size);
  let at = row.writeInt16BE(fields.length, 0);
  for (const field of fields) {
    at = row.writeInt32BE(field.length, at);
    at += field.copy(row, at);
  }
  return row;
}

export const text = (value: string): Buffer => Buffer.from(value);
export const boolean = (value: boolean): Buffer => Buffer.from([value ? 1 : 0]);

export function int4(value: number): Buffer {
  const field = Buffer.allocUnsafe(4);
  field.writeInt32BE(value);
  return field;
}

export function int8(value: bigint): Buffer {
  const field = Buffer.allocUnsafe(8);
  field.writeBigInt64BE(value);
  return field;
}

export function float8(value: number): Buffer {
  const field = Buffer.allocUnsafe(8);
  field.writeDoubleBE(value);
  return field;
}

/** ISO 8601 with milliseconds, or `-infinity`. */
export function timestamptz(value: string): Buffer {
  if (value === '-infinity') return int8(minusInfinity);
  return int8(BigInt(Date.parse(value)) * 1000n - epochMicroseconds);
}
