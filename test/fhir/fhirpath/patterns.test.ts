import { expect, it } from 'vitest';
import { compileFhirPath, FhirPathError, patternFault } from '../../../src/fhir/fhirpath/index.ts';
import { repeatsWhatRepeats } from '../../../src/fhir/fhirpath/patterns.ts';
import { shapes } from './instances.ts';

it.each([
  '^(a+)+$',
  '^(?:a*)*$',
  '(?<word>a+){2,}',
  '((a|b{1,3})x)+',
  '(a?){30}',
  '([+*]+)+',
  '(\\d+ ?)+',
  '(a+?)+',
  String.raw`(a)\1`,
  String.raw`(?<a>a)\k<a>`,
])('%s repeats what repeats', (pattern) => {
  expect(repeatsWhatRepeats(pattern)).toBe(true);
});

it.each([
  '^[A-Z]([A-Za-z0-9_]){0,254}$',
  String.raw`^\d{3}(?: \d{2}){4}$`,
  String.raw`^urn:oid:[0-2](?:\.\d{1,9}){3}$`.replace('{1,9}', '{4}'),
  String.raw`^\(a+\)+$`,
  '^[(a+)]+$',
  String.raw`^[\](a+]+$`,
  '^(FR|BE)?[0-9]{2}.*$',
  '^(?=a+)b+$',
  'a{b}+',
  ')(',
  '',
])('%s does not', (pattern) => {
  expect(repeatsWhatRepeats(pattern)).toBe(false);
});

it.each([
  "name.family.matches('^(a+)+$')",
  "name.family.matches ( '^(a+)+$' )",
  "name.family.matches /* here */ ('^(a+)+$')",
  "name.family.`matches`('^(a+)+$')",
  "name.family.`m\\u0061tches`('^(a+)+$')",
  "name.family.matchesFull('(a+)+')",
  "name.family.replaceMatches('(a+)+$', '').exists()",
  'name.family.matches(%resource.language)',
  "name.family.matches('(a+' & ')+$')",
  `name.family.matches('${'a'.repeat(501)}')`,
  `name.family.matches('a') and ${'true and '.repeat(700)}true`,
  "name.family.matches('(a+)+$') and $$",
])('%s is told apart', (expression) => {
  expect(patternFault(expression)).toMatch(/^(?:it|its|a) /);
});

it.each([
  "name.family.matches('^[A-Z]+$')",
  "name.family.replaceMatches('[a-z]+', 'x') = 'x'",
  'matches',
  'name.given',
])('%s is not', (expression) => {
  expect(patternFault(expression)).toBeUndefined();
});

it('a pattern taken from what is validated is not compiled', () => {
  expect(() => compileFhirPath('name.family.matches(language)', 'Patient', shapes)).toThrow(FhirPathError);
});

it('a name in an expression is no pattern', () => {
  const path = compileFhirPath('contained.`(?:value)+`', 'Patient', shapes);
  const patient = { contained: [{ valueString: 'x' }] };
  expect(path.select(patient, { resource: patient, rootResource: patient })).toEqual([]);
});
