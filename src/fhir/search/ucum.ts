/** UCUM (https://ucum.org/ucum) as far as comparing quantities needs it: any unit in base units. */
import { createRequire, findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';

export const ucumSystem = 'http://unitsofmeasure.org';

export interface CanonicalUnit {
  /** Base units with their exponents, e.g. `g1.m-3`; the same text for all units that can be compared. */
  dimension: string;
  /** The number in base units, rounded so that the same quantity in two units gives the same number. */
  convert(value: number): number;
}

/** What is used of the library `@atomic-ehr/ucum`: its own types do not resolve for a program that names its files. */
interface Ucum {
  parseUnit(code: string): { ast?: Expression; errors: readonly unknown[] };
  /** @throws Error for a unit it does not know. */
  toCanonicalForm(code: string): CanonicalForm;
}

interface CanonicalForm {
  magnitude: number;
  units: readonly { unit: string; exponent: number }[];
  /** Present for units on a scale that is not a ratio. */
  specialFunction?: object;
}

type Expression =
  | { type: 'factor'; value: number }
  | { type: 'group'; expression: Expression }
  | { type: 'unary'; operand: Expression }
  | { type: 'binary'; operator: '.' | '/'; left: Expression; right: Expression }
  | UnitNode;

interface UnitNode {
  type: 'unit';
  prefix?: string;
  atom: string;
  exponent?: number;
}

/** Twelve digits: more than any measurement has, fewer than the errors of multiplying doubles reach. */
const significantDigits = 12;
/** Codes kept; a hospital uses a few dozen, and whoever sends others must not fill the memory. */
const cacheLimit = 2000;
const longestCode = 100;
const deepestUnit = 20;

function roundMeasure(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(significantDigits)) : value;
}

/** Temperatures in kelvin: the units with a zero of their own that are converted. Logarithmic ones are compared as written. */
const temperatures: Readonly<Record<string, (value: number) => number>> = {
  Cel: (value) => value + 273.15,
  '[degF]': (value) => ((value + 459.67) * 5) / 9,
  '[degRe]': (value) => value * 1.25 + 273.15,
};

/**
 * Amounts of substance stay dimensions of their own: for UCUM a mole is a number, and 1 mmol/L would meet 6.02·10²⁰ cells/L; an
 * equivalent is a mole only of ions with one charge.
 */
const substances: Readonly<Record<string, Reduced>> = {
  mol: { factor: 1, exponents: new Map([['mol', 1]]) },
  eq: { factor: 1, exponents: new Map([['eq', 1]]) },
  osm: { factor: 1, exponents: new Map([['osm', 1]]) },
  '[LPF]': { factor: 1, exponents: new Map([['[LPF]', 1]]) },
  kat: {
    factor: 1,
    exponents: new Map([
      ['mol', 1],
      ['s', -1],
    ]),
  },
  U: {
    factor: 1e-6 / 60,
    exponents: new Map([
      ['mol', 1],
      ['s', -1],
    ]),
  },
};

/** Makes the look-up of units; undefined for a code that UCUM does not know or that has no linear scale. */
export function createUcum(): (code: string) => CanonicalUnit | undefined {
  // Loaded when the first quantity is met: 15 ms and 10 MB that an idle server does not need.
  let ucum: Ucum | undefined;
  const cache = new Map<string, CanonicalUnit | undefined>();
  return (code) => {
    if (cache.has(code)) return cache.get(code);
    ucum ??= loadUcum();
    const unit = code.length > longestCode ? undefined : analyse(ucum, code);
    if (cache.size >= cacheLimit) cache.clear();
    cache.set(code, unit);
    return unit;
  };
}

function loadUcum(): Ucum {
  // The package can only be imported, which takes a promise; `require` of its file does not.
  const manifest = findPackageJSON('@atomic-ehr/ucum', import.meta.url)!;
  return createRequire(import.meta.url)(join(dirname(manifest), 'dist', 'index.js'));
}

function analyse(ucum: Ucum, code: string): CanonicalUnit | undefined {
  try {
    const { ast, errors } = ucum.parseUnit(code);
    if (!ast || errors.length > 0) return undefined;
    if (ast.type === 'unit' && Object.hasOwn(temperatures, ast.atom)) {
      if (ast.prefix !== undefined || (ast.exponent ?? 1) !== 1) return undefined;
      const toKelvin = temperatures[ast.atom]!;
      return { dimension: 'K1', convert: (value) => roundMeasure(toKelvin(value)) };
    }
    const parts = reduce(ucum, ast, 0);
    if (!parts || !(parts.factor > 0) || !Number.isFinite(parts.factor)) return undefined;
    const { factor } = parts;
    return { dimension: dimensionText(parts.exponents), convert: (value) => roundMeasure(value * factor) };
  } catch {
    // The library says by throwing that it does not know a unit.
    return undefined;
  }
}

interface Reduced {
  factor: number;
  exponents: ReadonlyMap<string, number>;
}

const one: Reduced = { factor: 1, exponents: new Map() };

/** Base units of an expression; undefined when one of its units is special. */
function reduce(ucum: Ucum, node: Expression, depth: number): Reduced | undefined {
  if (depth > deepestUnit) return undefined;
  switch (node.type) {
    case 'factor':
      return { factor: node.value, exponents: new Map() };
    case 'group':
      return reduce(ucum, node.expression, depth + 1);
    case 'unary': {
      const operand = reduce(ucum, node.operand, depth + 1);
      return operand && combine(one, operand, -1);
    }
    case 'binary': {
      const left = reduce(ucum, node.left, depth + 1);
      const right = reduce(ucum, node.right, depth + 1);
      return left && right && combine(left, right, node.operator === '/' ? -1 : 1);
    }
    case 'unit':
      return reduceUnit(ucum, node);
  }
}

function reduceUnit(ucum: Ucum, unit: UnitNode): Reduced | undefined {
  const atom = ucum.toCanonicalForm(unit.atom);
  if (atom.specialFunction) return undefined;
  const prefix =
    unit.prefix === undefined ? 1 : ucum.toCanonicalForm(`${unit.prefix}${unit.atom}`).magnitude / atom.magnitude;
  const { factor, exponents } = substances[unit.atom] ?? {
    factor: atom.magnitude,
    exponents: new Map(dimensions(unit.atom, atom)),
  };
  return combine(one, { factor: prefix * factor, exponents }, unit.exponent ?? 1);
}

function dimensions(atom: string, { magnitude, units }: CanonicalForm): [string, number][] {
  // In brackets, and by the tables nothing but a one: what it measures is known to its assay alone. 1 [iU]/L and 1 [CFU]/L have
  // nothing in common (UCUM §24, arbitrary units).
  if (atom.startsWith('[') && magnitude === 1 && units.length === 0) return [[atom === '[IU]' ? '[iU]' : atom, 1]];
  return units.map(({ unit, exponent }) => [unit, exponent]);
}

function combine(left: Reduced, right: Reduced, power: number): Reduced {
  const exponents = new Map(left.exponents);
  for (const [base, exponent] of right.exponents) exponents.set(base, (exponents.get(base) ?? 0) + exponent * power);
  return { factor: left.factor * right.factor ** power, exponents };
}

function dimensionText(exponents: ReadonlyMap<string, number>): string {
  return [...exponents]
    .filter(([, exponent]) => exponent !== 0)
    .map(([base, exponent]) => `${base}${exponent}`)
    .sort()
    .join('.');
}
