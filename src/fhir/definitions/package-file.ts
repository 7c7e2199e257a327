/**
 * A package of definitions in one file, read a line at a time: the first line says where each definition is, so that a server reads
 * no profile that nobody uses.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { StructureDefinition } from '@medplum/fhirtypes';
import type { ValueSetCodes } from './structure-file.ts';

/** Codes of a value set by code system, see structure-file.ts. */
export interface PackagedValueSet {
  resourceType: 'ValueSet';
  url: string;
  codes: ValueSetCodes;
}

export interface PackageHeader {
  /** Where the definitions come from and under which licence. */
  notice: string;
  /** By URL: first octet after the header line, and number of octets. */
  index: Record<string, [start: number, length: number]>;
}

export interface DefinitionPackage {
  header(): PackageHeader;
  /** A definition by URL; read from the file each time. */
  read(url: string): StructureDefinition | PackagedValueSet | undefined;
}

/** The text of a package file. */
export function packageText(notice: string, definitions: readonly (StructureDefinition | PackagedValueSet)[]): string {
  const index: PackageHeader['index'] = {};
  let start = 0;
  const lines = definitions.map((definition) => {
    const line = JSON.stringify(definition);
    const length = Buffer.byteLength(line);
    index[definition.url!] = [start, length];
    start += length + 1;
    return line;
  });
  return `${[JSON.stringify({ notice, index }), ...lines].join('\n')}\n`;
}

/** Opens nothing before something is asked for. */
export function definitionPackage(file: URL | string): DefinitionPackage {
  let header: (PackageHeader & { length: number }) | undefined;
  const known = () => {
    header ??= readHeader(file);
    return header;
  };
  return {
    header: known,
    read(url) {
      const { index, length } = known();
      const place = Object.hasOwn(index, url) ? index[url] : undefined;
      if (!place) return undefined;
      return JSON.parse(readAt(file, length + place[0], place[1]).toString('utf8')) as
        | StructureDefinition
        | PackagedValueSet;
    },
  };
}

const headerChunk = 65_536;

function readHeader(file: URL | string): PackageHeader & { length: number } {
  let text = Buffer.alloc(0);
  for (;;) {
    const more = readAt(file, text.length, headerChunk);
    const end = more.indexOf(0x0a);
    if (end === -1 && more.length < headerChunk) throw new Error(`${String(file)} is no package of definitions`);
    text = Buffer.concat([text, end === -1 ? more : more.subarray(0, end)]);
    if (end !== -1) return { ...(JSON.parse(text.toString('utf8')) as PackageHeader), length: text.length + 1 };
  }
}

function readAt(file: URL | string, position: number, length: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(length);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, length, position));
  } finally {
    closeSync(descriptor);
  }
}
