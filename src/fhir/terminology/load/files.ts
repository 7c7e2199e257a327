/** Files of terminologies: lines, tables with a header, and finding them in the folder they are published in. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LoadError } from './load-error.ts';

export type Encoding = 'utf-8' | 'windows-1252';

/** A line, and where it is: `Loinc.csv:17`. */
export interface Line {
  text: string;
  place: string;
}

/** Longest line: more is not a file of this kind. In UTF-16 units. */
const lineLimit = 4_000_000;

/** @throws LoadError for bytes that are not of the encoding. */
export async function* readLines(path: string, encoding: Encoding = 'utf-8'): AsyncGenerator<Line> {
  const name = basename(path);
  const decoder = new TextDecoder(encoding, { fatal: true });
  let rest = '';
  let number = 0;
  const line = (text: string): Line => ({
    text: text.endsWith('\r') ? text.slice(0, -1) : text,
    place: `${name}:${number}`,
  });
  const decode = (chunk?: Buffer) => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch {
      throw new LoadError(`ce n’est pas du ${encoding}`, `${name}, après la ligne ${number}`);
    }
  };
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const lines = (rest + decode(chunk as Buffer)).split('\n');
    rest = lines.pop()!;
    if (rest.length > lineLimit) throw new LoadError('une ligne sans fin', `${name}:${number + 1}`);
    for (const item of lines) {
      number++;
      yield line(item);
    }
  }
  rest += decode();
  if (rest !== '') {
    number++;
    yield line(rest);
  }
}

/** French files come in either: what is not UTF-8 is Windows-1252. */
export async function encodingOf(path: string): Promise<Encoding> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of createReadStream(path)) decoder.decode(chunk as Buffer, { stream: true });
    decoder.decode();
    return 'utf-8';
  } catch {
    return 'windows-1252';
  }
}

/** One row of a table by the names of its columns. */
export interface Row {
  get(column: string): string;
  place: string;
}

export interface TableFormat {
  /** Columns that must be there. */
  columns: readonly string[];
  separator: ',' | ';' | '\t';
  /** Fields in quotes may hold separators and line ends (RFC 4180); RF2 knows no quotes. */
  quotes: boolean;
  encoding?: Encoding;
}

/** @throws LoadError for a missing column or a row with another number of fields. */
export async function* readTable(path: string, format: TableFormat): AsyncGenerator<Row> {
  let indexes: Map<string, number> | undefined;
  let width = 0;
  for await (const { fields, place } of readRecords(path, format)) {
    if (!indexes) {
      width = fields.length;
      indexes = new Map(fields.map((name, index) => [name.replace(/^\uFEFF/, '').trim(), index]));
      const missing = format.columns.filter((column) => !indexes!.has(column));
      if (missing.length > 0) throw new LoadError(`il manque la colonne ${missing.join(', ')}`, place);
      continue;
    }
    if (fields.length === 1 && fields[0] === '') continue;
    if (fields.length !== width) throw new LoadError(`${fields.length} champs au lieu de ${width}`, place);
    const columns = indexes;
    yield {
      place,
      get(column) {
        const index = columns.get(column);
        return index === undefined ? '' : fields[index]!.trim();
      },
    };
  }
  if (!indexes) throw new LoadError('fichier vide', basename(path));
}

/** Fields of each record; the place is that of its first line. */
export async function* readRecords(
  path: string,
  { separator, quotes, encoding }: Pick<TableFormat, 'separator' | 'quotes' | 'encoding'>,
): AsyncGenerator<{ fields: string[]; place: string }> {
  let open: Line | undefined;
  for await (const line of readLines(path, encoding)) {
    if (!quotes) {
      yield { fields: line.text.split(separator), place: line.place };
      continue;
    }
    const record: Line = open ? { text: `${open.text}\n${line.text}`, place: open.place } : line;
    const fields = splitQuoted(record.text, separator);
    if (fields) {
      open = undefined;
      yield { fields, place: record.place };
    } else {
      open = record;
      if (record.text.length > lineLimit) throw new LoadError('un guillemet n’est jamais fermé', record.place);
    }
  }
  if (open) throw new LoadError('un guillemet n’est jamais fermé', open.place);
}

/** Undefined when a quote is still open at the end. */
export function splitQuoted(text: string, separator: string): string[] | undefined {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] !== '"') {
      const end = text.indexOf(separator, at);
      fields.push(end < 0 ? text.slice(at) : text.slice(at, end));
      if (end < 0) return fields;
      at = end + 1;
      continue;
    }
    let value = '';
    let from = at + 1;
    for (;;) {
      const quote = text.indexOf('"', from);
      if (quote < 0) return undefined;
      value += text.slice(from, quote);
      if (text[quote + 1] !== '"') {
        at = quote + 1;
        break;
      }
      value += '"';
      from = quote + 2;
    }
    const end = text.indexOf(separator, at);
    fields.push(value + (end < 0 ? text.slice(at) : text.slice(at, end)));
    if (end < 0) return fields;
    at = end + 1;
  }
}

/** Files of a folder and its subfolders whose names match, in order; the file itself when the path is one that matches. */
export async function findFiles(path: string, pattern: RegExp): Promise<string[]> {
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new LoadError(`${path} n’existe pas`);
  if (info.isFile()) return pattern.test(basename(path)) ? [path] : [];
  const names = await readdir(path, { recursive: true });
  return names
    .filter((name) => pattern.test(basename(name)))
    .sort()
    .map((name) => join(path, name));
}

/** The one file that is needed. @throws LoadError when there is none, or several. */
export async function oneFile(path: string, pattern: RegExp, what: string): Promise<string> {
  const found = await findFiles(path, pattern);
  if (found.length === 0) throw new LoadError(`${path} ne contient pas de ${what}`);
  if (found.length > 1) throw new LoadError(`${path} contient plusieurs fichiers ${what} : ${found.join(', ')}`);
  return found[0]!;
}
