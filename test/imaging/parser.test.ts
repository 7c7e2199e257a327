import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textDecoding } from '../../src/imaging/dicom/charset.ts';
import { DicomFailure } from '../../src/imaging/dicom/failure.ts';
import { frameLength, readFrame } from '../../src/imaging/dicom/frames.ts';
import { type ParsedInstance, parseInstance } from '../../src/imaging/dicom/instance.ts';
import { dateKey, foldedName, timeKey } from '../../src/imaging/dicom/matching-keys.ts';
import type { ReadableFile } from '../../src/vault/index.ts';
import { smallCt } from '../support/synthetic-ct.ts';
import { element, encapsulated, item, testFile, u16 } from './dicom-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-parser-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function parse(bytes: Buffer): Promise<{ parsed: ParsedInstance; frames: Buffer[] }> {
  const path = join(folder, `file-${process.hrtime.bigint()}`);
  await writeFile(path, bytes);
  const handle = await open(path, 'r');
  const file: ReadableFile = {
    size: bytes.length,
    read: (buffer, offset, length, position) => handle.read(buffer, offset, length, position),
    close: () => handle.close(),
  };
  try {
    const parsed = await parseInstance(file, Buffer.alloc(0), () => Promise.reject(new Error('not deflated')));
    const frames: Buffer[] = [];
    for (let number = 1; number <= (parsed.pixels?.frames ?? 0); number++) {
      const chunks: Buffer[] = [];
      if (parsed.pixels) for await (const chunk of readFrame(file, parsed.pixels, number)) chunks.push(chunk);
      frames.push(Buffer.concat(chunks));
      expect(frames.at(-1)?.length).toBe(parsed.pixels && frameLength(parsed.pixels, number));
    }
    return { parsed, frames };
  } finally {
    await file.close();
  }
}

const image = (rows: number, columns: number, bits: number, frames = 1, big = false) =>
  [
    [0x00280008, 'IS', String(frames)],
    [0x00280010, 'US', u16(rows, big)],
    [0x00280011, 'US', u16(columns, big)],
    [0x00280100, 'US', u16(bits, big)],
  ] as const;

describe('reading DICOM files', () => {
  it('refuses every truncation of a file, by name and without harm', async () => {
    const [file = Buffer.alloc(0)] = smallCt({ slices: 1, size: 8 });
    for (let length = 0; length < file.length; length += 7) {
      await expect(parse(file.subarray(0, length)), `${length} bytes`).rejects.toBeInstanceOf(DicomFailure);
    }
    expect((await parse(file)).parsed.studyUid).toBe('2.25.1001');
  });

  it('never fails otherwise than by a reason, whatever bytes are changed', async () => {
    const [file = Buffer.alloc(0)] = smallCt({ slices: 1, size: 8 });
    const changes = fc.array(
      fc.tuple(fc.integer({ min: 132, max: file.length - 1 }), fc.integer({ min: 0, max: 255 })),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    await fc.assert(
      fc.asyncProperty(changes, async (list) => {
        const damaged = Buffer.from(file);
        for (const [at, value] of list) damaged[at] = value;
        await parse(damaged).catch((error) => {
          // A syntax changed to "deflated" reaches the inflater of this test.
          if (!(error instanceof DicomFailure) && error.message !== 'not deflated') throw error;
        });
      }),
      { numRuns: 300 },
    );
  });

  it('reads sequences with and without lengths, private elements, and sequences hidden under UN', async () => {
    const inner = element(0x00400009, 'SH', 'STEP-1');
    const implicitInner = Buffer.concat([Buffer.from([0x08, 0x00, 0x50, 0x00, 4, 0, 0, 0]), Buffer.from('ACC1')]);
    const undefinedLength = Buffer.concat([
      element(0x00400275, 'SQ', Buffer.alloc(0), false, 0xffffffff),
      Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff]),
      inner,
      Buffer.from([0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0]),
      Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]),
    ]);
    const hidden = Buffer.concat([
      element(0x00431001, 'UN', Buffer.alloc(0), false, 0xffffffff),
      item(implicitInner),
      Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]),
    ]);
    const { parsed } = await parse(
      testFile({
        elements: [[0x00321064, 'SQ', item(element(0x00080100, 'SH', 'CODE'))]],
        tail: Buffer.concat([undefinedLength, element(0x00430010, 'LO', 'CREATOR'), hidden]),
      }),
    );
    expect(parsed.dataset).toMatchObject({
      '00321064': { vr: 'SQ', Value: [{ '00080100': { vr: 'SH', Value: ['CODE'] } }] },
      '00400275': { vr: 'SQ', Value: [{ '00400009': { vr: 'SH', Value: ['STEP-1'] } }] },
      '00430010': { vr: 'LO', Value: ['CREATOR'] },
      '00431001': { vr: 'SQ', Value: [{ '00080050': { vr: 'SH', Value: ['ACC1'] } }] },
    });
  });

  it('refuses an element that is there twice: which one would be the identity', async () => {
    await expect(parse(testFile({ tail: element(0x00100020, 'LO', 'OTHER') }))).rejects.toThrow(
      '(0010,0020) is there twice',
    );
  });

  it('swaps the words of big endian frames', async () => {
    const pixels = Buffer.from([0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08]);
    const file = testFile({
      transferSyntax: '1.2.840.10008.1.2.2',
      elements: image(2, 2, 16, 1, true),
      tail: element(0x7fe00010, 'OW', pixels, true),
    });
    expect((await parse(file)).frames.map((frame) => frame.toString('hex'))).toEqual(['0201040306050807']);
  });

  it('cuts single-bit frames that do not begin on a byte', async () => {
    // Three frames of 3 × 3 bits: 101010101, 111111111, 000000001 (first pixel first).
    const bits = '101010101111111111000000001'.padEnd(32, '0');
    const bytes = Buffer.from(
      (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt([...byte].reverse().join(''), 2)),
    );
    const { frames } = await parse(testFile({ elements: image(3, 3, 1, 3), tail: element(0x7fe00010, 'OB', bytes) }));
    const text = (frame: Buffer) =>
      [...frame].map((byte) => [...byte.toString(2).padStart(8, '0')].reverse().join('')).join('');
    expect(frames.map((frame) => text(frame).slice(0, 9))).toEqual(['101010101', '111111111', '000000001']);
    expect(frames.map((frame) => text(frame).slice(9))).toEqual(['0000000', '0000000', '0000000']);
  });

  const jpeg = (name: string) =>
    Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from(name.padEnd(12, '.'))]);
  const rest = (name: string) => Buffer.from(name.padEnd(16, '-'));

  it.each([
    ['one fragment per frame', [], [jpeg('a'), jpeg('b')], 2],
    ['an offset table', [0, 48], [rest('a1'), rest('a2'), rest('b1')], 2],
    ['codestreams that begin in some fragments', [], [jpeg('a'), rest('a'), jpeg('b'), rest('b'), rest('b')], 2],
    ['all fragments for the only frame', [0], [rest('a1'), rest('a2'), rest('a3')], 1],
  ])('puts fragments together by %s', async (_, table, fragments, count) => {
    const file = testFile({
      transferSyntax: '1.2.840.10008.1.2.4.50',
      elements: image(4, 4, 8, count),
      tail: encapsulated(table, fragments),
    });
    const { frames } = await parse(file);
    expect(frames).toHaveLength(count);
    expect(Buffer.concat(frames).equals(Buffer.concat(fragments))).toBe(true);
  });

  it('claims no more frames than the pixels hold', async () => {
    const file = testFile({ elements: image(4, 4, 8, 100_000), tail: element(0x7fe00010, 'OB', Buffer.alloc(40)) });
    expect((await parse(file)).parsed.pixels).toMatchObject({ frames: 2, claimed: 100_000 });
  });

  it('keeps large and binary values out of the JSON, with where they are', async () => {
    const file = testFile({
      elements: [[0x00420011, 'OB', Buffer.alloc(5000)]],
      tail: element(0x60003000, 'OW', Buffer.alloc(64)),
    });
    const { parsed } = await parse(file);
    expect(parsed.dataset['00420011']).toEqual({ vr: 'OB', BulkDataURI: 'bulkdata:00420011' });
    expect(parsed.dataset['60003000']).toEqual({ vr: 'OW', InlineBinary: Buffer.alloc(64).toString('base64') });
    expect(parsed.bulk).toMatchObject([{ path: '00420011', length: 5000 }]);
  });
});

describe('text and values', () => {
  it.each([
    [['ISO_IR 100'], Buffer.from('H\xc9L\xc8NE', 'latin1'), 'HÉLÈNE'],
    [['ISO-IR 100'], Buffer.from('\xe9', 'latin1'), 'é'],
    [['ISO_IR 100'], Buffer.from('DUPRÉ^ÉLÉA'), 'DUPRÉ^ÉLÉA'],
    [['ISO_IR 192'], Buffer.from('ZOÉ'), 'ZOÉ'],
    [['ISO_IR 192'], Buffer.from('ZO\xc9', 'latin1'), 'ZOÉ'],
    [[], Buffer.from('ZO\xc9', 'latin1'), 'ZOÉ'],
    [['ISO_IR 144'], Buffer.from('bbeed0', 'hex'), 'Люа'],
    [
      ['', 'ISO 2022 IR 87'],
      Buffer.from('Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B', 'latin1'),
      'Yamada^Tarou=山田^太郎',
    ],
    [
      ['', 'ISO 2022 IR 149'],
      Buffer.concat([Buffer.from('Hong^Gildong=\x1b$)C', 'latin1'), Buffer.from('fbf3', 'hex')]),
      'Hong^Gildong=洪',
    ],
    [['GB18030'], Buffer.from('cdf5', 'hex'), '王'],
  ])('decodes %j', (terms, bytes, text) => {
    expect(textDecoding(terms)(bytes)).toBe(text);
  });

  it('never fails to decode', () => {
    const terms = [
      'ISO_IR 192',
      'ISO_IR 100',
      'ISO 2022 IR 87',
      'ISO 2022 IR 159',
      'ISO 2022 IR 149',
      'ISO 2022 IR 58',
      'GB18030',
      'ISO_IR 13',
    ];
    fc.assert(
      fc.property(fc.subarray(terms), fc.uint8Array({ maxLength: 60 }), (chosen, bytes) => {
        expect(typeof textDecoding(chosen)(Buffer.from(bytes))).toBe('string');
      }),
    );
  });

  it('compares names, dates and times as people mean them', () => {
    expect(foldedName('Lefèvre^Zoé^^')).toBe('LEFEVRE^ZOE');
    expect([
      dateKey('20240229'),
      dateKey('1994.01.30'),
      dateKey('20230229'),
      dateKey('20261399'),
      dateKey(undefined),
    ]).toEqual(['20240229', '19940130', undefined, undefined, undefined]);
    expect([timeKey('1730'), timeKey('15:18:59'), timeKey('150423.5'), timeKey('20221209')]).toEqual([
      '173000.000000',
      '151859.000000',
      '150423.500000',
      undefined,
    ]);
  });
});
