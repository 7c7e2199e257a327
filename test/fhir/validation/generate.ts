/** Makes valid resources of any type out of the definitions and a tape of random numbers. */
import {
  choiceProperty,
  type ElementRule,
  parseElement,
  type StructureFile,
} from '../../../src/fhir/definitions/structure-file.ts';

/** Next number of the tape, 0 ≤ n < limit. */
export type Draw = (limit: number) => number;

const texts = ['x', 'Écho', 'TEST ligne\nsuivante', '0', "d'été"];

const primitives: Record<string, unknown[]> = {
  base64Binary: ['QUJD', 'QQ=='],
  boolean: [true, false],
  canonical: ['http://example.org/vs|1'],
  code: ['a', 'a b'],
  date: ['2024', '2024-02', '2024-02-29'],
  dateTime: ['1999', '2024-12-31', '2024-12-31T23:59:60Z', '2024-01-01T00:00:00.5+01:00'],
  decimal: [0, -1.5, 1e-7],
  id: ['a.b-C9'],
  instant: ['2024-01-01T00:00:00Z'],
  integer: [0, -2147483648, 2147483647],
  markdown: texts,
  oid: ['urn:oid:1.2.250.1'],
  positiveInt: [1, 42],
  string: texts,
  time: ['23:59:59', '00:00:00.123'],
  unsignedInt: [0, 7],
  uri: ['urn:x', 'http://example.org/a?b=c#d'],
  url: ['https://example.org'],
  uuid: ['urn:uuid:c757873d-ec9a-4326-a141-556f43239520'],
  xhtml: ['<div xmlns="http://www.w3.org/1999/xhtml"><p class="a">x &lt; y</p><br/></div>'],
};

/** What the definitions leave to us: values that need more than their own type to be valid. */
const special: Record<string, (draw: Draw) => unknown> = {
  Extension: (draw) => ({ url: 'http://example.org/e', valueString: pick(texts, draw) }),
  Resource: () => ({ resourceType: 'Basic', id: 'inner', code: { text: 'x' } }),
  'Bundle.entry.search': () => ({ mode: 'match' }),
};

export function makeResource(structure: StructureFile, type: string, draw: Draw): Record<string, unknown> {
  return { resourceType: type, ...makeObject(structure, type, draw, 0) };
}

function makeObject(structure: StructureFile, type: string, draw: Draw, depth: number): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [declared, rule] of elementsOf(structure, type)) {
    if (rule.min === 0 && draw(depth === 0 ? 3 : 5) !== 0) continue;
    if (rule.min === 0 && depth > 2) continue;
    const chosen = pick(rule.types, draw);
    const property = declared.endsWith('[x]') ? choiceProperty(declared.slice(0, -3), chosen.code) : declared;
    const make = () => makeValue(structure, chosen, rule, draw, depth + 1);
    const makeContained = () => ({ ...(make() as object), subject: { reference: '#' } });
    if (declared === 'contained') object[property] = [makeContained()];
    else object[property] = rule.repeats ? Array.from({ length: 1 + draw(2) }, make) : make();
  }
  // The size of data that is there is what it is.
  if (object.data !== undefined) delete object.size;
  if (Object.keys(object).every((property) => property === 'id') && depth > 0)
    object.extension = [special.Extension!(draw)];
  return object;
}

function makeValue(
  structure: StructureFile,
  type: ElementRule['types'][number],
  rule: ElementRule,
  draw: Draw,
  depth: number,
): unknown {
  const codes = rule.valueSet ? structure.valueSets[rule.valueSet] : undefined;
  if (codes) {
    const system = pick(Object.keys(codes), draw);
    const code =
      codes[system] === '*' ? (system.includes('4217') ? 'EUR' : 'text/plain') : pick(codes[system]!.split(' '), draw);
    if (type.code === 'code') return code;
    return type.code === 'Coding' ? { system, code } : { coding: [{ system, code }] };
  }
  if (type.code === 'Reference') return { reference: `${pick(type.targets ?? ['Patient'], draw)}/1`, display: 'x' };
  const make = special[type.code];
  if (make) return make(draw);
  const values = primitives[type.code];
  return values ? pick(values, draw) : makeObject(structure, type.code, draw, depth);
}

/** Elements of a type, inherited ones first. */
export function elementsOf(structure: StructureFile, name: string): [string, ElementRule][] {
  const type = structure.types[name]!;
  const own = Object.entries(type.elements).map(([element, notation]): [string, ElementRule] => [
    element,
    parseElement(notation),
  ]);
  return [...(type.base ? elementsOf(structure, type.base) : []), ...own];
}

function pick<T>(values: readonly T[], draw: Draw): T {
  return values[draw(values.length)]!;
}
