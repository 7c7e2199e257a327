/** INS datamatrix (ANS "Format datamatrix INS" 2.2): the string, its symbol, and a reader for what a scanner gives back. */

import type { PatientIdentity } from './identity.ts';
import { barcodes } from './libraries.ts';

const header = `IS01${'0'.repeat(22)}`;
/** ASCII group separator: ends a variable block that is shorter than its maximum and is not the last. */
const gs = '\u001d';

interface Block {
  id: string;
  /** Characters; a fixed block never takes a separator. */
  max: number;
  fixed: boolean;
}

const blocks: Record<string, Block> = {
  S1: { id: 'S1', max: 15, fixed: true },
  S2: { id: 'S2', max: 20, fixed: false },
  S3: { id: 'S3', max: 100, fixed: false },
  S4: { id: 'S4', max: 100, fixed: false },
  S5: { id: 'S5', max: 1, fixed: true },
  S6: { id: 'S6', max: 10, fixed: true },
  S7: { id: 'S7', max: 5, fixed: true },
};

export interface DatamatrixContent {
  matricule: string;
  oid: string;
  givenList: string;
  birthFamily: string;
  sex: string;
  /** `JJ-MM-AAAA`. */
  birthDate: string;
  birthPlaceCode?: string;
}

/** The string to encode for a qualified identity, `undefined` for any other: half an INS is never printed. */
export function insDatamatrixText(identity: PatientIdentity): string | undefined {
  if (!identity.ins || !identity.givenList || !identity.birthFamily || !identity.birthDate) return undefined;
  const [year, month, day] = identity.birthDate.split('-');
  return encodeInsDatamatrix({
    matricule: identity.ins.matricule,
    oid: identity.ins.oid,
    givenList: identity.givenList,
    birthFamily: identity.birthFamily,
    sex: identity.sex,
    birthDate: `${day}-${month}-${year}`,
    birthPlaceCode: identity.birthPlaceCode,
  });
}

/** Blocks in the order S1…S7 behind the fixed header; names are brought to the character set of the teleservice. */
export function encodeInsDatamatrix(content: DatamatrixContent): string {
  const values: [string, string | undefined][] = [
    ['S1', content.matricule],
    ['S2', content.oid],
    ['S3', teleserviceForm(content.givenList)],
    ['S4', teleserviceForm(content.birthFamily)],
    ['S5', content.sex],
    ['S6', content.birthDate],
    ['S7', content.birthPlaceCode],
  ];
  const present = values.filter((entry): entry is [string, string] => entry[1] !== undefined);
  return present.reduce((encoded, [id, whole], index) => {
    const block = blocks[id]!;
    const value = whole.slice(0, block.max);
    const open = !block.fixed && value.length < block.max && index < present.length - 1;
    return `${encoded}${id}${value}${open ? gs : ''}`;
  }, header);
}

/**
 * Reads the string back, blocks in any order and S7 optional. Scanners turn the separator into other characters or lose it: a
 * block of text also ends where `S` is followed by a digit, which no legal name contains.
 * @returns undefined when it is no INS datamatrix
 */
export function parseInsDatamatrix(scanned: string): DatamatrixContent | undefined {
  const text = scanned.replaceAll('<GS>', gs);
  if (!/^IS01.{22}/s.test(text)) return undefined;
  const found: Record<string, string> = {};
  let rest = text.slice(26);
  while (rest.length > 0) {
    const block = blocks[rest.slice(0, 2)];
    if (!block) return undefined;
    const value = block.fixed ? rest.slice(2, 2 + block.max) : variableValue(rest.slice(2), block);
    found[block.id] = value;
    rest = rest.slice(2 + value.length);
    if (!block.fixed) rest = rest.replace(/^[^A-Za-z0-9]+/, '');
  }
  const { S1, S2, S3, S4, S5, S6, S7 } = found;
  if (!S1 || !S2 || !S3 || !S4 || !S5 || !S6) return undefined;
  return { matricule: S1, oid: S2, givenList: S3, birthFamily: S4, sex: S5, birthDate: S6, birthPlaceCode: S7 };
}

/** Upper case, no diacritics, plain apostrophe, single spaces: A–Z, space, apostrophe, hyphen. */
export function teleserviceForm(name: string): string {
  return name
    .toUpperCase()
    .replaceAll('Œ', 'OE')
    .replaceAll('Æ', 'AE')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[’ʼ‘`´]/g, "'")
    .replace(/[^A-Z' -]/g, ' ')
    .replace(/ +/g, ' ')
    .replace(/^[ -]+|[ -]+$/g, '');
}

/** ECC 200 square symbol as rows of modules, true for dark, without quiet zone. */
export function datamatrixModules(text: string): boolean[][] {
  const bwip = barcodes();
  const options = { bcid: 'datamatrix', text, format: 'square' } as Parameters<typeof bwip.raw>[0];
  const [symbol] = bwip.raw(options);
  if (!symbol || !('pixs' in symbol)) throw new Error('datamatrix encoder gave no symbol');
  return Array.from({ length: symbol.pixy }, (_, row) =>
    symbol.pixs.slice(row * symbol.pixx, (row + 1) * symbol.pixx).map((module) => module === 1),
  );
}

function variableValue(rest: string, block: Block): string {
  if (block.id === 'S2') return /^[0-9.]*/.exec(rest)![0].slice(0, block.max);
  // Letters, spaces, apostrophes, hyphens; a separator turned into something else ends the value, and so does `S` + digit.
  const value = /^(?:(?!S[1-7])[A-Z' -])*/.exec(rest)![0];
  return value.slice(0, block.max);
}
