import type {
  CodeSystem,
  ConceptMap,
  OperationOutcome,
  Parameters,
  ParametersParameter,
  ValueSet,
} from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { validateResource } from '../../../src/fhir/index.ts';
import { type TestServer, testServer } from '../rest/server.ts';

let server: TestServer;
const json = { 'content-type': 'application/fhir+json' };

const anatomy: CodeSystem = {
  resourceType: 'CodeSystem',
  id: 'anatomy',
  url: 'urn:test:anatomy',
  version: '2',
  name: 'Anatomy',
  title: 'Anatomie',
  language: 'fr',
  status: 'active',
  content: 'complete',
  hierarchyMeaning: 'is-a',
  property: [
    { code: 'side', type: 'code', description: 'Côté' },
    { code: 'status', type: 'code' },
  ],
  concept: [
    {
      code: 'body',
      display: 'Corps',
      property: [{ code: 'notSelectable', valueBoolean: true }],
      concept: [
        {
          code: 'head',
          display: 'Tête',
          definition: 'Ce qui est au-dessus du cou.',
          designation: [{ language: 'en', value: 'Head' }],
          concept: [
            { code: 'eye-l', display: 'Œil gauche', property: [{ code: 'side', valueCode: 'left' }] },
            { code: 'eye-r', display: 'Œil droit', property: [{ code: 'side', valueCode: 'right' }] },
          ],
        },
        { code: 'tail', display: 'Queue', property: [{ code: 'status', valueCode: 'retired' }] },
        { code: 'hand', display: 'Main' },
      ],
    },
  ],
};

const valueSet = (id: string, compose: ValueSet['compose']): ValueSet => ({
  resourceType: 'ValueSet',
  id,
  url: `urn:test:vs:${id}`,
  status: 'active',
  compose,
});

const head = valueSet('head', {
  include: [{ system: 'urn:test:anatomy', filter: [{ property: 'concept', op: 'is-a', value: 'head' }] }],
});
const all = valueSet('all', { include: [{ system: 'urn:test:anatomy' }] });

const map: ConceptMap = {
  resourceType: 'ConceptMap',
  id: 'map',
  url: 'urn:test:map',
  status: 'active',
  sourceUri: 'urn:test:vs:all',
  targetUri: 'urn:test:vs:other',
  group: [
    {
      source: 'urn:test:anatomy',
      target: 'urn:test:other',
      element: [
        {
          code: 'head',
          target: [
            {
              code: 'H',
              display: 'Haupt',
              equivalence: 'wider',
              product: [{ property: 'urn:test:side', system: 'urn:test:sides', value: 'both' }],
            },
          ],
        },
        {
          code: 'hand',
          target: [
            { code: 'HL', equivalence: 'equal', dependsOn: [{ property: 'urn:test:side', value: 'left' }] },
            { code: 'HR', equivalence: 'equal', dependsOn: [{ property: 'urn:test:side', value: 'right' }] },
          ],
        },
        { code: 'tail', target: [{ equivalence: 'unmatched' }] },
      ],
      unmapped: { mode: 'fixed', code: '?', display: 'unknown' },
    },
  ],
};

beforeAll(async () => {
  server = await testServer();
  for (const resource of [anatomy, head, all, map]) expect(await put(resource)).toMatchObject({ status: 201 });
});
afterAll(() => server.close());

const put = (resource: CodeSystem | ValueSet | ConceptMap) =>
  server.request({
    method: 'PUT',
    url: `/fhir/${resource.resourceType}/${resource.id}`,
    headers: json,
    payload: resource,
  });

async function get<T>(url: string, status = 200): Promise<T> {
  const answer = await server.request({ method: 'GET', url: `/fhir/${url}` });
  expect(answer.status, answer.text).toBe(status);
  expect(validateResource(answer.body)).toEqual([]);
  return answer.body;
}

async function post<T>(url: string, parameter: ParametersParameter[], status = 200): Promise<T> {
  const payload = { resourceType: 'Parameters', parameter };
  const answer = await server.request({ method: 'POST', url: `/fhir/${url}`, headers: json, payload });
  expect(answer.status, answer.text).toBe(status);
  expect(validateResource(answer.body)).toEqual([]);
  return answer.body;
}

const named = (parameters: Parameters, name: string) => parameters.parameter!.filter((item) => item.name === name);
const codes = (set: ValueSet) => (set.expansion!.contains ?? []).map(({ code }) => code);

describe('CodeSystem/$lookup', () => {
  it('tells names, designations, properties and place of a code', async () => {
    const found = await get<Parameters>('CodeSystem/$lookup?system=urn:test:anatomy&code=head');
    expect(found.parameter).toEqual(
      expect.arrayContaining([
        { name: 'name', valueString: 'Anatomie' },
        { name: 'version', valueString: '2' },
        { name: 'display', valueString: 'Tête' },
        {
          name: 'designation',
          part: [
            { name: 'language', valueCode: 'en' },
            { name: 'value', valueString: 'Head' },
          ],
        },
        {
          name: 'property',
          part: [
            { name: 'code', valueCode: 'parent' },
            { name: 'value', valueCode: 'body' },
          ],
        },
      ]),
    );
    const children = named(found, 'property').filter(({ part }) => part![0]!.valueCode === 'child');
    expect(children.map(({ part }) => part![1]!.valueCode)).toEqual(['eye-l', 'eye-r']);
  });

  it('tells only the properties asked for, in the language asked for', async () => {
    const found = await get<Parameters>(
      'CodeSystem/$lookup?system=urn:test:anatomy&code=head&property=definition&displayLanguage=en',
    );
    expect(found.parameter).toEqual([
      { name: 'name', valueString: 'Anatomie' },
      { name: 'version', valueString: '2' },
      { name: 'display', valueString: 'Head' },
      {
        name: 'property',
        part: [
          { name: 'code', valueCode: 'definition' },
          { name: 'value', valueString: 'Ce qui est au-dessus du cou.' },
        ],
      },
    ]);
  });

  it('takes a Coding, and knows R4', async () => {
    const coding = { system: 'http://hl7.org/fhir/administrative-gender', code: 'female' };
    const found = await post<Parameters>('CodeSystem/$lookup', [{ name: 'coding', valueCoding: coding }]);
    expect(named(found, 'display')[0]!.valueString).toBe('Female');
  });

  it('answers not-found for a system or code that is not known, and 400 for half a question', async () => {
    const outcome = async (query: string, status: number) =>
      (await get<OperationOutcome>(`CodeSystem/$lookup?${query}`, status)).issue[0]!.code;
    expect(await outcome('system=urn:nowhere&code=x', 404)).toBe('not-found');
    expect(await outcome('system=urn:test:anatomy&code=wing', 404)).toBe('not-found');
    expect(await outcome('system=urn:test:anatomy&version=1&code=head', 404)).toBe('not-found');
    expect(await outcome('code=head', 400)).toBe('invalid');
    expect(await outcome('system=urn:test:anatomy&code=head&colour=blue', 400)).toBe('invalid');
  });

  it('names the parameter it refuses', async () => {
    const expressions = async (path: string, status = 400) =>
      (await get<OperationOutcome>(path, status)).issue.flatMap(({ expression }) => expression);
    const at = (name: string) => [`Parameters.parameter.where(name = '${name}')`];
    expect(await expressions('CodeSystem/$lookup?system=urn:test:anatomy&code=head&colour=blue')).toEqual(at('colour'));
    expect(await expressions('CodeSystem/$lookup?code=head')).toEqual(at('system'));
    expect(await expressions('ValueSet/$expand?url=urn:test:vs:head&count=x')).toEqual(at('count'));
    expect(await expressions('ValueSet/$expand?context=x', 422)).toEqual(at('context'));
    expect(await expressions('CodeSystem/$subsumes?codeA=head&system=urn:test:anatomy')).toEqual(at('codeB'));
  });
});

describe('CodeSystem/$subsumes', () => {
  it('says which code stands above', async () => {
    const outcome = async (a: string, b: string) =>
      named(await get<Parameters>(`CodeSystem/$subsumes?system=urn:test:anatomy&codeA=${a}&codeB=${b}`), 'outcome')[0]!
        .valueCode;
    expect(await outcome('body', 'eye-l')).toBe('subsumes');
    expect(await outcome('eye-l', 'body')).toBe('subsumed-by');
    expect(await outcome('head', 'head')).toBe('equivalent');
    expect(await outcome('head', 'hand')).toBe('not-subsumed');
  });

  it('is asked of an instance too, and refuses codes that do not exist', async () => {
    const at = 'CodeSystem/anatomy/$subsumes';
    expect(await get(`${at}?codeA=body&codeB=hand`)).toMatchObject({ parameter: [{ valueCode: 'subsumes' }] });
    expect(await get(`${at}?codeA=body&codeB=wing`, 422)).toMatchObject({ issue: [{ code: 'code-invalid' }] });
    expect(await get('CodeSystem/none/$subsumes?codeA=body&codeB=wing', 404)).toMatchObject({});
  });
});

describe('$validate-code', () => {
  const result = (answer: Parameters) => named(answer, 'result')[0]!.valueBoolean;

  it('judges a code of a code system, its display and its abstractness', async () => {
    const ask = (query: string) => get<Parameters>(`CodeSystem/$validate-code?url=urn:test:anatomy&${query}`);
    expect(await ask('code=head')).toMatchObject({
      parameter: [
        { name: 'result', valueBoolean: true },
        { name: 'display', valueString: 'Tête' },
      ],
    });
    expect(result(await ask('code=wing'))).toBe(false);
    expect(result(await ask(`code=head&display=${encodeURIComponent('tête')}`))).toBe(true);
    expect(result(await ask('code=head&display=Head'))).toBe(true);
    const wrong = await ask('code=head&display=Pied');
    expect(result(wrong)).toBe(false);
    expect(named(wrong, 'message')).toHaveLength(1);
    expect(named(wrong, 'display')[0]!.valueString).toBe('Tête');
    expect(result(await ask('code=body'))).toBe(true);
    expect(result(await ask('code=body&abstract=false'))).toBe(false);
  });

  it('judges by instance, by Coding and by CodeableConcept', async () => {
    expect(result(await get('CodeSystem/anatomy/$validate-code?code=hand'))).toBe(true);
    const coding = (code: string) => ({ system: 'urn:test:anatomy', code });
    const concept = (...list: string[]) =>
      post<Parameters>('ValueSet/head/$validate-code', [
        { name: 'codeableConcept', valueCodeableConcept: { coding: list.map(coding) } },
      ]);
    expect(result(await concept('hand', 'eye-l'))).toBe(true);
    expect(result(await concept('hand', 'tail'))).toBe(false);
    const one = await post<Parameters>('CodeSystem/$validate-code', [
      { name: 'url', valueUri: 'urn:test:anatomy' },
      { name: 'coding', valueCoding: { ...coding('head'), system: 'urn:test:else' } },
    ]);
    expect(result(one)).toBe(false);
  });

  it('judges membership of a value set, also one sent along', async () => {
    const ask = (query: string) => get<Parameters>(`ValueSet/$validate-code?url=urn:test:vs:head&${query}`);
    expect(result(await ask('system=urn:test:anatomy&code=eye-l'))).toBe(true);
    expect(result(await ask('system=urn:test:anatomy&code=hand'))).toBe(false);
    expect(result(await ask('system=urn:test:anatomy&code=eye-l&systemVersion=1'))).toBe(false);
    expect(result(await ask('code=eye-l'))).toBe(true);
    const sent = await post<Parameters>('ValueSet/$validate-code', [
      { name: 'valueSet', resource: valueSet('sent', { include: [{ system: 'urn:x', concept: [{ code: 'a' }] }] }) },
      { name: 'coding', valueCoding: { system: 'urn:x', code: 'a' } },
    ]);
    expect(result(sent)).toBe(true);
  });

  it('refuses what it cannot judge', async () => {
    expect(await get('ValueSet/$validate-code?url=urn:nowhere&code=x', 404)).toMatchObject({
      issue: [{ code: 'not-found' }],
    });
    expect(await get('CodeSystem/$validate-code?url=urn:nowhere&code=x', 404)).toMatchObject({});
    expect(await get('ValueSet/$validate-code?url=urn:test:vs:head', 400)).toMatchObject({
      issue: [{ code: 'invalid' }],
    });
  });
});

describe('ValueSet/$expand', () => {
  const expand = (query: string) => get<ValueSet>(`ValueSet/$expand?url=urn:test:vs:all&${query}`);
  const composed = async (compose: ValueSet['compose'], ...more: ParametersParameter[]) =>
    codes(
      await post<ValueSet>('ValueSet/$expand', [{ name: 'valueSet', resource: valueSet('sent', compose) }, ...more]),
    );
  const filtered = (property: string, op: string, value: string) =>
    composed({ include: [{ system: 'urn:test:anatomy', filter: [{ property, op: op as 'is-a', value }] }] });

  it('lists the codes with what the answer was made of', async () => {
    const set = await get<ValueSet>('ValueSet/head/$expand');
    expect(set).toMatchObject({ resourceType: 'ValueSet', url: 'urn:test:vs:head', status: 'active' });
    expect(set.compose).toBeUndefined();
    expect(set.expansion).toMatchObject({ total: 3, offset: 0 });
    expect(set.expansion!.identifier).toMatch(/^urn:uuid:/);
    expect(set.expansion!.parameter).toEqual([{ name: 'version', valueUri: 'urn:test:anatomy|2' }]);
    expect(set.expansion!.contains![0]).toEqual({ system: 'urn:test:anatomy', code: 'head', display: 'Tête' });
    expect((await get<ValueSet>('ValueSet/head/$expand?includeDefinition=true')).compose).toEqual(head.compose);
  });

  it('evaluates each filter operator', async () => {
    expect(await filtered('concept', 'is-a', 'head')).toEqual(['head', 'eye-l', 'eye-r']);
    expect(await filtered('concept', 'descendent-of', 'head')).toEqual(['eye-l', 'eye-r']);
    expect(await filtered('concept', 'is-not-a', 'head')).toEqual(['body', 'tail', 'hand']);
    expect(await filtered('concept', 'generalizes', 'eye-l')).toEqual(['body', 'head', 'eye-l']);
    expect(await filtered('code', 'regex', 'eye-.')).toEqual(['eye-l', 'eye-r']);
    expect(await filtered('display', 'regex', 'Œil.*')).toEqual(['eye-l', 'eye-r']);
    expect(await filtered('side', '=', 'left')).toEqual(['eye-l']);
    expect(await filtered('side', 'in', 'left, right')).toEqual(['eye-l', 'eye-r']);
    expect(await filtered('concept', 'not-in', 'body,head,tail')).toEqual(['eye-l', 'eye-r', 'hand']);
    expect(await filtered('side', 'exists', 'false')).toEqual(['body', 'head', 'tail', 'hand']);
    expect(await filtered('parent', '=', 'body')).toEqual(['head', 'tail', 'hand']);
    expect(await filtered('child', '=', 'eye-l')).toEqual(['head']);
  });

  it('includes, excludes and imports', async () => {
    expect(
      await composed({
        include: [{ valueSet: ['urn:test:vs:all'] }],
        exclude: [{ valueSet: ['urn:test:vs:head'] }, { system: 'urn:test:anatomy', concept: [{ code: 'tail' }] }],
      }),
    ).toEqual(['body', 'hand']);
    expect(
      await composed({
        include: [
          {
            system: 'urn:test:anatomy',
            concept: [{ code: 'hand' }, { code: 'eye-r' }],
            valueSet: ['urn:test:vs:head'],
          },
        ],
      }),
    ).toEqual(['eye-r']);
    expect(await composed({ inactive: false, include: [{ system: 'urn:test:anatomy' }] })).not.toContain('tail');
  });

  it('keeps the order and the names a list gives, also of a system that is not known', async () => {
    const include = [
      { system: 'urn:test:anatomy', concept: [{ code: 'hand', display: 'La main' }, { code: 'body' }] },
      { system: 'urn:nowhere', concept: [{ code: 'z', display: 'Zed' }, { code: 'z' }] },
    ];
    const set = await post<ValueSet>('ValueSet/$expand', [
      { name: 'valueSet', resource: valueSet('sent', { include }) },
    ]);
    expect(set.expansion!.contains!.map(({ code, display }) => [code, display])).toEqual([
      ['hand', 'La main'],
      ['body', 'Corps'],
      ['z', 'Zed'],
    ]);
  });

  it('finds by words as French people type them', async () => {
    expect(codes(await expand('filter=oeil'))).toEqual(['eye-r', 'eye-l']);
    expect(codes(await expand('filter=gau+OEIL'))).toEqual(['eye-l']);
    expect(codes(await expand(`filter=${encodeURIComponent('TETE')}`))).toEqual(['head']);
    expect(codes(await expand('filter=hea'))).toEqual(['head']);
    expect((await expand('filter=xyz')).expansion).toMatchObject({ total: 0 });
  });

  it('pages, and counts without a page', async () => {
    const page = await expand('offset=2&count=2');
    expect(page.expansion).toMatchObject({ total: 6, offset: 2 });
    expect(codes(page)).toEqual(['eye-l', 'eye-r']);
    expect((await expand('count=0')).expansion).toMatchObject({ total: 6 });
    expect(codes(await expand('count=0'))).toEqual([]);
    const two = valueSet('two', {
      include: [{ system: 'urn:test:anatomy' }, { system: 'urn:y', concept: [{ code: 'y' }] }],
    });
    const across = await post<ValueSet>('ValueSet/$expand', [
      { name: 'valueSet', resource: two },
      { name: 'offset', valueInteger: 5 },
      { name: 'count', valueInteger: 5 },
    ]);
    expect(codes(across)).toEqual(['hand', 'y']);
  });

  it('leaves out inactive and abstract codes when asked, and says which they are otherwise', async () => {
    expect(codes(await expand('activeOnly=true'))).not.toContain('tail');
    expect(codes(await expand('excludeNotForUI=true'))).not.toContain('body');
    const contains = (await expand('')).expansion!.contains!;
    expect(contains.find(({ code }) => code === 'tail')).toMatchObject({ inactive: true });
    expect(contains.find(({ code }) => code === 'body')).toMatchObject({ abstract: true });
  });

  it('nests codes in their parents when asked', async () => {
    const [body] = (await expand('excludeNested=false')).expansion!.contains!;
    expect(body!.contains!.map(({ code }) => code)).toEqual(['head', 'tail', 'hand']);
    expect(body!.contains![0]!.contains!.map(({ code }) => code)).toEqual(['eye-l', 'eye-r']);
  });

  it('shows designations and the language asked for', async () => {
    const entry = (set: ValueSet) => set.expansion!.contains!.find(({ code }) => code === 'head');
    expect(entry(await expand('displayLanguage=de,en;q=0.5'))!.display).toBe('Head');
    expect(entry(await expand('displayLanguage=fr-CA'))!.display).toBe('Tête');
    expect(entry(await expand('includeDesignations=true'))!.designation).toEqual([{ language: 'en', value: 'Head' }]);
    expect(entry(await expand('designation=urn:ietf:bcp:47%7Cde'))!.designation).toBeUndefined();
  });

  it('goes by the name a list gives a code, however either is written where case does not matter', async () => {
    const letters: CodeSystem = {
      ...{ resourceType: 'CodeSystem', id: 'letters', url: 'urn:test:letters', status: 'active', content: 'complete' },
      caseSensitive: false,
      concept: [{ code: 'Abc', display: 'letters' }],
    };
    await put(letters);
    const concept = [{ code: 'ABC', display: 'alphabet' }];
    await put(valueSet('letters', { include: [{ system: 'urn:test:letters', concept }] }));
    const { expansion } = await get<ValueSet>('ValueSet/letters/$expand');
    expect(expansion!.contains).toMatchObject([{ code: 'Abc', display: 'alphabet' }]);
    const asked = 'ValueSet/letters/$validate-code?system=urn:test:letters&code=aBC&display=Alphabet';
    expect(named(await get<Parameters>(asked), 'result')).toMatchObject([{ valueBoolean: true }]);
  });

  it('shows the very language asked for before one that serves too', async () => {
    const named = (language: string) => ({ language, value: `in ${language}` });
    const words: CodeSystem = {
      ...{ resourceType: 'CodeSystem', id: 'words', url: 'urn:test:words', status: 'active', content: 'complete' },
      language: 'en',
      concept: [{ code: 'w', display: 'word', designation: ['fr', 'fr-CA', 'en-GB', 'de-CH'].map(named) }],
    };
    await put(words);
    await put(valueSet('words', { include: [{ system: 'urn:test:words' }] }));
    const shown = async (language: string) =>
      (await get<ValueSet>(`ValueSet/words/$expand?displayLanguage=${encodeURIComponent(language)}`)).expansion!
        .contains![0]!.display;
    expect(await shown('fr-CA')).toBe('in fr-CA');
    expect(await shown('fr-BE')).toBe('in fr');
    expect(await shown('en-gb')).toBe('in en-GB');
    expect(await shown('en-US')).toBe('word');
    expect(await shown('de')).toBe('in de-CH');
    expect(await shown('de;q=0, fr;q=0.1')).toBe('in fr');
  });

  it('uses the versions of systems it is told', async () => {
    await put({ ...anatomy, id: 'anatomy-1', version: '1', concept: [{ code: 'body' }] });
    expect(codes(await expand('system-version=urn:test:anatomy%7C1'))).toEqual(['body']);
    expect(codes(await expand('exclude-system=urn:test:anatomy'))).toEqual([]);
    const pinned = valueSet('pinned', { include: [{ system: 'urn:test:anatomy', version: '2' }] });
    const versioned = (name: string) => composed(pinned.compose, { name, valueUri: 'urn:test:anatomy|1' });
    expect(await versioned('force-system-version')).toEqual(['body']);
    expect(await versioned('system-version')).toHaveLength(6);
    await post(
      'ValueSet/$expand',
      [
        { name: 'valueSet', resource: pinned },
        { name: 'check-system-version', valueUri: 'urn:test:anatomy|1' },
      ],
      400,
    );
    await put({ ...anatomy, id: 'anatomy-3', version: '3', date: '2030-01-01', concept: [{ code: 'future' }] });
    expect(codes(await expand(''))).toEqual(['future']);
    expect(codes(await expand('date=2029'))).toHaveLength(6);
    await put({ ...anatomy, id: 'anatomy-3', version: '3', status: 'retired' });
  });

  it('sees what supplements add', async () => {
    await put({
      resourceType: 'CodeSystem',
      id: 'spanish',
      url: 'urn:test:anatomy-es',
      language: 'es',
      status: 'active',
      content: 'supplement',
      supplements: 'urn:test:anatomy',
      concept: [{ code: 'hand', display: 'Mano' }],
    });
    expect(codes(await expand('filter=mano'))).toEqual(['hand']);
    expect((await expand('displayLanguage=es&filter=mano')).expansion!.contains![0]!.display).toBe('Mano');
  });

  it('refuses what it cannot list', async () => {
    const issue = async (compose: ValueSet['compose'], status = 422) =>
      (
        await post<OperationOutcome>(
          'ValueSet/$expand',
          [{ name: 'valueSet', resource: valueSet('bad', compose) }],
          status,
        )
      ).issue[0]!.code;
    const filter = (property: string, op: 'is-a' | 'regex' | '=', value: string) => ({
      include: [{ system: 'urn:test:anatomy', filter: [{ property, op, value }] }],
    });
    expect(await issue({ include: [{ system: 'urn:nowhere' }] })).toBe('not-found');
    expect(await issue({ include: [{ valueSet: ['urn:nowhere'] }] })).toBe('not-found');
    expect(await issue(filter('concept', 'is-a', 'wing'))).toBe('code-invalid');
    expect(await issue(filter('colour', '=', 'blue'))).toBe('not-supported');
    expect(await issue(filter('code', 'regex', '('), 400)).toBe('invalid');
    expect(await issue(filter('code', 'regex', '(a)\\1'), 400)).toBe('invalid');
    expect(await issue({ include: [{ system: 'urn:ietf:bcp:47' }] })).toBe('too-costly');
    expect(await get('ValueSet/$expand?url=urn:nowhere', 404)).toMatchObject({ issue: [{ code: 'not-found' }] });
    expect(await get('ValueSet/$expand?context=x', 422)).toMatchObject({ issue: [{ code: 'not-supported' }] });
    await put(valueSet('loop', { include: [{ valueSet: ['urn:test:vs:loop'] }] }));
    expect(await get('ValueSet/loop/$expand', 422)).toMatchObject({ issue: [{ code: 'not-supported' }] });
  });

  it('answers a page of what is too much for one answer', async () => {
    const many = Array.from({ length: 10_001 }, (_, n) => ({ code: `c${n}` }));
    await put({ ...anatomy, id: 'many', url: 'urn:test:many', concept: many });
    await put(valueSet('many', { include: [{ system: 'urn:test:many' }] }));
    expect(await get('ValueSet/many/$expand', 422)).toMatchObject({ issue: [{ code: 'too-costly' }] });
    expect((await get<ValueSet>('ValueSet/many/$expand?count=2&offset=10000')).expansion).toMatchObject({
      total: 10_001,
      contains: [{ code: 'c10000' }],
    });
  });

  it('expands the value sets of R4 that need no system from elsewhere', async () => {
    const set = await get<ValueSet>('ValueSet/$expand?url=http://terminology.hl7.org/ValueSet/v3-ActMoodIntent');
    expect(codes(set)).toEqual(expect.arrayContaining(['INT', 'RQO', 'PRMS']));
    expect(await get('ValueSet/penalty-unit/$expand')).toMatchObject({ expansion: { total: 3 } });
  });
});

describe('ConceptMap/$translate', () => {
  const ask = (query: string) => get<Parameters>(`ConceptMap/$translate?system=urn:test:anatomy&${query}`);
  const matches = (answer: Parameters) =>
    named(answer, 'match').map(({ part }) => [
      part![0]!.valueCode,
      part!.find(({ name }) => name === 'concept')?.valueCoding?.code,
    ]);

  it('translates by a named map, with products and source', async () => {
    const found = await ask('url=urn:test:map&code=head');
    expect(found.parameter).toEqual([
      { name: 'result', valueBoolean: true },
      {
        name: 'match',
        part: [
          { name: 'equivalence', valueCode: 'wider' },
          { name: 'concept', valueCoding: { system: 'urn:test:other', code: 'H', display: 'Haupt' } },
          {
            name: 'product',
            part: [
              { name: 'element', valueUri: 'urn:test:side' },
              { name: 'concept', valueCoding: { system: 'urn:test:sides', code: 'both' } },
            ],
          },
          { name: 'source', valueUri: 'urn:test:map' },
        ],
      },
    ]);
  });

  it('finds maps by the system of the code, bounded by source, target and target system', async () => {
    expect(matches(await ask('code=head'))).toEqual([['wider', 'H']]);
    expect(matches(await ask('code=head&source=ValueSet/all&target=urn:test:vs:other'))).toEqual([['wider', 'H']]);
    expect(matches(await ask('code=head&target=urn:test:vs:nowhere'))).toEqual([]);
    expect(matches(await ask('code=head&targetsystem=urn:test:other'))).toEqual([['wider', 'H']]);
    expect(matches(await ask('code=head&targetsystem=urn:nowhere'))).toEqual([]);
    expect(
      matches(await get('ConceptMap/$translate?system=http://hl7.org/fhir/administrative-gender&code=male')),
    ).toEqual(expect.arrayContaining([['equal', 'M']]));
  });

  it('turns the map round', async () => {
    const back = await get<Parameters>('ConceptMap/map/$translate?system=urn:test:other&code=H&reverse=true');
    expect(matches(back)).toEqual([['narrower', 'head']]);
  });

  it('says what a mapping depends on, and heeds it', async () => {
    const none = await ask('url=urn:test:map&code=hand');
    expect(named(none, 'result')[0]!.valueBoolean).toBe(false);
    expect(named(none, 'message')[0]!.valueString).toContain('urn:test:side');
    const answer = await post<Parameters>('ConceptMap/map/$translate', [
      { name: 'coding', valueCoding: { system: 'urn:test:anatomy', code: 'hand' } },
      {
        name: 'dependency',
        part: [
          { name: 'element', valueUri: 'urn:test:side' },
          { name: 'concept', valueCodeableConcept: { coding: [{ code: 'right' }] } },
        ],
      },
    ]);
    expect(matches(answer)).toEqual([['equal', 'HR']]);
  });

  it('follows the rule for codes that are not mapped', async () => {
    expect(matches(await ask('url=urn:test:map&code=eye-l'))).toEqual([['relatedto', '?']]);
    expect(await ask('url=urn:test:map&code=tail')).toMatchObject({ parameter: [{ valueBoolean: false }, {}, {}] });
    const group = (unmapped: object) => [{ ...map.group![0]!, unmapped }] as ConceptMap['group'];
    await put({ ...map, id: 'p', url: 'urn:test:map-p', group: group({ mode: 'provided' }) });
    expect(matches(await ask('url=urn:test:map-p&code=eye-l'))).toEqual([['equal', 'eye-l']]);
    await put({ ...map, id: 'o', url: 'urn:test:map-o', group: group({ mode: 'other-map', url: 'urn:test:map-p' }) });
    expect(matches(await ask('url=urn:test:map-o&code=eye-l'))).toEqual([['equal', 'eye-l']]);
    await put({ ...map, id: 'c', url: 'urn:test:map-c', group: group({ mode: 'other-map', url: 'urn:test:map-c' }) });
    expect(await get('ConceptMap/c/$translate?system=urn:test:anatomy&code=eye-l', 422)).toMatchObject({});
  });

  it('answers by the map of the tenant in its newest version, where the same map is there more than once', async () => {
    const one = (id: string, version: string, code: string): ConceptMap & { id: string } => ({
      ...map,
      ...{ id, version, url: 'urn:test:map-v', sourceUri: 'urn:test:vs:versions' },
      group: [
        {
          source: 'urn:test:v',
          target: 'urn:test:w',
          element: [{ code: 'a', target: [{ code, equivalence: 'equal' }] }],
        },
      ],
    });
    for (const version of [one('v1', '1', 'old'), one('v2', '2', 'new')])
      expect(await put(version)).toMatchObject({ status: 201 });
    expect(matches(await get('ConceptMap/$translate?system=urn:test:v&code=a'))).toEqual([['equal', 'new']]);
    expect(matches(await get('ConceptMap/$translate?system=urn:test:w&code=old&reverse=true'))).toEqual([]);
  });

  it('refuses more codings than a person writes into one concept', async () => {
    const concept = (count: number) => ({
      name: 'codeableConcept',
      valueCodeableConcept: { coding: Array.from({ length: count }, (_, n) => ({ system: 'urn:x', code: `c${n}` })) },
    });
    await post('ConceptMap/$translate', [concept(1_000)], 422);
    await post('ConceptMap/$translate', [concept(100)]);
    await post('ValueSet/$validate-code', [{ name: 'url', valueUri: 'urn:test:vs:all' }, concept(1_000)], 422);
  });

  it('refuses a map that is not known and half a question', async () => {
    await get('ConceptMap/$translate?url=urn:nowhere&system=urn:x&code=y', 404);
    await get('ConceptMap/$translate?url=urn:test:map&code=y', 400);
  });
});

describe('/metadata', () => {
  it('names the operations with the definitions of R4', async () => {
    const { rest } = await get<{ rest: { resource: { type: string; operation?: object[] }[] }[] }>('metadata');
    const operations = rest[0]!.resource.find(({ type }) => type === 'ValueSet')!.operation;
    expect(operations).toEqual(
      expect.arrayContaining([
        { name: 'expand', definition: 'http://hl7.org/fhir/OperationDefinition/ValueSet-expand' },
        { name: 'validate-code', definition: 'http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code' },
      ]),
    );
  });
});
