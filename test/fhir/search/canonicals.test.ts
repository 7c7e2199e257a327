import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import type { Sight } from '../../../src/fhir/contract.ts';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import { createKeyHasher } from '../../../src/fhir/search/keys.ts';
import { createParameterRegistry } from '../../../src/fhir/search/parameters.ts';
import { searchPage } from '../../../src/fhir/search/search.ts';
import type { RestStore, SearchOptions } from '../../../src/fhir/store/index.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const form = 'https://h.example/fhir/Questionnaire/pain';
const plan = 'http://example.org/PlanDefinition/stroke';
const library = 'http://example.org/Library/score';

const questionnaire = (
  id: string,
  version: string,
  status: 'active' | 'draft',
  title: string,
): Resource & { id: string } => ({
  resourceType: 'Questionnaire',
  id,
  url: form,
  version,
  status,
  title,
});
const response = (id: string, canonical: string): Resource & { id: string } => ({
  resourceType: 'QuestionnaireResponse',
  id,
  status: 'completed',
  questionnaire: canonical,
  author: { reference: 'Practitioner/p' },
});

const resources: (Resource & { id: string })[] = [
  questionnaire('q1', '1.9', 'active', 'Ninth'),
  questionnaire('q2', '1.10', 'active', 'Tenth'),
  questionnaire('q3', '2.0', 'draft', 'Second'),
  { resourceType: 'Questionnaire', id: 'pain', url: `${form}s`, status: 'active', title: 'Tenth of another' },
  { ...questionnaire('gone', '3.0', 'active', 'Third') },
  response('first', `${form}|1.9`),
  response('newest', form),
  response('draft', `${form}|2.0`),
  response('nowhere', `${form}|7.0`),
  {
    ...response('inside', '#own'),
    contained: [{ resourceType: 'Questionnaire', id: 'own', status: 'active', title: 'Ninth inside' }],
  } as Resource & { id: string },
  { resourceType: 'Library', id: 'l', url: library, status: 'active', type: { text: 'logic' }, name: 'Score' },
  {
    resourceType: 'PlanDefinition',
    id: 'plan',
    url: plan,
    version: '1',
    status: 'active',
    library: [library],
    relatedArtifact: [{ type: 'derived-from', resource: `${plan}-before` }],
  },
  {
    resourceType: 'PlanDefinition',
    id: 'before',
    url: `${plan}-before`,
    status: 'retired',
    name: 'Before',
    library: ['Library/l'],
  },
  {
    resourceType: 'ServiceRequest',
    id: 'planned',
    status: 'active',
    intent: 'order',
    subject: { reference: 'Patient/x' },
    instantiatesCanonical: [`${plan}|1`],
  },
];

let database: Database;
let store: RestStore;
beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database, base: () => 'https://h.example/fhir', validate: () => [] });
  await store.transaction(contextOf('aa'), async (tx) => {
    for (const resource of resources) await tx.update(resource);
  });
  await store.transaction(contextOf('aa'), (tx) => tx.delete('Questionnaire', 'gone'));
});
afterAll(() => database.close());

async function found(search: string, options?: SearchOptions): Promise<string[]> {
  const [type, query] = search.split('?') as [ResourceType, string];
  const page = await store.reads('aa').searchBundle(type, query, options);
  return page.matches.map(({ id }) => id).sort();
}

async function included(search: string, options?: SearchOptions): Promise<string[]> {
  const [type, query] = search.split('?') as [ResourceType, string];
  const page = await store.reads('aa').searchBundle(type, query, options);
  return page.included.map((version) => `${version.type}/${version.id}`).sort();
}

const forward = 'QuestionnaireResponse:questionnaire';

describe('canonicals are followed', () => {
  it.each([
    ['to the version they name', `QuestionnaireResponse?_id=first&_include=${forward}`, ['Questionnaire/q1']],
    ['to a draft that they name', `QuestionnaireResponse?_id=draft&_include=${forward}`, ['Questionnaire/q3']],
    [
      'without a version to the newest in force',
      `QuestionnaireResponse?_id=newest&_include=${forward}`,
      ['Questionnaire/q2'],
    ],
    ['nowhere when there is no such version', `QuestionnaireResponse?_id=nowhere&_include=${forward}`, []],
    ['by *', 'ServiceRequest?_id=planned&_include=*', ['PlanDefinition/plan']],
    [
      'round after round',
      'ServiceRequest?_id=planned&_include=ServiceRequest:instantiates-canonical&_include:iterate=PlanDefinition:depends-on',
      ['Library/l', 'PlanDefinition/plan'],
    ],
    ['to the type asked for alone', 'PlanDefinition?_id=plan&_include=PlanDefinition:derived-from:Library', []],
    [
      'of one kind of related artefacts',
      'PlanDefinition?_id=plan&_include=PlanDefinition:derived-from',
      ['PlanDefinition/before'],
    ],
    [
      'by type and id, as R4 has examples of',
      'PlanDefinition?_id=before&_include=PlanDefinition:depends-on',
      ['Library/l'],
    ],
    ['back from the version', `Questionnaire?_id=q1&_revinclude=${forward}`, ['QuestionnaireResponse/first']],
    ['back from the newest in force', `Questionnaire?_id=q2&_revinclude=${forward}`, ['QuestionnaireResponse/newest']],
    ['back by *', 'PlanDefinition?_id=plan&_revinclude=*', ['ServiceRequest/planned']],
    ['back from one url and not from one that begins with it', `Questionnaire?_id=pain&_revinclude=${forward}`, []],
  ])('in includes %s', async (_, search, expected) => {
    expect(await included(search)).toEqual(expected);
  });

  it.each([
    ['QuestionnaireResponse?questionnaire.title=Ninth', ['first', 'inside']],
    ['QuestionnaireResponse?questionnaire:Questionnaire.title=Tenth', ['newest']],
    ['QuestionnaireResponse?questionnaire.status=draft', ['draft']],
    ['QuestionnaireResponse?questionnaire.title=Third', []],
    ['QuestionnaireResponse?questionnaire:missing=true', []],
    ['ServiceRequest?instantiates-canonical:PlanDefinition.depends-on:Library.name=score', ['planned']],
    ['PlanDefinition?derived-from:PlanDefinition.name=before', ['plan']],
    ['Questionnaire?_has:QuestionnaireResponse:questionnaire:author=Practitioner/p', ['q1', 'q2', 'q3']],
    ['Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=newest', ['q2']],
    ['Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=nowhere', []],
    ['Library?_has:PlanDefinition:depends-on:_has:ServiceRequest:instantiates-canonical:_id=planned', ['l']],
    ['QuestionnaireResponse?_filter=questionnaire.title sw "Ninth"', ['first', 'inside']],
  ])('in chains: %s', async (search, expected) => {
    expect(await found(search)).toEqual(expected);
  });

  it('in one tenant alone', async () => {
    await store.transaction(contextOf('bb'), async (tx) => {
      await tx.update({ ...questionnaire('b', '99', 'active', 'Of B'), name: 'ofB' } as Resource & { id: string });
      await tx.update(response('b-response', form));
    });
    expect(await included(`QuestionnaireResponse?_id=newest&_include=${forward}`)).toEqual(['Questionnaire/q2']);
    expect(await included(`Questionnaire?_revinclude=${forward}`)).not.toContain('QuestionnaireResponse/b-response');
    expect(await found('QuestionnaireResponse?questionnaire.title=Of B')).toEqual([]);
    expect(await found('Questionnaire?_has:QuestionnaireResponse:questionnaire:_id=b-response')).toEqual([]);
  });

  it('as far as somebody sees: to and from rows in sight alone, and by no url that is hidden', async () => {
    const query = `_id=q2&_revinclude=${forward}`;
    const answers = async (sight: Sight) => {
      const reads = store.reads('aa', sight);
      const along = await reads.searchBundle('Questionnaire', query);
      const has = await reads.searchBundle(
        'Questionnaire',
        '_has:QuestionnaireResponse:questionnaire:status=completed',
      );
      const chained = await reads.searchBundle('QuestionnaireResponse', 'questionnaire.title=Tenth');
      const forwards = await reads.searchBundle('QuestionnaireResponse', `_id=newest,own-answer&_include=${forward}`);
      return [along.included, has.matches, chained.matches, forwards.included].map((list) =>
        list.map(({ id }) => id).sort(),
      );
    };
    expect(await answers({})).toEqual([['newest'], ['q1', 'q2', 'q3'], ['newest'], ['q2']]);
    const rows = { keys: [{ parameter: 'author', value: 'Practitioner/nobody' }], whole: [] };
    expect(await answers({ rows })).toEqual([[], [], [], []]);
    const some = { keys: [{ parameter: '_tag', value: 'urn:x|mine' }], whole: [] };
    await store.transaction(contextOf('aa'), async (tx) => {
      await tx.update({ ...response('mine', form), meta: { tag: [{ system: 'urn:x', code: 'mine' }] } });
    });
    expect(await answers({ rows: some })).toEqual([['mine'], ['q2'], ['mine'], []]);
    await store.transaction(contextOf('aa'), (tx) => tx.delete('QuestionnaireResponse', 'mine'));
    const hidden = new Map([['Questionnaire', ['url']]]);
    expect(await answers({ hidden })).toEqual([[], [], [], []]);
  });

  it('when their url begins with our own address, as by any other', async () => {
    expect(await found(`QuestionnaireResponse?questionnaire=${form}`)).toEqual(['draft', 'first', 'newest', 'nowhere']);
    expect(await found(`QuestionnaireResponse?questionnaire=${encodeURIComponent(`${form}|2.0`)}`)).toEqual(['draft']);
  });

  it('from more than are resolved ahead, and no further than the limit without saying so', async () => {
    const definitions = loadSearchDefinitions();
    const registry = createParameterRegistry(definitions, interpretPath);
    const parts = { definitions, registry, hasher: createKeyHasher(), linkLimit: 4 };
    const search = (type: ResourceType, query: string) =>
      database.transaction('aa', (sql) => searchPage(parts, { sql, tenant: 'aa', nowMs: 0 }, type, query));
    const { matches } = await search(
      'Questionnaire',
      '_has:QuestionnaireResponse:questionnaire:status=completed&_sort=_id',
    );
    expect(matches.map(({ id }) => id)).toEqual(['q1', 'q2', 'q3']);
    await expect(
      database.transaction('aa', (sql) =>
        searchPage(
          { ...parts, linkLimit: 2 },
          { sql, tenant: 'aa', nowMs: 0 },
          'QuestionnaireResponse',
          'questionnaire.status=active,draft',
        ),
      ),
    ).rejects.toMatchObject({ status: 422 });
  });
});

describe('definitions of the program itself', () => {
  const own: Resource[] = [
    { resourceType: 'Questionnaire', id: 'ours', url: form, version: '9', status: 'active', title: 'Ours' },
  ];
  const options: SearchOptions = { definitions: (type) => own.filter(({ resourceType }) => resourceType === type) };

  it('are what canonicals mean when they are the newest, in includes and chains', async () => {
    expect(await included(`QuestionnaireResponse?_id=newest&_include=${forward}`, options)).toEqual([
      'Questionnaire/ours',
    ]);
    expect(await included(`QuestionnaireResponse?_id=first&_include=${forward}`, options)).toEqual([
      'Questionnaire/q1',
    ]);
    expect(await included(`Questionnaire?_id=q2&_revinclude=${forward}`, options)).toEqual([]);
    expect(await found('QuestionnaireResponse?questionnaire.title=ours', options)).toEqual(['newest']);
    expect(await found('QuestionnaireResponse?questionnaire:Questionnaire._id=ours', options)).toEqual(['newest']);
    expect(await found('QuestionnaireResponse?questionnaire.title=tenth', options)).toEqual([]);
  });

  it('bring what refers to them when they are matches', async () => {
    const query = `url=${form}&_revinclude=${forward}`;
    const page = await store.reads('aa').searchBundle('Questionnaire', query, { ...options, own });
    expect(page.included.map(({ id }) => id).sort()).toEqual(['draft', 'first', 'newest']);
  });

  it('stay away from who may not search their type', async () => {
    const narrow = { ...options, mayInclude: (type: ResourceType) => type !== 'Questionnaire' };
    expect(await included(`QuestionnaireResponse?_include=${forward}`, narrow)).toEqual([]);
  });
});
