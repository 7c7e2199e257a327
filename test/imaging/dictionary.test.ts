import { readFileSync } from 'node:fs';
import dcmjs from 'dcmjs/dictionary';
import { describe, expect, it } from 'vitest';
import { generateDataElements, output } from '../../scripts/generate-data-elements.ts';
import { entryOfKeyword, entryOfTag, implicitVr } from '../../src/imaging/dicom/dictionary.ts';

describe('the dictionary of data elements', () => {
  it('is what dcmjs says', () => {
    expect(generateDataElements() === readFileSync(output, 'utf8'), 'run node scripts/generate-data-elements.ts').toBe(
      true,
    );
    const entries = Object.values(dcmjs).filter(
      ({ tag, version }) => version === 'DICOM' && /^\([0-9A-F]{4},[0-9A-F]{4}\)$/i.test(tag),
    );
    expect(entries.length).toBeGreaterThan(4000);
    for (const { tag, vr, name } of entries) {
      const number = Number.parseInt(tag.slice(1, 5) + tag.slice(6, 10), 16);
      expect(entryOfTag(number)).toEqual({ tag: number, vr, keyword: name });
    }
  });

  it('finds elements by keyword, and repeating groups under their first', () => {
    expect(entryOfKeyword('PatientName')).toEqual({ tag: 0x00100010, vr: 'PN', keyword: 'PatientName' });
    expect(entryOfTag(0x60023000)?.keyword).toBe(entryOfTag(0x60003000)?.keyword);
    expect(entryOfTag(0x00091001)).toBeUndefined();
  });

  it('knows the value representation of what an implicit data set carries', () => {
    expect([0x00100010, 0x00280106, 0x7fe00010, 0x00090010, 0x00091001, 0x00080000].map(implicitVr)).toEqual([
      ...['PN', 'US', 'OW', 'LO', 'UN', 'UL'],
    ]);
  });
});
