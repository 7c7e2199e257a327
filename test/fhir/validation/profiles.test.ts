import type { ElementDefinition, StructureDefinition } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { r4Structure } from '../../../src/fhir/definitions/structure-r4.ts';
import { valueSetTest } from '../../../src/fhir/validation/bindings.ts';
import { createValidator, inspectResource, profilesWith } from '../../../src/fhir/validation/index.ts';
import { processorMs } from '../../support/processor-time.ts';

const url = 'http://example.org/StructureDefinition/p';

type Element = Partial<ElementDefinition> & { path: string };

function profile(type: string, elements: Element[], more: Partial<StructureDefinition> = {}): StructureDefinition {
  return {
    resourceType: 'StructureDefinition',
    url,
    name: 'P',
    status: 'active',
    kind: 'resource',
    abstract: false,
    type,
    baseDefinition: `http://hl7.org/fhir/StructureDefinition/${type}`,
    derivation: 'constraint',
    differential: { element: elements as ElementDefinition[] },
    ...more,
  };
}

/** Errors as `code expression`, of a resource against the first of these profiles. */
function errorsOf(resource: object, ...profiles: StructureDefinition[]): string[] {
  const byUrl = new Map(profiles.map((each) => [each.url, each]));
  const stones = valueSetTest({ 'http://example.org/stone': 'granite basalt' });
  const definitions = profilesWith({
    profile: (wanted) => byUrl.get(wanted),
    valueSet: (wanted) => (wanted === 'http://example.org/stones' ? stones : undefined),
  });
  return inspectResource(resource, { definitions, profiles: [profiles[0]!.url] })
    .issues.filter(({ severity }) => severity === 'error')
    .map(({ code, expression }) => `${code} ${expression?.[0]}`);
}

const patient = (more: object = {}) => ({ resourceType: 'Patient', ...more });
const observation = (more: object = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '1' }] },
  ...more,
});

describe('an element of a profile', () => {
  it('has its number', () => {
    const p = profile('Patient', [
      { path: 'Patient.name', min: 1, max: '2' },
      { path: 'Patient.photo', max: '0' },
      { path: 'Patient.name.given', min: 1 },
    ]);
    expect(errorsOf(patient({ name: [{ given: ['x'] }] }), p)).toEqual([]);
    expect(errorsOf(patient(), p)).toEqual(['required Patient.name']);
    expect(errorsOf(patient({ name: [{ family: 'x' }] }), p)).toEqual(['required Patient.name[0].given']);
    expect(errorsOf(patient({ name: Array(3).fill({ given: ['x'] }) }), p)).toEqual(['structure Patient.name']);
    expect(errorsOf(patient({ name: [{ given: ['x'] }], photo: [{ title: 'x' }] }), p)).toEqual([
      'structure Patient.photo',
    ]);
  });

  it('has its fixed value, whole, or what its pattern has, in any order', () => {
    const coding = { system: 'http://loinc.org', code: '1' };
    const fixed = profile('Observation', [{ path: 'Observation.code', fixedCodeableConcept: { coding: [coding] } }]);
    expect(errorsOf(observation(), fixed)).toEqual([]);
    expect(errorsOf(observation({ code: { coding: [coding], text: 'x' } }), fixed)).toEqual(['value Observation.code']);
    const pattern = profile('Observation', [
      { path: 'Observation.code', patternCodeableConcept: { coding: [coding] } },
    ]);
    const both = {
      coding: [
        { system: 'http://example.org', code: 'x' },
        { ...coding, display: 'y' },
      ],
      text: 'z',
    };
    expect(errorsOf(observation({ code: both }), pattern)).toEqual([]);
    expect(errorsOf(observation({ code: { coding: both.coding.slice(0, 1) } }), pattern)).toEqual([
      'value Observation.code',
    ]);
    const code = profile('Patient', [{ path: 'Patient.gender', fixedCode: 'female' }]);
    expect(errorsOf(patient({ gender: 'male' }), code)).toEqual(['value Patient.gender']);
  });

  it('has its types, in a choice too, by either spelling', () => {
    const general = profile('Observation', [{ path: 'Observation.value[x]', type: [{ code: 'Quantity' }] }]);
    expect(errorsOf(observation({ valueQuantity: { value: 1 } }), general)).toEqual([]);
    expect(errorsOf(observation({ valueString: 'x' }), general)).toEqual(['structure Observation.value']);
    const short = profile('Observation', [{ path: 'Observation.valueQuantity.unit', min: 1 }]);
    expect(errorsOf(observation({ valueQuantity: { value: 1 } }), short)).toEqual(['required Observation.value.unit']);
    expect(errorsOf(observation({ valueString: 'x' }), short)).toEqual([]);
  });

  it('has its limits', () => {
    const p = profile('Observation', [
      { path: 'Observation.valueInteger', minValueInteger: 1, maxValueInteger: 9 },
      { path: 'Observation.issued', minValueInstant: '2024-01-01T00:00:00Z' },
      { path: 'Observation.code.text', maxLength: 3 },
    ]);
    const at = (value: number) => errorsOf(observation({ valueInteger: value }), p);
    expect([at(0), at(1), at(9), at(10)]).toEqual([['value Observation.value'], [], [], ['value Observation.value']]);
    expect(errorsOf(observation({ issued: '2023-12-31T23:59:59Z' }), p)).toEqual(['value Observation.issued']);
    expect(errorsOf(observation({ code: { text: 'long' } }), p)).toEqual(['value Observation.code.text']);
  });

  it('has limits that move with the present, where they are durations', () => {
    const years = (value: number) => ({ value, system: 'http://unitsofmeasure.org', code: 'a' });
    const limited = profile('Observation', [
      { path: 'Observation.issued', minValueQuantity: years(1), maxValueQuantity: { ...years(2), code: 'h' } },
      { path: 'Observation.effectiveDateTime', minValueQuantity: years(18) },
    ]);
    const definitions = profilesWith({ profile: () => limited, valueSet: () => undefined });
    const wrong = (more: object, now: string) =>
      inspectResource(observation(more), { definitions, profiles: [url], now: new Date(now) })
        .issues.filter(({ severity }) => severity === 'error')
        .map(({ diagnostics }) => diagnostics);
    const issued = { issued: '2026-11-22T12:00:00Z' };
    expect(wrong(issued, '2026-11-22T09:59:59Z')).toEqual(['Observation.issued: must not be more than 2 h']);
    expect(wrong(issued, '2026-11-22T10:00:00Z')).toEqual([]);
    expect(wrong(issued, '2027-11-22T12:00:00Z')).toEqual([]);
    expect(wrong(issued, '2027-11-22T12:00:01Z')).toEqual(['Observation.issued: must not be less than 1 a']);
    expect(wrong({ effectiveDateTime: '2008-11-22' }, '2026-11-22T12:00:00Z')).toEqual([]);
    expect(wrong({ effectiveDateTime: '2008-11-22' }, '2026-11-23T12:00:00Z')).toHaveLength(1);
    // It may, and it may not.
    expect(wrong({ effectiveDateTime: '2008' }, '2026-11-23T12:00:00Z')).toEqual([]);
    expect(wrong({ effectiveDateTime: '2007' }, '2026-11-23T12:00:00Z')).toHaveLength(1);
  });

  it('has codes of a required binding', () => {
    const p = profile('Observation', [
      { path: 'Observation.code', binding: { strength: 'required', valueSet: 'http://example.org/stones|1.0' } },
    ]);
    const code = (system: string, each: string) => ({ code: { coding: [{ system, code: each }] } });
    expect(errorsOf(observation(code('http://example.org/stone', 'granite')), p)).toEqual([]);
    expect(errorsOf(observation(code('http://example.org/stone', 'butter')), p)).toEqual([
      'code-invalid Observation.code',
    ]);
    expect(errorsOf(observation(code('http://example.org/other', 'granite')), p)).toEqual([
      'code-invalid Observation.code',
    ]);
  });

  it('fulfils its constraints; %resource is the resource, %context the element', () => {
    const p = profile('Patient', [
      {
        path: 'Patient.name',
        constraint: [
          { key: 'a', severity: 'error', human: 'x', expression: 'family.exists() and %resource.active = true' },
          { key: 'b', severity: 'error', human: 'x', expression: "%context.use = 'official'" },
        ],
      },
    ]);
    expect(errorsOf(patient({ active: true, name: [{ family: 'x', use: 'official' }] }), p)).toEqual([]);
    expect(errorsOf(patient({ name: [{ family: 'x', use: 'official' }] }), p)).toEqual(['invariant Patient.name[0]']);
    expect(errorsOf(patient({ active: true, name: [{ family: 'x', use: 'usual' }] }), p)).toEqual([
      'invariant Patient.name[0]',
    ]);
  });

  it('falls back on the interpreter for what is not compiled, and does not run patterns that can take for ever', () => {
    const constraint = (expression: string) =>
      profile('Patient', [{ path: 'Patient', constraint: [{ key: 'a', severity: 'error', human: 'x', expression }] }]);
    // join() is outside the compiled subset.
    const joined = constraint("name.given.join('-') = 'a-b'");
    expect(errorsOf(patient({ name: [{ given: ['a', 'b'] }] }), joined)).toEqual([]);
    expect(errorsOf(patient({ name: [{ given: ['b', 'a'] }] }), joined)).toEqual(['invariant Patient']);
    const hostile = constraint("name.family.matches('^(a+)+$')");
    const spent = processorMs(() => {
      expect(errorsOf(patient({ name: [{ family: `${'a'.repeat(40)}!` }] }), hostile)).toEqual([]);
    });
    expect(spent).toBeLessThan(1000);
  });

  it('fulfils constraints about the present, as it moves, in France', () => {
    const adult = { key: 'a', severity: 'error', human: 'x', expression: 'birthDate <= today() - 18 years' } as const;
    const recent = {
      ...adult,
      key: 'b',
      expression: '(start + 90 days >= today()) and (end.empty() or end <= start + 1 year)',
    } as const;
    const constrained = profile('Patient', [
      { path: 'Patient', constraint: [adult] },
      { path: 'Patient.address', min: 0 },
      { path: 'Patient.address.period', constraint: [recent] },
    ]);
    const definitions = profilesWith({ profile: () => constrained, valueSet: () => undefined });
    const keys = (resource: object, now: string) =>
      inspectResource(resource, { definitions, profiles: [url], now: new Date(now) })
        .issues.filter(({ severity }) => severity === 'error')
        .map(({ diagnostics }) => /must fulfil (\w)/.exec(diagnostics ?? '')?.[1] ?? diagnostics);
    const born = (birthDate: string) => patient({ birthDate });
    expect(keys(born('2008-11-23'), '2026-11-22T22:59:59Z')).toEqual(['a']);
    expect(keys(born('2008-11-23'), '2026-11-22T23:00:00Z')).toEqual([]);
    expect(keys(born('2008-02-29'), '2026-02-27T12:00:00Z')).toEqual(['a']);
    expect(keys(born('2008-02-29'), '2026-02-28T12:00:00Z')).toEqual(['a']);
    expect(keys(born('2008-02-29'), '2026-03-01T12:00:00Z')).toEqual([]);
    expect(keys(born('2007'), '2026-11-22T12:00:00Z')).toEqual([]);
    // Perhaps not yet.
    expect(keys(born('2008'), '2026-11-22T12:00:00Z')).toEqual(['a']);
    const living = (period: object) => patient({ birthDate: '1980-01-01', address: [{ text: 'x', period }] });
    expect(keys(living({ start: '2026-08-25', end: '2027-08-25' }), '2026-11-23T12:00:00Z')).toEqual([]);
    expect(keys(living({ start: '2026-08-25', end: '2027-08-26' }), '2026-11-23T12:00:00Z')).toEqual(['b']);
    expect(keys(living({ start: '2026-08-25' }), '2026-11-24T12:00:00Z')).toEqual(['b']);
  });

  it('tells, once, which constraint is not checked for its pattern', () => {
    const expression = "given.first().replaceMatches('(a+)+$', '') = ''";
    const path = 'Patient.name';
    const constrained = profile('Patient', [
      { path, constraint: [{ key: 'a-1', severity: 'error', human: 'x', expression }] },
    ]);
    const definitions = profilesWith({ profile: () => constrained, valueSet: () => undefined });
    const names = Array.from({ length: 150 }, () => ({ given: [`${'a'.repeat(40)}!`] }));
    const { issues } = inspectResource(patient({ name: names }), { definitions, profiles: [url] });
    expect(issues).toMatchObject([{ severity: 'warning', code: 'not-supported', expression: ['Patient.name[0]'] }]);
    expect(issues[0]!.diagnostics).toMatch(/a-1 .*is not checked here: its pattern repeats/);
  });

  it('tells its errors however many warnings there are', () => {
    const p = profile('Patient', [
      {
        path: 'Patient.name',
        constraint: [{ key: 'w', severity: 'warning', human: 'x', expression: 'text.exists()' }],
      },
      { path: 'Patient.telecom', min: 1 },
    ]);
    const name = Array(150).fill({ family: 'x' });
    expect(errorsOf(patient({ name }), p)).toEqual(['required Patient.telecom']);
    // Also of what it refers to.
    const about = profile(
      'Observation',
      [{ path: 'Observation.subject', type: [{ code: 'Reference', targetProfile: [p.url] }] }],
      { url: `${url}-about` },
    );
    const subject = { reference: '#p' };
    const contained = [{ ...patient({ name }), id: 'p' }];
    expect(errorsOf(observation({ subject, contained }), about, p)).toEqual([
      'structure Observation.subject.reference',
    ]);
  });

  it.each([
    ['alternatives that overlap', "name.first().family.matches('^(?:a|aa)*$')"],
    ['nested walks', `${'%resource.name.all('.repeat(12)}family.exists()${')'.repeat(12)}`],
    ['nested walks, interpreted', `${'%resource.name.all('.repeat(12)}given.join('') = ''${')'.repeat(12)}`],
  ])('comes to an end in spite of %s, and accepts nothing unchecked', (_, expression) => {
    const constrained = profile('Patient', [
      { path: 'Patient', constraint: [{ key: 'a', severity: 'error', human: 'x', expression }] },
    ]);
    const validator = createValidator(r4Structure, 300);
    const definitions = validator.profilesWith({ profile: () => constrained, valueSet: () => undefined });
    const family = `${'a'.repeat(60)}!`;
    const hostile = patient({ name: Array(30).fill({ family }) });
    const one = patient({ name: [{ family: 'a' }] });
    const errors = (resource: object) =>
      validator
        .inspect(resource, { definitions, profiles: [url] })
        .issues.filter(({ severity }) => severity === 'error');
    errors(one);
    expect(errors(hostile)).toMatchObject([{ code: 'too-costly' }]);
    expect(errors(one)).toEqual([]);
  });

  it('refers to its targets, where they must be', () => {
    const type = (targetProfile: string, aggregation?: 'contained'[]) =>
      profile('Observation', [
        {
          path: 'Observation.subject',
          type: [{ code: 'Reference', targetProfile: [targetProfile], ...(aggregation ? { aggregation } : {}) }],
        },
      ]);
    const base = 'http://hl7.org/fhir/StructureDefinition/';
    expect(errorsOf(observation({ subject: { reference: 'Patient/1' } }), type(`${base}Patient`))).toEqual([]);
    expect(errorsOf(observation({ subject: { reference: 'Group/1' } }), type(`${base}Patient`))).toEqual([
      'value Observation.subject.reference',
    ]);
    const contained = type(`${base}Patient`, ['contained']);
    expect(errorsOf(observation({ subject: { reference: 'Patient/1' } }), contained)).toEqual([
      'value Observation.subject.reference',
    ]);
    const named = profile('Patient', [{ path: 'Patient.name', min: 1 }], { url: `${url}-named` });
    const holding = (name: object) =>
      observation({ contained: [{ resourceType: 'Patient', id: 'p', ...name }], subject: { reference: '#p' } });
    expect(errorsOf(holding({ name: [{ family: 'x' }] }), type(named.url), named)).toEqual([]);
    expect(errorsOf(holding({}), type(named.url), named)).toEqual(['structure Observation.subject.reference']);
  });

  it('conforms to the profile of its type', () => {
    const complete = profile('HumanName', [{ path: 'HumanName.family', min: 1 }], {
      url: `${url}-name`,
      kind: 'complex-type',
    });
    const p = profile('Patient', [{ path: 'Patient.name', type: [{ code: 'HumanName', profile: [complete.url] }] }]);
    expect(errorsOf(patient({ name: [{ family: 'x' }] }), p, complete)).toEqual([]);
    expect(errorsOf(patient({ name: [{ given: ['x'] }] }), p, complete)).toEqual(['required Patient.name[0].family']);
  });
});

describe('slices', () => {
  const sliced = (slicing: object, ...elements: Element[]) =>
    profile('Patient', [{ path: 'Patient.identifier', slicing: slicing as never }, ...elements]);
  const byValue = { discriminator: [{ type: 'value', path: 'system' }], rules: 'open' };
  const slice = (name: string, system: string, more: object = {}): Element[] => [
    { path: 'Patient.identifier', sliceName: name, ...more },
    { path: 'Patient.identifier.system', fixedUri: system },
  ];
  const ids = (...systems: string[]) => patient({ identifier: systems.map((system) => ({ system, value: '1' })) });

  it('are told apart by a value, counted, and checked, also in differentials without ids', () => {
    const p = sliced(
      byValue,
      ...slice('a', 'urn:a', { min: 1, max: '1' }),
      { path: 'Patient.identifier.value', min: 1 },
      ...slice('b', 'urn:b', { max: '1' }),
    );
    expect(errorsOf(ids('urn:a', 'urn:c', 'urn:c'), p)).toEqual([]);
    expect(errorsOf(ids('urn:c'), p)).toEqual(['required Patient.identifier']);
    expect(errorsOf(ids('urn:a', 'urn:a'), p)).toEqual(['structure Patient.identifier']);
    expect(errorsOf(patient({ identifier: [{ system: 'urn:a' }] }), p)).toEqual([
      'required Patient.identifier[0].value',
    ]);
    expect(errorsOf(patient({ identifier: [{ system: 'urn:a', value: '1' }, { system: 'urn:b' }] }), p)).toEqual([]);
  });

  it('may be closed, open at the end, ordered', () => {
    const two = [...slice('a', 'urn:a'), ...slice('b', 'urn:b')];
    expect(errorsOf(ids('urn:a', 'urn:c'), sliced({ ...byValue, rules: 'closed' }, ...two))).toEqual([
      'structure Patient.identifier[1]',
    ]);
    const atEnd = sliced({ ...byValue, rules: 'openAtEnd' }, ...two);
    expect(errorsOf(ids('urn:a', 'urn:c'), atEnd)).toEqual([]);
    expect(errorsOf(ids('urn:c', 'urn:a'), atEnd)).toEqual(['structure Patient.identifier[1]']);
    const ordered = sliced({ ...byValue, ordered: true }, ...two);
    expect(errorsOf(ids('urn:a', 'urn:b'), ordered)).toEqual([]);
    expect(errorsOf(ids('urn:b', 'urn:a'), ordered)).toEqual(['structure Patient.identifier[1]']);
  });

  it('are told apart by a pattern, at any depth, or what fixes the whole', () => {
    const coding = { system: 'http://example.org/stone', code: 'granite' };
    const p = sliced(
      { discriminator: [{ type: 'pattern', path: 'type' }], rules: 'open' },
      { path: 'Patient.identifier', sliceName: 'stone', min: 1 },
      { path: 'Patient.identifier.type', patternCodeableConcept: { coding: [coding] } },
    );
    expect(errorsOf(patient({ identifier: [{ value: '1', type: { coding: [coding], text: 'x' } }] }), p)).toEqual([]);
    expect(errorsOf(patient({ identifier: [{ value: '1' }] }), p)).toEqual(['required Patient.identifier']);
    const deep = sliced(
      { discriminator: [{ type: 'value', path: 'type.coding.code' }], rules: 'open' },
      {
        path: 'Patient.identifier',
        sliceName: 'stone',
        min: 1,
        patternIdentifier: { type: { coding: [{ code: 'granite' }] } },
      },
    );
    expect(errorsOf(patient({ identifier: [{ value: '1', type: { coding: [coding] } }] }), deep)).toEqual([]);
    expect(errorsOf(patient({ identifier: [{ value: '1' }] }), deep)).toEqual(['required Patient.identifier']);
  });

  it('are told apart by what is there', () => {
    const p = sliced(
      { discriminator: [{ type: 'exists', path: 'period' }], rules: 'open' },
      { path: 'Patient.identifier', sliceName: 'dated', max: '1' },
      { path: 'Patient.identifier.period', min: 1 },
      { path: 'Patient.identifier', sliceName: 'undated' },
      { path: 'Patient.identifier.period', max: '0' },
      { path: 'Patient.identifier.use', min: 1 },
    );
    const dated = { value: '1', period: { start: '2024' } };
    expect(errorsOf(patient({ identifier: [dated, { value: '2', use: 'old' }] }), p)).toEqual([]);
    expect(errorsOf(patient({ identifier: [dated, dated] }), p)).toEqual(['structure Patient.identifier']);
    expect(errorsOf(patient({ identifier: [{ value: '2' }] }), p)).toEqual(['required Patient.identifier[0].use']);
  });

  it('are told apart by type: of a choice, and of what is referred to', () => {
    const choice = profile('Observation', [
      { path: 'Observation.value[x]', slicing: { discriminator: [{ type: 'type', path: '$this' }], rules: 'open' } },
      { path: 'Observation.value[x]', sliceName: 'valueQuantity', type: [{ code: 'Quantity' }] },
      { path: 'Observation.value[x].unit', min: 1 },
    ]);
    expect(errorsOf(observation({ valueQuantity: { value: 1 } }), choice)).toEqual(['required Observation.value.unit']);
    expect(errorsOf(observation({ valueString: 'x' }), choice)).toEqual([]);
    const base = 'http://hl7.org/fhir/StructureDefinition/';
    const target = profile('Observation', [
      {
        path: 'Observation.performer',
        slicing: { discriminator: [{ type: 'type', path: 'resolve()' }], rules: 'open' },
      },
      {
        path: 'Observation.performer',
        sliceName: 'who',
        min: 1,
        type: [{ code: 'Reference', targetProfile: [`${base}Practitioner`] }],
      },
    ]);
    const contained = (resourceType: string) => [
      { resourceType, id: 'x', ...(resourceType === 'Organization' ? { name: 'x' } : {}) },
    ];
    const by = (type: string) => observation({ contained: contained(type), performer: [{ reference: '#x' }] });
    expect(errorsOf(by('Practitioner'), target)).toEqual([]);
    expect(errorsOf(by('Organization'), target)).toEqual(['required Observation.performer']);
  });

  it('are told apart by the profile of a resource in a Bundle', () => {
    const named = profile('Patient', [{ path: 'Patient.name', min: 1 }], { url: `${url}-named` });
    const p = profile('Bundle', [
      { path: 'Bundle.entry', slicing: { discriminator: [{ type: 'profile', path: 'resource' }], rules: 'open' } },
      { path: 'Bundle.entry', sliceName: 'named', min: 1 },
      { path: 'Bundle.entry.resource', type: [{ code: 'Patient', profile: [named.url] }] },
    ]);
    const bundle = (resource: object) => ({ resourceType: 'Bundle', type: 'collection', entry: [{ resource }] });
    expect(errorsOf(bundle(patient({ name: [{ family: 'x' }] })), p, named)).toEqual([]);
    expect(errorsOf(bundle(patient()), p, named)).toEqual(['required Bundle.entry']);
  });

  it('of extensions are counted where the definition of the extension is not at hand too', () => {
    const profileOf = ['http://example.org/StructureDefinition/e|1.0'];
    const p = profile('Patient', [
      {
        path: 'Patient.extension',
        sliceName: 'e',
        min: 1,
        max: '1',
        type: [{ code: 'Extension', profile: profileOf }],
      },
    ]);
    const e = { url: 'http://example.org/StructureDefinition/e', valueCode: 'x' };
    const other = { ...e, url: 'http://example.org/StructureDefinition/f' };
    expect(errorsOf(patient({ extension: [e, other] }), p)).toEqual([]);
    expect(errorsOf(patient({ extension: [other] }), p)).toEqual(['required Patient.extension']);
    expect(errorsOf(patient({ extension: [e, e] }), p)).toEqual(['structure Patient.extension']);
  });

  it('may be added to those of the base profile, and sliced again', () => {
    const base = { ...sliced(byValue, ...slice('a', 'urn:a')), url: `${url}-base` };
    const p = profile('Patient', [
      { id: 'Patient.identifier:a', path: 'Patient.identifier', sliceName: 'a', min: 1 },
      { id: 'Patient.identifier:a.value', path: 'Patient.identifier.value', fixedString: '1' },
      { id: 'Patient.identifier:b', path: 'Patient.identifier', sliceName: 'b', min: 1 },
      { id: 'Patient.identifier:b.system', path: 'Patient.identifier.system', fixedUri: 'urn:b' },
    ]);
    const derived = { ...p, baseDefinition: base.url };
    expect(errorsOf(ids('urn:a', 'urn:b'), derived, base)).toEqual([]);
    expect(errorsOf(ids('urn:a'), derived, base)).toEqual(['required Patient.identifier']);
    expect(
      errorsOf(patient({ identifier: [{ system: 'urn:a', value: '2' }, { system: 'urn:b' }] }), derived, base),
    ).toEqual(['value Patient.identifier[0].value']);
  });
});

describe('profiles', () => {
  it('are known by their snapshot when their base is not at hand', () => {
    const element = [{ path: 'Patient' }, { path: 'Patient.name', min: 1 }] as ElementDefinition[];
    const p = profile('Patient', [], { baseDefinition: 'http://nowhere.example/base', snapshot: { element } });
    expect(errorsOf(patient(), p)).toEqual(['required Patient.name']);
    expect(errorsOf(patient(), { ...p, snapshot: undefined } as never)).toEqual(['not-found Patient']);
    // Ids and addresses have types of FHIRPath there.
    const system = [{ code: 'http://hl7.org/fhirpath/System.String' }];
    const more = [...element, { path: 'Patient.id', type: system }, { path: 'Patient.extension.url', type: system }];
    const whole = patient({
      id: 'a',
      name: [{ family: 'x' }],
      extension: [{ url: 'http://a.example', valueCode: 'x' }],
    });
    expect(errorsOf(whole, { ...p, snapshot: { element: more as ElementDefinition[] } })).toEqual([]);
  });

  it('are about their type only', () => {
    expect(errorsOf(patient(), profile('Observation', []))).toEqual(['structure Patient']);
  });

  it('that lead back to themselves come to an end', () => {
    const type = [{ code: 'Reference', targetProfile: [url] }];
    const p = profile('Patient', [
      { path: 'Patient.link.other', type },
      { path: 'Patient.gender', min: 1 },
    ]);
    const linked = (reference: string) => ({ link: [{ other: { reference }, type: 'seealso' }], gender: 'male' });
    const back = { ...patient(linked('#')), id: 'back', meta: { profile: [url] } };
    expect(errorsOf(patient({ ...linked('#back'), contained: [back] }), p)).toEqual([]);
    const circle = (id: string) => ({
      fullUrl: `http://example.org/Patient/${id}`,
      resource: patient({
        id,
        gender: 'male',
        meta: { profile: [url] },
        link: [{ other: { reference: id === 'a' ? 'Patient/b' : 'Patient/a' }, type: 'seealso' }],
      }),
    });
    const bundle = { resourceType: 'Bundle', type: 'collection', entry: [circle('a'), circle('b')] };
    expect(errorsOf(bundle, { ...profile('Bundle', []), url: `${url}-bundle` }, p)).toEqual([]);
  });

  it('are declared by resources inside Bundles and by contained ones too', () => {
    const p = profile('Patient', [{ path: 'Patient.name', min: 1 }], { url: `${url}-named` });
    const any = profile('Bundle', []);
    const inner = patient({ meta: { profile: [p.url] } });
    const bundle = { resourceType: 'Bundle', type: 'collection', entry: [{ resource: inner }] };
    expect(errorsOf(bundle, any, p)).toEqual(['required Bundle.entry[0].resource.name']);
  });
});

describe('extensions of known definition', () => {
  const birthPlace = 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace';
  const issues = (resource: object) =>
    inspectResource(resource)
      .issues.filter(({ severity }) => severity === 'error')
      .map(({ code, expression }) => `${code} ${expression?.[0]}`);

  it('have the value and the place it gives them; what is not known may be anything', () => {
    expect(issues(patient({ extension: [{ url: birthPlace, valueAddress: { city: 'x' } }] }))).toEqual([]);
    expect(issues(patient({ extension: [{ url: birthPlace, valueString: 'x' }] }))).toEqual([
      'structure Patient.extension[0].value',
    ]);
    expect(issues(patient({ name: [{ extension: [{ url: birthPlace, valueAddress: { city: 'x' } }] }] }))).toEqual([
      'structure Patient.name[0].extension[0]',
    ]);
    expect(issues(patient({ extension: [{ url: 'http://example.org/x', valueString: 'x' }] }))).toEqual([]);
    expect(issues(patient({ extension: [{ url: 'x', valueString: 'x' }] }))).toEqual([
      'value Patient.extension[0].url',
    ]);
  });

  it('have the parts it names', () => {
    const clock = 'https://fhir.passerelle.example/StructureDefinition/clock';
    const task = (...extension: object[]) => ({
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      extension: [{ url: clock, extension }],
    });
    expect(issues(task({ url: 'late', valueBoolean: true }))).toEqual([]);
    expect(issues(task({ url: 'late', valueString: 'x' }))).toEqual(['structure Task.extension[0].extension[0].value']);
    expect(issues(task({ url: 'early', valueBoolean: true }))).not.toEqual([]);
    expect(issues(task({ url: 'late', valueBoolean: true }, { url: 'late', valueBoolean: true }))).toEqual([
      'structure Task.extension[0].extension',
    ]);
  });
});
