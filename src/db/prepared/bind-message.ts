/**
 * The message that gives a prepared statement its values (PostgreSQL 18, "Message Formats", Bind): text as UTF-8, Buffers as the binary
 * form of their type, results asked for as text.
 */

const bindCode = 0x42;
const firstSize = 64 * 1024;
/** Characters. */
const countedFrom = 16 * 1024;
/** A scratch that grew for one huge statement is not kept. */
const keptAtMost = 1024 * 1024;

/** Written here first: what a message takes is known only then, and its bytes are counted and written in one pass. */
let scratch = Buffer.allocUnsafe(firstSize);
let end = 0;

/**
 * The bytes of a Bind of the unnamed portal, and `after` them: further messages.
 * @param name of the statement. @param values arrays are written as PostgreSQL reads array literals, other objects as JSON. @throws RangeError beyond the 65,535 parameters that the protocol counts.
 */
export function bindMessage(name: string, values: readonly unknown[], after: Buffer): Buffer {
  const count = values.length;
  if (count > 65_535) throw new RangeError(`A statement takes 65,535 parameters, not ${count}`);
  end = 0;
  reserve(5 + 1 + 3 * name.length + 1 + 2 + 2 * count + 2);
  scratch[end++] = bindCode;
  end += 4;
  // The unnamed portal.
  scratch[end++] = 0;
  end += scratch.write(name, end);
  scratch[end++] = 0;
  end = scratch.writeUInt16BE(count, end);
  const formats = end;
  scratch.fill(0, formats, formats + 2 * count);
  end = scratch.writeUInt16BE(count, formats + 2 * count);
  for (let n = 0; n < count; n++) {
    const value = values[n];
    if (value instanceof Uint8Array) {
      scratch[formats + 2 * n + 1] = 1;
      addBytes(value);
    } else if (value === null || value === undefined) {
      reserve(4);
      end = scratch.writeInt32BE(-1, end);
    } else {
      addText(typeof value === 'string' ? value : textOf(value));
    }
  }
  reserve(4 + after.length);
  // Results: one format for all of them, text.
  end = scratch.writeUInt16BE(1, end);
  end = scratch.writeUInt16BE(0, end);
  scratch.writeInt32BE(end - 1, 1);
  end += after.copy(scratch, end);
  const message = Buffer.allocUnsafe(end);
  scratch.copy(message, 0, 0, end);
  if (scratch.length > keptAtMost) scratch = Buffer.allocUnsafe(firstSize);
  return message;
}

/** Room for so many more bytes. */
function reserve(bytes: number): void {
  if (scratch.length - end >= bytes) return;
  const larger = Buffer.allocUnsafe(2 * (end + bytes));
  scratch.copy(larger, 0, 0, end);
  scratch = larger;
}

function addBytes(bytes: Uint8Array): void {
  reserve(4 + bytes.length);
  end = scratch.writeInt32BE(bytes.length, end);
  scratch.set(bytes, end);
  end += bytes.length;
}

function addText(text: string): void {
  // A UTF-16 unit takes three bytes at most; a file in a resource is counted instead.
  reserve(4 + (text.length < countedFrom ? 3 * text.length : Buffer.byteLength(text)));
  const length = scratch.write(text, end + 4);
  scratch.writeInt32BE(length, end);
  end += 4 + length;
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return arrayLiteral(value);
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** PostgreSQL 18, "Array Input and Output Syntax": every element quoted, so that none is taken for NULL or a number of dimensions. */
function arrayLiteral(items: readonly unknown[]): string {
  return `{${items.map(elementOf).join(',')}}`;
}

function elementOf(item: unknown): string {
  if (item === null || item === undefined) return 'NULL';
  if (Array.isArray(item)) return arrayLiteral(item);
  if (typeof item === 'number') return String(item);
  const text = item instanceof Uint8Array ? `\\x${Buffer.from(item).toString('hex')}` : textOf(item);
  return /["\\]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}
