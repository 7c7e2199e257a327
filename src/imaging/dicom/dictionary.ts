/** PS3.6: data element tags, keywords and value representations, as scripts/generate-data-elements.ts took them from dcmjs. */
import { readFileSync } from 'node:fs';

/** One data element of the standard. */
export interface DictionaryEntry {
  /** 32-bit tag, group in the high half. */
  tag: number;
  /** Value representation; `xs` (US or SS) and `ox` (OB or OW) depend on other elements. */
  vr: string;
  keyword: string;
}

const file = new URL('./data-elements.generated.txt', import.meta.url);

const byTag: ReadonlyMap<number, DictionaryEntry> = new Map(
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [tagText = '', vr = '', keyword = ''] = line.split(' ');
      const tag = Number.parseInt(tagText, 16);
      return [tag, { tag, vr, keyword }] as const;
    }),
);

const byKeyword: ReadonlyMap<string, DictionaryEntry> = new Map(
  [...byTag.values()].map((entry) => [entry.keyword, entry] as const),
);

/** The standard's entry of a tag; repeating groups (50xx, 60xx) are found under their first group. */
export function entryOfTag(tag: number): DictionaryEntry | undefined {
  const found = byTag.get(tag);
  if (found) return found;
  const group = tag >>> 16;
  const base = group & 0xff00;
  if ((base === 0x6000 || base === 0x5000) && (group & 1) === 0) return byTag.get(base * 0x10000 + (tag & 0xffff));
  return undefined;
}

/** The standard's entry of a keyword such as `PatientName`. */
export function entryOfKeyword(keyword: string): DictionaryEntry | undefined {
  return byKeyword.get(keyword);
}

/** Value representation of an element whose encoding does not say it (implicit VR, PS3.5 §7.1.3). */
export function implicitVr(tag: number): string {
  const element = tag & 0xffff;
  const group = tag >>> 16;
  if (element === 0) return 'UL';
  if (group & 1) return element >= 0x10 && element <= 0xff ? 'LO' : 'UN';
  const vr = entryOfTag(tag)?.vr;
  if (vr === undefined || vr === 'na' || vr === 'up') return vr === 'up' ? 'UL' : 'UN';
  if (vr === 'ox' || vr === 'lt') return 'OW';
  return vr === 'xs' ? 'US' : vr;
}

/** `00100020`, as the DICOM JSON model writes a tag. */
export function tagText(tag: number): string {
  return tag.toString(16).toUpperCase().padStart(8, '0');
}

/** `(0010,0020)`, as people write a tag. */
export function tagForPeople(tag: number): string {
  const text = tagText(tag);
  return `(${text.slice(0, 4)},${text.slice(4)})`;
}
