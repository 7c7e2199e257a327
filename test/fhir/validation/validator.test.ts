import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { validateResource } from '../../../src/fhir/validation/index.ts';
import { processorMs } from '../../support/processor-time.ts';

/** `code expression` of every issue. */
function issuesOf(resource: unknown): string[] {
  return validateResource(resource).map((issue) => `${issue.code} ${issue.expression?.join()}`);
}

function patient(content: object): object {
  return { resourceType: 'Patient', ...content };
}

function narrative(inner: string, div = `<div xmlns="http://www.w3.org/1999/xhtml">${inner}</div>`): object {
  return patient({ text: { status: 'generated', div } });
}

/** JSON.parse keeps what an object literal would not. */
function parsed(json: string): unknown {
  return JSON.parse(json);
}

describe('structure', () => {
  it.each<[string, unknown, string[]]>([
    ['no object', 'Patient', ['structure ']],
    ['null', null, ['structure ']],
    ['no type', {}, ['required resourceType']],
    ['a type that is none', { resourceType: 'Unicorn' }, ['structure resourceType']],
    ['an abstract type', { resourceType: 'DomainResource' }, ['structure resourceType']],
    ['a type hidden in the prototype', { resourceType: 'constructor' }, ['structure resourceType']],
    ['an array for one value', patient({ gender: ['male'] }), ['structure Patient.gender']],
    ['one value for an array', patient({ name: { family: 'x' } }), ['structure Patient.name']],
    ['an empty array', patient({ name: [] }), ['structure Patient.name']],
    ['an empty object', patient({ name: [{}] }), ['invariant Patient.name[0]']],
    ['an id and nothing else', patient({ name: [{ id: 'a' }] }), ['invariant Patient.name[0]']],
    ['null for a value', patient({ birthDate: null }), ['structure Patient.birthDate']],
    ['null in an array of objects', patient({ name: [null] }), ['structure Patient.name[0]']],
    ['text for an object', patient({ maritalStatus: 'single' }), ['structure Patient.maritalStatus']],
    ['an element of another type', patient({ status: 'active' }), ['structure Patient.status']],
    ['a property named __proto__', parsed('{"resourceType":"Patient","__proto__":{"a":1}}'), ['structure Patient']],
    ['a name that may be a person', patient({ 'Jean Dupont': 1 }), ['structure Patient']],
    [
      'two types of one choice',
      patient({ deceasedBoolean: true, deceasedDateTime: '2020' }),
      ['structure Patient.deceased'],
    ],
    ['a type the choice has not', patient({ deceasedString: 'x' }), ['structure Patient.deceasedString']],
    [
      'required elements missing',
      { resourceType: 'Observation' },
      ['required Observation.status', 'required Observation.code'],
    ],
    [
      'a required choice missing',
      { resourceType: 'MedicationRequest', status: 'active', intent: 'order', subject: { display: 'x' } },
      ['required MedicationRequest.medication'],
    ],
    [
      'a comparator in a simple quantity',
      { resourceType: 'Substance', code: { text: 'x' }, instance: [{ quantity: { value: 1, comparator: '<' } }] },
      ['structure Substance.instance[0].quantity.comparator'],
    ],
  ])('refuses %s', (_, resource, expected) => {
    expect(issuesOf(resource)).toEqual(expected);
  });

  it('accepts undefined properties, which JSON does not have', () => {
    expect(issuesOf(patient({ gender: undefined, name: [{ family: 'x', given: undefined }] }))).toEqual([]);
  });

  it('ends at a depth, and with a number of issues', () => {
    let item: object = { linkId: '1', type: 'group' };
    for (let depth = 0; depth < 100; depth++) item = { linkId: `${depth + 2}`, type: 'group', item: [item] };
    expect(issuesOf({ resourceType: 'Questionnaire', status: 'draft', item: [item] })).toEqual([
      expect.stringMatching(/^too-long Questionnaire\.item\[0\]\.item\[0\]/),
    ]);
    expect(issuesOf(patient({ name: Array(500).fill({}) }))).toHaveLength(100);
  });

  it('never repeats a value', () => {
    const bad = patient({
      birthDate: 'TEST-SECRET',
      gender: 'TEST-SECRET',
      name: 'TEST-SECRET',
      'TEST-SECRET x': 1,
      generalPractitioner: [{ reference: 'TEST-SECRET' }],
    });
    expect(validateResource(bad)).toHaveLength(5);
    expect(JSON.stringify(validateResource(bad))).not.toContain('SECRET');
  });
});

describe('primitive values', () => {
  const accepted: Record<string, unknown[]> = {
    Date: ['2024', '2024-02', '2024-02-29', '2000-02-29', '9999-12-31'],
    DateTime: ['2024-06', '2024-06-30T00:00:00Z', '2024-06-30T23:59:60.123456+14:00'],
    Instant: ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00.001-05:00'],
    Time: ['00:00:00', '23:59:60.5'],
    Decimal: [0, -0.5, 1e21],
    Integer: [-2147483648, 0, 2147483647],
    PositiveInt: [1, 2147483647],
    UnsignedInt: [0],
    Id: ['a', 'A-1.b', 'x'.repeat(64)],
    Code: ['a', 'a b'],
    String: [' ', 'é\u00a0x', 'a\r\n\tb', '😀', 'x'.repeat(1024 * 1024)],
    Uri: ['urn:x', 'é', '#a'],
    Oid: ['urn:oid:0.0', 'urn:oid:1.2.250'],
    Uuid: ['urn:uuid:c757873d-ec9a-4326-a141-556f43239520'],
    Base64Binary: ['QQ==', 'QUI=', 'QUJD', 'QUJD\n QUJD'],
    Boolean: [true, false],
  };
  const refused: Record<string, unknown[]> = {
    Date: [
      '0000',
      '24',
      '2024-13',
      '2024-00',
      '2023-02-29',
      '1900-02-29',
      '2024-04-31',
      '2024-2-1',
      '2024-01-01T00:00:00Z',
      2024,
    ],
    DateTime: [
      '2024-01-01T00:00:00',
      '2024-01-01T24:00:00Z',
      '2024-01-01T10:00Z',
      '2024-02-30T00:00:00Z',
      '2024-01-01T00:00:00+15:00',
      '2024-01-01 00:00:00Z',
    ],
    Instant: ['2024-01-01', '2024-01-01T00:00:00', '2024'],
    Time: ['24:00:00', '10:00', '10:00:00Z'],
    Decimal: ['1.0', Number.NaN, Number.POSITIVE_INFINITY, true],
    Integer: [1.5, 2147483648, -2147483649, '1'],
    PositiveInt: [0, -1],
    UnsignedInt: [-1, 0.5],
    Id: ['', 'a_b', 'é', 'x'.repeat(65), 'a b'],
    Code: ['', ' a', 'a ', 'a  b'],
    String: ['', 'a\u0000b', '\u0007', '\ud800', 'x'.repeat(1024 * 1024 + 1), 1, true],
    Uri: ['', 'a b', '\n'],
    Oid: ['1.2', 'urn:oid:3.1', 'urn:oid:1', 'urn:oid:1.02'],
    Uuid: ['urn:uuid:C757873D-EC9A-4326-A141-556F43239520', 'c757873d-ec9a-4326-a141-556f43239520'],
    Base64Binary: ['', 'Q', 'QQ', 'QQ=', 'Q===', '====', 'Q*==', '-_A='],
    Boolean: ['true', 0, 1],
  };
  const extension = (type: string, value: unknown) => ({
    resourceType: 'Basic',
    code: { text: 'x' },
    extension: [{ url: 'http://example.org', [`value${type}`]: value }],
  });

  it.each(Object.keys(accepted))('accepts every legal form of %s', (type) => {
    for (const value of accepted[type]!)
      expect(issuesOf(extension(type, value)), String(value).slice(0, 60)).toEqual([]);
  });

  it.each(Object.keys(refused))('refuses every other form of %s', (type) => {
    for (const value of refused[type]!)
      expect(issuesOf(extension(type, value)), String(value).slice(0, 60)).toEqual(['value Basic.extension[0].value']);
  });
});

describe('extensions of primitives', () => {
  const absent = {
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' }],
  };

  it('stand beside a value, or in its place', () => {
    expect(issuesOf(patient({ birthDate: '2000', _birthDate: absent }))).toEqual([]);
    expect(issuesOf(patient({ _birthDate: absent }))).toEqual([]);
    expect(issuesOf(patient({ birthDate: '2000', _birthDate: { id: 'b' } }))).toEqual([]);
    expect(issuesOf(patient({ name: [{ given: ['a', 'b'], _given: [null, { id: 'b' }] }] }))).toEqual([]);
    expect(issuesOf(patient({ name: [{ given: ['a', null], _given: [null, absent] }] }))).toEqual([]);
    expect(issuesOf({ resourceType: 'Observation', _status: absent, code: { text: 'x' } })).toEqual([]);
    expect(issuesOf(patient({ _deceasedBoolean: absent, deceasedBoolean: true }))).toEqual([]);
  });

  it('are checked like any element', () => {
    expect(issuesOf(patient({ _birthDate: { extension: [{ url: 'http://x' }] } }))).toEqual([
      'invariant Patient.birthDate.extension[0]',
    ]);
    expect(issuesOf(patient({ _birthDate: 'x' }))).toEqual(['structure Patient.birthDate']);
    expect(issuesOf(patient({ _birthDate: { id: 'b' } }))).toEqual(['invariant Patient.birthDate']);
    expect(issuesOf(patient({ birthDate: '2000', _birthDate: {} }))).toEqual(['invariant Patient.birthDate']);
    expect(issuesOf(patient({ name: [{ given: ['a', null], _given: [null, { id: 'b' }] }] }))).toEqual([
      'invariant Patient.name[0].given[1]',
    ]);
    expect(issuesOf(patient({ _name: [{}] }))).toEqual(['structure Patient._name']);
    // What XML has as an attribute or as XHTML has no extensions; an address of an extension is not replaced by one either.
    expect(issuesOf(patient({ name: [{ family: 'x', _id: absent }] }))).toEqual(['structure Patient.name[0]._id']);
    expect(issuesOf(patient({ extension: [{ _url: absent, valueCode: 'x' }] }))).toEqual([
      'structure Patient.extension[0]._url',
      'required Patient.extension[0].url',
    ]);
    expect(issuesOf(patient({ text: { status: 'generated', _div: absent } }))).toEqual([
      'structure Patient.text._div',
      'required Patient.text.div',
    ]);
    expect(issuesOf(patient({ name: [{ given: ['a', null] }] }))).toEqual(['structure Patient.name[0].given[1]']);
    expect(issuesOf(patient({ name: [{ given: [null], _given: [null] }] })).sort()).toEqual(
      Array(2).fill('structure Patient.name[0].given[0]'),
    );
    expect(issuesOf(patient({ deceasedBoolean: true, _deceasedDateTime: absent }))).toEqual([
      'structure Patient.deceased',
    ]);
  });
});

describe('extensions', () => {
  const url = 'http://example.org';
  it.each<[object, string[]]>([
    [{ url, valueString: 'x' }, []],
    [{ url, extension: [{ url: 'a', valueCode: 'b' }] }, []],
    [{ url }, ['invariant Patient.extension[0]']],
    [{ valueString: 'x' }, ['required Patient.extension[0].url']],
    [{ url, valueString: 'x', extension: [{ url: 'a', valueCode: 'b' }] }, ['invariant Patient.extension[0]']],
    [{ url, valueString: 'x', valueCode: 'x' }, ['structure Patient.extension[0].value']],
    [{ url, extension: [{ url: 'a' }] }, ['invariant Patient.extension[0].extension[0]']],
  ])('have an address and either a value or extensions: %j', (extension, expected) => {
    expect(issuesOf(patient({ extension: [extension] }))).toEqual(expected);
  });
});

describe('required bindings', () => {
  it('take codes of the value set only', () => {
    expect(issuesOf(patient({ gender: 'female' }))).toEqual([]);
    expect(issuesOf(patient({ gender: 'Female' }))).toEqual(['code-invalid Patient.gender']);
    expect(issuesOf(patient({ telecom: [{ system: 'pigeon' }] }))).toEqual(['code-invalid Patient.telecom[0].system']);
    const task = (intent: string) => ({ resourceType: 'Task', status: 'requested', intent });
    // task-intent draws on two code systems.
    expect(issuesOf(task('order'))).toEqual([]);
    expect(issuesOf(task('unknown'))).toEqual([]);
    expect(issuesOf(task('wish'))).toEqual(['code-invalid Task.intent']);
  });

  it('look at the system of a coding', () => {
    const condition = (coding: object[], text?: string) => ({
      resourceType: 'Condition',
      subject: { display: 'x' },
      clinicalStatus: { coding, ...(text ? { text } : {}) },
    });
    const system = 'http://terminology.hl7.org/CodeSystem/condition-clinical';
    expect(issuesOf(condition([{ system, code: 'active' }]))).toEqual([]);
    expect(
      issuesOf(
        condition([
          { system: 'http://example.org', code: 'a' },
          { system, code: 'active' },
        ]),
      ),
    ).toEqual([]);
    expect(issuesOf(condition([{ system: 'http://example.org', code: 'active' }]))).toEqual([
      'code-invalid Condition.clinicalStatus',
    ]);
    expect(issuesOf(condition([{ code: 'active' }]))).toEqual(['code-invalid Condition.clinicalStatus']);
  });

  it('know media types and currencies by their syntax', () => {
    const binary = (contentType: string) => ({ resourceType: 'Binary', contentType });
    for (const type of ['application/pdf', 'text/plain; charset=utf-8', 'application/fhir+json'])
      expect(issuesOf(binary(type)), type).toEqual([]);
    expect(issuesOf(binary('not a type'))).toEqual(['code-invalid Binary.contentType']);
    const charge = (currency: string) => ({
      resourceType: 'ChargeItem',
      status: 'planned',
      code: { text: 'x' },
      subject: { display: 'x' },
      priceOverride: { value: 1, currency },
    });
    expect(issuesOf(charge('EUR'))).toEqual([]);
    expect(issuesOf(charge('euro'))).toEqual(['code-invalid ChargeItem.priceOverride.currency']);
  });
});

describe('references', () => {
  const observation = (subject: object, more: object = {}) => ({
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject,
    ...more,
  });
  const at = 'value Observation.subject.reference';

  it.each([
    ...['Patient/1', 'Patient/1/_history/2', 'http://example.org/fhir/Patient/1', 'https://h/Patient/a.b-C'],
    ...['urn:uuid:c757873d-ec9a-4326-a141-556f43239520', 'urn:oid:1.2.3', 'http://example.org/anything'],
  ])('accept %s', (reference) => {
    expect(issuesOf(observation({ reference }))).toEqual([]);
  });

  it.each([
    'Patient',
    'Patient/',
    'Patient/a_b',
    '1',
    'Unicorn/1',
    'patient/1',
    'javascript:alert(1)',
    'Patient?identifier=x',
    'Organization/1',
    'http://example.org/fhir/Organization/1',
    'urn:uuid:x',
    'Patient/1/2',
  ])('refuse %s', (reference) => {
    expect(issuesOf(observation({ reference }))).toEqual([at]);
  });

  it('must have the types their element allows, and say them truly', () => {
    expect(issuesOf(observation({ reference: 'Patient/1', type: 'Patient' }))).toEqual([]);
    expect(issuesOf(observation({ reference: 'Patient/1', type: 'Group' }))).toEqual([
      'value Observation.subject.type',
    ]);
    expect(issuesOf(observation({ type: 'Organization', display: 'x' }))).toEqual(['value Observation.subject.type']);
    expect(issuesOf(observation({ identifier: { value: '1' } }))).toEqual([]);
  });

  it('find what they contain', () => {
    const contained = [{ resourceType: 'Patient', id: 'p' }];
    const practitioner = { resourceType: 'Practitioner', id: 'q' };
    expect(issuesOf(observation({ reference: '#p' }, { contained }))).toEqual([]);
    expect(issuesOf(observation({ reference: '#x' }, { contained }))).toEqual([
      'invariant Observation.contained[0]',
      'invariant Observation.subject.reference',
    ]);
    expect(issuesOf(observation({ reference: '#q' }, { contained: [practitioner] }))).toEqual([at]);
    expect(issuesOf(observation({ reference: '#p' }))).toEqual(['invariant Observation.subject.reference']);
    // The container by itself, from inside it only, and of a type the element allows.
    expect(issuesOf(observation({ reference: '#' }))).toEqual(['invariant Observation.subject.reference']);
    const inner = { ...observation({ reference: '#' }), id: 'o' };
    expect(issuesOf({ resourceType: 'Patient', contained: [inner] })).toEqual([]);
    expect(issuesOf({ resourceType: 'Organization', name: 'x', contained: [inner] })).toEqual([
      'value Organization.contained[0].subject.reference',
    ]);
  });

  it('may be searches inside a transaction only', () => {
    const bundle = (type: string) => ({
      resourceType: 'Bundle',
      type,
      entry: [
        {
          resource: observation({ reference: 'Patient?identifier=x' }),
          ...(type === 'transaction' ? { request: { method: 'POST', url: 'Observation' } } : {}),
        },
      ],
    });
    expect(issuesOf(bundle('transaction'))).toEqual([]);
    expect(issuesOf(bundle('collection'))).toEqual(['value Bundle.entry[0].resource.subject.reference']);
  });
});

describe('resources in resources', () => {
  it('say their type wherever they are', () => {
    const outcome = { issue: [{ severity: 'error', code: 'processing' }] };
    const bundle = (held: object) => ({
      resourceType: 'Bundle',
      type: 'batch-response',
      entry: [{ response: { status: '400', outcome: held } }],
    });
    expect(issuesOf(bundle({ resourceType: 'OperationOutcome', ...outcome }))).toEqual([]);
    expect(issuesOf(bundle(outcome))).toEqual(['required Bundle.entry[0].response.outcome.resourceType']);
    expect(issuesOf(bundle({ resourceType: 'OperationOutcome' }))).toEqual([
      'required Bundle.entry[0].response.outcome.issue',
    ]);
  });

  it('are checked where they are', () => {
    expect(
      issuesOf({
        resourceType: 'Bundle',
        type: 'collection',
        entry: [{ resource: patient({ gender: 'x' }) }, { resource: { resourceType: 'X' } }],
      }),
    ).toEqual(['code-invalid Bundle.entry[0].resource.gender', 'structure Bundle.entry[1].resource.resourceType']);
    expect(
      issuesOf({ resourceType: 'Parameters', parameter: [{ name: 'r', resource: patient({ active: 'x' }) }] }),
    ).toEqual(['value Parameters.parameter[0].resource.active']);
    const organization = { resourceType: 'Organization', id: 'o', name: 'x', active: 1 };
    expect(issuesOf(patient({ contained: [organization], managingOrganization: { reference: '#o' } }))).toEqual([
      'value Patient.contained[0].active',
    ]);
  });

  it('contain nothing themselves, have an id of their own and no version', () => {
    const organization = { resourceType: 'Organization', id: 'o', name: 'x' };
    expect(issuesOf(patient({ contained: [{ ...organization, contained: [organization] }] }))).toContain(
      'invariant Patient.contained[0].contained',
    );
    expect(issuesOf(patient({ contained: [{ resourceType: 'Organization', name: 'x' }] }))).toEqual([
      'required Patient.contained[0].id',
    ]);
    const holding = (...contained: object[]) => patient({ contained, managingOrganization: { reference: '#o' } });
    expect(issuesOf(holding(organization, organization))).toEqual(['duplicate Patient.contained']);
    expect(issuesOf(holding({ ...organization, meta: { versionId: '1' } }))).toEqual([
      'invariant Patient.contained[0].meta',
    ]);
    expect(issuesOf(holding({ ...organization, meta: { security: [{ code: 'R' }] } }))).toEqual([
      'invariant Patient.contained[0].meta',
    ]);
    expect(issuesOf(patient({ contained: [organization] }))).toEqual(['invariant Patient.contained[0]']);
    const telling = {
      resourceType: 'Provenance',
      id: 'p',
      target: [{ reference: '#' }],
      recorded: '2024-01-01T00:00:00Z',
    };
    expect(issuesOf(patient({ contained: [{ ...telling, agent: [{ who: { display: 'x' } }] }] }))).toEqual([]);
  });

  it('know their own contained resources only', () => {
    const inner = { resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject: { reference: '#p' } };
    const withPatient = { ...inner, contained: [{ resourceType: 'Patient', id: 'p' }] };
    const bundle = {
      resourceType: 'Bundle',
      type: 'collection',
      entry: [{ resource: withPatient }, { resource: inner }],
    };
    expect(issuesOf(bundle)).toEqual(['invariant Bundle.entry[1].resource.subject.reference']);
  });
});

describe('narrative', () => {
  it.each([
    '<p>x &amp; y &#233; &#xe9;</p>',
    '<table class="grid" border="1"><tr><td colspan="2" style="color: red">x</td></tr></table>',
    '<a href="https://example.org/?a=1&amp;b=2" title="x">x</a><a href="#y">y</a><a name="y"/><a href="Patient/1">z</a>',
    '<img src="data:image/png;base64,QUJD" alt="x"/><img src="#i" alt="x"/><!-- note --><br />',
    "<b lang='fr' xml:lang='fr'>x</b>",
    '',
  ])('may format: %s', (inner) => {
    expect(issuesOf(narrative(inner))).toEqual([]);
  });

  it.each([
    '<script>alert(1)</script>',
    '<SCRIPT>alert(1)</SCRIPT>',
    '<p onclick="alert(1)">x</p>',
    '<p OnClick="alert(1)">x</p>',
    '<a href="javascript:alert(1)">x</a>',
    '<a href="java&#9;script:alert(1)">x</a>',
    '<a href=" JAVASCRIPT:alert(1)">x</a>',
    '<a href="data:text/html,x">x</a>',
    '<img src="data:image/svg+xml,x" alt="x"/>',
    '<img src="javascript:alert(1)" alt="x"/>',
    ...[
      'iframe',
      'object',
      'embed',
      'form',
      'input',
      'link',
      'style',
      'svg',
      'math',
      'base',
      'meta',
      'video',
      'head',
      'body',
    ].map((name) => `<${name}>x</${name}>`),
    '<p style="background: url(http://example.org)">x</p>',
    '<p style="width: expression(alert(1))">x</p>',
    '<p style="background: u\\72l(x)">x</p>',
    '<p xmlns="http://www.w3.org/2000/svg">x</p>',
    '<x:script xmlns:x="http://www.w3.org/1999/xhtml">x</x:script>',
    '<![CDATA[<script>x</script>]]>',
    '<?xml-stylesheet href="x"?>',
    '<!--><script>alert(1)</script>-->',
    '<!-- a -- b -->',
    '&nbsp;',
    '&x;',
    '&#0;',
    '& x',
    '<p>x',
    'x</p>',
    '<b><i>x</b></i>',
    '<p class=x>x</p>',
    '<p class="a" class="b">x</p>',
    '<p title="<script>">x</p>',
    '< script>x</script>',
  ])('may not do more: %s', (inner) => {
    expect(issuesOf(narrative(inner))).toEqual(['value Patient.text.div']);
  });

  it.each([
    'x',
    '<p xmlns="http://www.w3.org/1999/xhtml">x</p>',
    '<div>x</div>',
    '<div xmlns="http://www.w3.org/1999/xhtml">x</div><p/>',
    '<!DOCTYPE html><div xmlns="http://www.w3.org/1999/xhtml">x</div>',
    ' ',
  ])('is one div of XHTML: %s', (div) => {
    expect(issuesOf(narrative('', div))).toEqual(['value Patient.text.div']);
  });

  it.each([0, 7, 0xb, 0x1f, 0xd800, 0xfffe])('may not have the character %i, which XML cannot carry', (code) => {
    expect(issuesOf(narrative(`a${String.fromCharCode(code)}b`))).toEqual(['value Patient.text.div']);
  });

  it('ends at a depth, and takes megabytes in linear time', () => {
    expect(issuesOf(narrative(`${'<b>'.repeat(200)}${'</b>'.repeat(200)}`))).toEqual(['value Patient.text.div']);
    for (const hostile of [
      '<a '.repeat(300_000),
      '<!--'.repeat(200_000),
      '&amp;'.repeat(150_000),
      `<p ${'a="" '.repeat(100_000)}`,
    ])
      expect(processorMs(() => void validateResource(narrative(hostile)))).toBeLessThan(1000);
  });
});

const examples = '../shared/fixtures/fhir-r4/resources';

describe.runIf(existsSync(examples))('the official examples of R4', () => {
  const files = existsSync(examples)
    ? readdirSync(examples, { recursive: true, encoding: 'utf8' }).filter(
        (name) => name.endsWith('.json') && name !== 'index.json',
      )
    : [];

  it('are valid but for the one that lacks its base', () => {
    const invalid = files.flatMap((file) => {
      const issues = issuesOf(JSON.parse(readFileSync(`${examples}/${file}`, 'utf8')));
      return issues.length > 0 ? [[file.split('/').at(-1), issues]] : [];
    });
    expect(files.length).toBeGreaterThanOrEqual(320);
    expect(invalid).toEqual([
      ['SearchParameter-valueset-extensions-ValueSet-keyword.json', ['required SearchParameter.base']],
    ]);
  });
});

describe('invariants', () => {
  it('say how several conditions of a question go together', () => {
    const condition = { question: '1', operator: 'exists', answerBoolean: true };
    const form = (enableWhen: object[], more: object = {}) => ({
      resourceType: 'Questionnaire',
      status: 'draft',
      item: [
        { linkId: '1', type: 'string' },
        { linkId: '2', type: 'string', enableWhen, ...more },
      ],
    });
    expect(issuesOf(form([condition]))).toEqual([]);
    expect(issuesOf(form([condition, condition]))).toEqual(['invariant Questionnaire.item[1]']);
    expect(issuesOf(form([condition, condition], { enableBehavior: 'any' }))).toEqual([]);
  });

  it('compare the ends of a range in one unit', () => {
    const risk = (low: object, high: object) => ({
      resourceType: 'RiskAssessment',
      status: 'final',
      subject: { display: 'x' },
      prediction: [{ whenRange: { low, high } }],
    });
    const age = (value: number, code: string) => ({ value, system: 'http://unitsofmeasure.org', code });
    expect(issuesOf(risk(age(18, 'mo'), age(2, 'a')))).toEqual([]);
    expect(issuesOf(risk(age(36, 'mo'), age(2, 'a')))).toEqual(['invariant RiskAssessment.prediction[0].when']);
    expect(issuesOf(risk(age(36, 'mo'), age(2, 'kg')))).toEqual([]);
  });
});
