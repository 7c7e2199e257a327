import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileFhirPath, FhirPathError } from '../../../src/fhir/fhirpath/index.ts';
import { parseJson } from '../../../src/fhir/json/index.ts';
import { parseXml } from '../../../src/fhir/xml/index.ts';
import { shapes } from './instances.ts';

/** Path of a copy of github.com/FHIR/fhir-test-cases; nothing of it is in this repository. */
const copy = process.env.FHIR_TEST_CASES;
const folder = copy && join(copy, 'r4');
const file = folder && join(folder, 'fhirpath', 'tests-fhir-r4.xml');

/** Where the answer is another one than HL7's engine gives, with the reason. */
const remainder: Readonly<Record<string, readonly string[]>> = {
  'numbers are JavaScript numbers here: 1.0 is written 1': ['testDecimalLiteralToString', 'testToString4'],
  'a quantity is told as an object, and the test as text': ['testStringIntegerLiteralToQuantity'],
  "a year and a month of UCUM are those of the calendar, as in a resource's content": [
    'testStringQuantityMonthLiteralToQuantity',
    'testStringQuantityYearLiteralToQuantity',
  ],
  'the specification lets parts of a second count': ['testPlusDate19'],
  'an empty pattern matches everywhere, as in every other language': ['testReplaceMatches2'],
  'abs() of a quantity': ['testAbs3'],
  'by the order of operators in the specification, "is" binds closer than > and |': [
    'testPrecedence3',
    'testPrecedence4',
  ],
  'types of FHIR and of System are one here': [
    ...['testType1', 'testType1a', 'testType2', 'testType2a', 'testType3', 'testType4', 'testType12', 'testType14'],
    ...['testType22', 'testTypeA4', 'testFHIRPathAsFunction11', 'testFHIRPathAsFunction16'],
  ],
  'asked of the validator, which is not there': ['testConformsTo1', 'testConformsTo2'],
};

interface Case {
  name: string;
  input: string;
  isPredicate: boolean;
  expression: string;
  outputs: { type: string; text: string }[];
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
const unescaped = (text: string) => text.replaceAll(/&(\w+);/g, (_, name: string) => entities[name] ?? '');

/** The tests that have a result: those of errors ask for engines that raise them. */
function readCases(text: string): Case[] {
  const plain = text.replaceAll(/<!--[\s\S]*?-->/g, '');
  return [...plain.matchAll(/<test ([^>]*?)>([\s\S]*?)<\/test>/g)].flatMap(([, attributes = '', content = '']) => {
    const attribute = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
    const [, kind = '', expression = ''] = /<expression([^>]*)>([\s\S]*?)<\/expression>/.exec(content) ?? [];
    if (kind.includes('invalid') || expression === '') return [];
    const outputs = [...content.matchAll(/<output type="(\w+)"(?:\/>|>([\s\S]*?)<\/output>)/g)];
    return [
      {
        name: attribute('name') ?? '',
        input: attribute('inputfile') ?? 'patient-example.xml',
        isPredicate: attribute('predicate') === 'true',
        expression: unescaped(expression),
        outputs: outputs.map(([, type = '', value = '']) => ({ type, text: unescaped(value) })),
      },
    ];
  });
}

function readInput(name: string): Record<string, unknown> | undefined {
  const path = [join(folder!, name), join(folder!, 'examples', name)].find(existsSync);
  if (!path) return undefined;
  const text = readFileSync(path, 'utf8');
  return (path.endsWith('.xml') ? parseXml(text) : parseJson(text)) as Record<string, unknown>;
}

function wanted({ type, text }: Case['outputs'][number]): unknown {
  if (type === 'boolean') return text === 'true';
  if (type === 'integer' || type === 'decimal') return Number(text);
  return type === 'date' || type === 'dateTime' || type === 'time' ? text.replace(/^@T?/, '') : text;
}

describe.runIf(file && existsSync(file))("HL7's tests of FHIRPath (FHIR_TEST_CASES)", () => {
  it('have the same answer here, but for those listed with their reason and what is not of the version R4 names', () => {
    const listed = Object.values(remainder).flat();
    const different: string[] = [];
    const notCompiled = new Set<string>();
    let same = 0;
    for (const { name, input, isPredicate, expression, outputs } of readCases(readFileSync(file!, 'utf8'))) {
      const resource = readInput(input);
      if (!resource) continue;
      const type = String(resource.resourceType);
      try {
        const path = compileFhirPath(expression, type, shapes, type);
        const found = path.select(resource, { resource, rootResource: resource });
        const answer = isPredicate ? [found.length > 0 && !(found.length === 1 && found[0] === false)] : found;
        if (JSON.stringify(answer) === JSON.stringify(outputs.map(wanted))) same++;
        else different.push(name);
      } catch (error) {
        if (!(error instanceof FhirPathError)) throw error;
        notCompiled.add(error.message);
      }
    }
    expect(different.filter((name) => !listed.includes(name))).toEqual([]);
    const later =
      /^(?:%ext-|comparable|decode|encode|escape|unescape|highBoundary|lowBoundary|join|log|precision|sort)/;
    const byPattern = /is compiled with a pattern that is written out only$/;
    expect([...notCompiled].filter((reason) => !later.test(reason) && !byPattern.test(reason))).toEqual([]);
    expect(same).toBeGreaterThanOrEqual(770);
  });
});
