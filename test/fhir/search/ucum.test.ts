import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { createUcum } from '../../../src/fhir/search/ucum.ts';

interface OracleUnit {
  csCode_: string;
  isArbitrary_: boolean;
  isSpecial_: boolean;
}
interface Oracle {
  UcumLhcUtils: {
    getInstance(): { convertUnitTo(from: string, value: number, to: string): { status: string; toVal: number | null } };
  };
  UnitTables: { getInstance(): { allUnitsByDef(): OracleUnit[] } };
}

const { UcumLhcUtils, UnitTables }: Oracle = createRequire(import.meta.url)('@lhncbc/ucum-lhc');
const oracle = UcumLhcUtils.getInstance();
const units = UnitTables.getInstance()
  .allUnitsByDef()
  .filter(({ csCode_ }) => /\S/.test(csCode_));
const unitOf = createUcum();

describe('UCUM, against the converter of the National Library of Medicine', () => {
  it('knows every unit but those on scales that are no ratios, and four that the library cannot read', () => {
    const linear = units.filter(({ isSpecial_ }) => !isSpecial_).map(({ csCode_ }) => csCode_);
    expect(linear.length).toBeGreaterThan(740);
    const unknown = linear.filter((code) => !unitOf(code));
    expect(unknown).toEqual(["''", 'Torr', 'g%', '{#}/[HPF]', '{#}/[LPF]']);
  });

  it('converts as it does, wherever both say that units compare', () => {
    const first = new Map<string, string>();
    const wrong: string[] = [];
    let compared = 0;
    for (const { csCode_: code, isArbitrary_ } of units) {
      const unit = unitOf(code);
      if (!unit || isArbitrary_) continue;
      const other = first.get(unit.dimension) ?? code;
      first.set(unit.dimension, other);
      const { status, toVal } = oracle.convertUnitTo(code, 1, other);
      if (status !== 'succeeded' || toVal === null) {
        wrong.push(`${code} ${other}: not convertible`);
        continue;
      }
      compared++;
      const here = unit.convert(1);
      const there = unitOf(other)!.convert(toVal);
      if (Math.abs(here - there) > Math.abs(here) * 1e-6) wrong.push(`${code} ${other}: ${here} ${there}`);
    }
    expect(compared).toBeGreaterThan(650);
    expect(wrong).toEqual([
      // 1 °Ré is 1.25 °C: the oracle is wrong.
      '[degRe] K: 274.4 342.6875',
      // UCUM defines these alike; the oracle keeps them apart.
      ...incomparable,
    ]);
  });

  it('compares nothing that it does not convert', () => {
    const sample = units.filter((_, n) => n % 12 === 0).map(({ csCode_ }) => csCode_);
    const wrong: string[] = [];
    for (const from of sample) {
      for (const to of sample) {
        const [a, b] = [unitOf(from), unitOf(to)];
        if (!a || !b || a.dimension === b.dimension) continue;
        if (oracle.convertUnitTo(from, 1, to).status === 'succeeded') wrong.push(`${from} ${to}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('the same quantity gives the same number in every unit', () => {
    const kilograms = unitOf('kg')!;
    const grams = unitOf('g')!;
    for (let n = 1; n < 2000; n++) expect(kilograms.convert(n / 1000)).toBe(grams.convert(n));
    expect(unitOf('mmol/L')!.convert(5.5)).toBe(unitOf('umol/mL')!.convert(5.5));
    expect(unitOf('Cel')!.convert(37)).toBe(unitOf('[degF]')!.convert(98.6));
  });

  it.each([
    '',
    'mg mg',
    '///',
    'Cel/min',
    'mCel',
    '(',
    `${'('.repeat(60)}g${')'.repeat(60)}`,
    'x'.repeat(200),
    '__proto__',
    'constructor',
  ])('%j is no unit that converts', (code) => {
    expect(unitOf(code)).toBeUndefined();
  });
});

/** Units that UCUM defines alike and the oracle keeps apart by name. */
const incomparable = ['[diop] Ky: not convertible', '[mesh_i] Ky: not convertible', 'Bd Hz: not convertible'];
