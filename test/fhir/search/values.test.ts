import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { splitBars, splitValues, unescapeValue } from '../../../src/fhir/search/escapes.ts';
import { createKeyHasher } from '../../../src/fhir/search/keys.ts';
import { elementMeasures, parseNumber } from '../../../src/fhir/search/numbers.ts';
import { compilePath, createChoices } from '../../../src/fhir/search/path-compiler.ts';
import { PathSyntaxError, parsePath } from '../../../src/fhir/search/path-syntax.ts';
import { foldString } from '../../../src/fhir/search/strings.ts';
import { createUnits, literalUnit } from '../../../src/fhir/search/units.ts';
import { newId } from '../../../src/fhir/store/new-id.ts';
import { testDatabase } from '../../support/database.ts';

describe('keys', () => {
  let database: Database;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.close());

  it('arrive in PostgreSQL as the same numbers in binary and in decimal', async () => {
    const hasher = createKeyHasher();
    const texts = Array.from({ length: 200 }, (_, n) => `key ${n}`);
    const { rows } = await database.query<{ keys: string[] }>('aa', 'SELECT $1::bigint[]::text[] AS keys', [
      hasher.array(texts),
    ]);
    expect(rows[0]!.keys).toEqual(texts.map((text) => hasher.decimal(text)));
    const empty = await database.query<{ keys: string[] }>('aa', 'SELECT $1::bigint[]::text[] AS keys', [
      hasher.array([]),
    ]);
    expect(empty.rows[0]!.keys).toEqual([]);
  });

  it('are the same before and after the cache forgot them', () => {
    const hasher = createKeyHasher();
    const first = hasher.decimal('kept');
    for (let n = 0; n < 30_000; n++) hasher.decimal(`other ${n}`);
    expect(hasher.decimal('kept')).toBe(first);
    expect(createKeyHasher().decimal('kept')).toBe(first);
  });
});

describe('numbers', () => {
  it.each([
    ['100', 99.5, 100.5],
    ['100.00', 99.995, 100.005],
    ['1e2', 50, 150],
    ['1.00e2', 99.5, 100.5],
    ['-5.4', -5.45, -5.35],
  ])('%s stands for a range by its digits', (text, lo, hi) => {
    const { range } = parseNumber(text)!;
    expect(range.lo).toBeCloseTo(lo, 10);
    expect(range.hi).toBeCloseTo(hi, 10);
  });

  it.each(['', 'x', '1,5', '0x10', '1e9999', 'Infinity', ' 1'])('%j is none', (text) => {
    expect(parseNumber(text)).toBeUndefined();
  });

  it('always lie inside the range of their own digits', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), (number) => {
        const { value, range } = parseNumber(String(number))!;
        expect(value).toBe(number === 0 ? value : number);
        expect(range.lo <= value && value <= range.hi).toBe(true);
      }),
    );
  });

  it('of ranges, money and samples are measured, too', () => {
    const units = createUnits();
    const measures = (value: unknown) => elementMeasures(value, units);
    expect(measures({ low: { value: 1, unit: 'a' }, high: { value: 2, unit: 'a' } })).toEqual([
      { lo: 1, hi: 2 },
      { lo: 1, hi: 2, unit: literalUnit('a') },
    ]);
    expect(measures({ low: { value: 1 } })).toEqual([{ lo: 1, hi: Number.POSITIVE_INFINITY }]);
    expect(measures({ value: 12.5, currency: 'EUR' }).map(({ unit }) => unit)).toEqual([
      undefined,
      literalUnit('EUR', 'urn:iso:std:iso:4217'),
      literalUnit('EUR'),
    ]);
    expect(measures({ unit: 'kg' })).toEqual([]);
    expect(measures({ value: { rawJSON: '1.00' }, unit: 'kg' })).toMatchObject([
      { lo: 1, hi: 1 },
      { lo: 1, hi: 1 },
    ]);
    const samples = {
      origin: { value: 10, unit: 'mV' },
      period: 1,
      dimensions: 1,
      factor: 2,
      lowerLimit: -3,
      data: '1 E L 4',
    };
    expect(measures(samples)[0]).toEqual({ lo: 4, hi: 18 });
    expect(measures({ value: 5, comparator: '<' })[0]!.hi).toBeLessThan(5);
  });
});

describe('strings', () => {
  it.each([
    ['Éléonore  TEST-MOREAU', 'eleonore test moreau'],
    ...["'", '’', '‘', '\u02BC', '\u02BB', '\u02B9', '\u2032', '´', '`', '\uFF07'].map((mark): [string, string] => [
      `C${mark}hoarʼh`,
      'c hoar h',
    ]),
    ['Œuvre', 'oeuvre'],
    ['  ', ''],
    ['A\u0000B', 'a b'],
  ])('%j folds to %j', (text, folded) => {
    expect(foldString(text)).toBe(folded);
  });

  it('fold to the same when folded again, and never to more than can be indexed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), (text) => {
        const folded = foldString(text);
        expect(foldString(folded)).toBe(folded);
        expect(folded.length).toBeLessThanOrEqual(200);
      }),
    );
  });
});

describe('escapes', () => {
  it('keep what they protect in one piece', () => {
    expect(splitValues('a\\,b,c').map(unescapeValue)).toEqual(['a,b', 'c']);
    expect(splitBars('http://x|a\\|b')).toEqual(['http://x', 'a|b']);
    expect(unescapeValue('a\\\\b')).toBe('a\\b');
  });

  it('survive any text', () => {
    const escaped = (text: string) => text.replace(/[\\,|$]/g, '\\$&');
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (texts) => {
        expect(splitValues(texts.map(escaped).join(',')).map(unescapeValue)).toEqual(texts);
        expect(splitBars(texts.map(escaped).join('|'))).toEqual(texts);
      }),
    );
  });
});

describe('paths', () => {
  const choices = createChoices({});
  it('outside the compiled subset are named, so that the interpreter takes over', () => {
    for (const expression of [
      'Patient.name.trace()',
      'Patient.name + 1',
      'Patient.',
      '(Patient',
      'Patient.where(',
      'Practitioner.name',
    ]) {
      expect(() => compilePath(expression, 'Patient', choices)).toThrow(PathSyntaxError);
    }
  });

  it('of any text either parse or say that they do not', () => {
    const pieces = fc.constantFrom(
      'Patient',
      '.',
      'name',
      '(',
      ')',
      "'x'",
      '=',
      '|',
      'as',
      'is',
      'where',
      '[',
      '0',
      ']',
      ' ',
      '$this',
      'and',
      '!',
    );
    fc.assert(
      fc.property(fc.array(pieces), (parts) => {
        try {
          parsePath(parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(PathSyntaxError);
        }
      }),
    );
  });
});

it('ids are ordered by time and never the same', () => {
  const ids = Array.from({ length: 1000 }, (_, n) => newId(new Date(1_767_225_600_000 + n)));
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids.map((id) => id.slice(15))).size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
