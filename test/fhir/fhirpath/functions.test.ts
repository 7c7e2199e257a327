import { evalFhirPath } from '@medplum/core';
import { describe, expect, it } from 'vitest';
import { compileFhirPath, FhirPathError } from '../../../src/fhir/fhirpath/index.ts';
import { shapes } from './instances.ts';

const patient = {
  resourceType: 'Patient',
  id: 'p',
  active: true,
  birthDate: '1980-05-02',
  _birthDate: { extension: [{ url: 'http://example.org/e', valueString: 'x' }] },
  name: [
    { use: 'official', family: 'TEST', given: ['A', 'B'] },
    { use: 'usual', family: 'Test', given: ['A'] },
  ],
  multipleBirthInteger: 2,
  telecom: [{ system: 'phone', value: '0102030405', rank: 1 }],
  contained: [{ resourceType: 'Organization', id: 'o', name: 'X' }],
  managingOrganization: { reference: '#o' },
};
const surroundings = {
  resource: patient,
  rootResource: patient,
  resolve: (reference: string) => (reference === '#o' ? patient.contained[0] : undefined),
};
const select = (expression: string) => compileFhirPath(expression, 'Patient', shapes).select(patient, surroundings);

describe('compiled FHIRPath', () => {
  it.each([
    'name.given',
    'name[1].given',
    'name.where(use = $this.use).given.distinct()',
    "name.where(use = 'official').family",
    'name.select(given.count())',
    'name.given.count() + 1',
    '3 - 1 * 2',
    '7 div 2',
    '7 mod 2',
    "'a' & 'b' + 'c'",
    'name.family.first().lower()',
    'name.family[0] ~ name.family[1]',
    'name.family[0] = name.family[1]',
    'name.family.isDistinct()',
    'name.given.tail()',
    'name.given.skip(1).take(1)',
    'name.given.last()',
    'name.first().given.exclude(name[1].given)',
    'name[0].given.intersect(name[1].given)',
    'name[1].given.subsetOf(name[0].given)',
    "telecom.value.substring(1, 3) + telecom.value.indexOf('3').toString()",
    "telecom.value.matches('^\\\\d+$')",
    "telecom.value.replace('0', '1')",
    "telecom.value.startsWith('01') and telecom.value.endsWith('05')",
    'telecom.value.length()',
    'telecom.rank.toString().toInteger() = 1',
    'multipleBirth is integer',
    'multipleBirth as integer',
    'deceased.exists() or active',
    'active and {}',
    'active or {}',
    'active xor false',
    '{} implies true',
    "iif(active, 'yes', 'no')",
    "'usual' in name.use",
    "name.use contains 'old'",
    'birthDate < @1981-01-01',
    'birthDate >= @1980-05-02',
    'name.all(family.exists())',
    'name.select(family.exists()).allTrue()',
    '(1 | 2 | 2).count()',
    'Patient.name.family',
    "name.exists(use = 'official' and given.count() > 1)",
    '-1.abs()',
    '2.5.round(0)',
  ])('answers as the interpreter: %s', (expression) => {
    let theirs: unknown;
    try {
      theirs = evalFhirPath(expression, patient);
    } catch (error) {
      theirs = (error as Error).message;
    }
    expect(select(expression)).toEqual(theirs);
  });

  it('sees extensions of primitives, what is contained and what is referred to', () => {
    expect(select("birthDate.extension('http://example.org/e').value")).toEqual(['x']);
    expect(select('birthDate.hasValue()')).toEqual([true]);
    expect(select('managingOrganization.resolve().name')).toEqual(['X']);
    expect(select('managingOrganization.resolve().is(Organization)')).toEqual([true]);
    expect(select('contained.ofType(Organization).id')).toEqual(['o']);
    expect(select('descendants().ofType(Organization).id')).toEqual(['o']);
    expect(select('%resource.id | %context.id')).toEqual(['p']);
  });

  it('compares quantities by what they measure', () => {
    const quantity = (value: number, code: string, unit?: string) => ({
      value,
      system: 'http://unitsofmeasure.org',
      code,
      ...(unit ? { unit } : {}),
    });
    const holds = (expression: string, valueQuantity: object) => {
      const observation = { resourceType: 'Observation', valueQuantity };
      const about = { resource: observation, rootResource: observation };
      return compileFhirPath(expression, 'Observation', shapes).select(observation, about);
    };
    const fiveGrams = quantity(5, 'g', 'gramme');
    expect(holds("value = 5 'g'", fiveGrams)).toEqual([true]);
    expect(holds("value = 5000 'mg'", fiveGrams)).toEqual([true]);
    expect(holds("value != 5000 'mg'", fiveGrams)).toEqual([false]);
    expect(holds("value > 30 'mg' and value < 1 'kg'", fiveGrams)).toEqual([true]);
    expect(holds("(value as Quantity) <= 30 'mg'", fiveGrams)).toEqual([false]);
    // Neither what cannot be converted nor what is of another system is decided.
    expect(holds("value > 30 'mm'", fiveGrams)).toEqual([]);
    expect(holds("value = 5 'mm'", fiveGrams)).toEqual([]);
    expect(holds("value > 3 'g'", { value: 5, unit: 'g' })).toEqual([]);
  });

  it('reckons with decimals, not with doubles', () => {
    expect(select('1.8 - 1.2 = 0.6')).toEqual([true]);
    expect(select('0.1 + 0.2')).toEqual([0.3]);
    expect(select('2147483647 + 1')).toEqual([2147483648]);
  });

  it('repeats as long as there is something new', () => {
    const item = { linkId: 'b', type: 'group', item: [{ linkId: 'c', type: 'string' }] };
    const form = { resourceType: 'Questionnaire', item: [{ linkId: 'a', type: 'group', item: [item] }] };
    const about = { resource: form, rootResource: form };
    const onForm = (expression: string) => compileFhirPath(expression, 'Questionnaire', shapes).select(form, about);
    expect(onForm('repeat(item).linkId')).toEqual(['a', 'b', 'c']);
    expect(onForm('item.repeat(item).linkId')).toEqual(['b', 'c']);
    expect(onForm('item.linkId.repeat($this)')).toEqual(['a']);
    expect(onForm('item.repeat($this.combine($this)).count()')).toEqual([1]);
  });

  it.each([
    'name.',
    'name.unheardOf',
    'name.where(',
    "name = 'x",
    'name.unheardOf()',
    '%unheardOf',
    'name.given as',
    ')',
  ])('refuses when it is compiled: %s', (expression) => {
    expect(() => compileFhirPath(expression, 'Patient', shapes)).toThrow(FhirPathError);
  });

  it('is not deeper than can be read', () => {
    expect(() => compileFhirPath(`${'('.repeat(1000)}1${')'.repeat(1000)}`, 'Patient', shapes)).toThrow(FhirPathError);
  });
});
