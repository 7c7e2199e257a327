import type {
  Observation,
  Organization,
  Patient,
  Practitioner,
  Resource,
  ServiceRequest,
  Task,
} from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore, FhirError } from '../../../src/fhir/index.ts';
import type { RestReads, RestStore } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const ins = 'urn:oid:1.2.250.1.213.1.4.10';
const loinc = 'http://loinc.org';
const ucum = 'http://unitsofmeasure.org';

const resources: (Resource & { id: string })[] = [
  {
    resourceType: 'Patient',
    id: 'camille',
    active: true,
    identifier: [
      {
        system: ins,
        value: '260058815400233',
        type: {
          coding: [{ system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203', code: 'INS-NIR-TEST' }],
        },
      },
      { value: 'sans-domaine' },
    ],
    name: [{ family: 'TEST-MOREAU', given: ['Éléonore', 'Camille'] }],
    birthDate: '1960-05-08',
    gender: 'female',
    telecom: [{ system: 'phone', value: '+33100000000' }],
    generalPractitioner: [{ reference: 'Practitioner/noa' }],
    managingOrganization: { reference: 'Organization/ch' },
  } satisfies Patient & { id: string },
  {
    resourceType: 'Patient',
    id: 'alix',
    active: false,
    name: [{ text: 'Alix Morin-Test' }],
    birthDate: '1971',
    gender: 'male',
    deceasedBoolean: true,
  } satisfies Patient & { id: string },
  { resourceType: 'Practitioner', id: 'noa', name: [{ family: 'TEST-TELERADIO' }] } satisfies Practitioner & {
    id: string;
  },
  {
    resourceType: 'Organization',
    id: 'ch',
    name: 'CH-EXEMPLE IMAGERIE',
    partOf: { reference: 'Organization/groupe' },
  } satisfies Organization & { id: string },
  { resourceType: 'Organization', id: 'groupe', name: 'GROUPE EXEMPLE' } satisfies Organization & { id: string },
  ...['a', 'b', 'c', 'd'].map((id, n): ServiceRequest & { id: string } => ({
    resourceType: 'ServiceRequest',
    id,
    status: n % 2 === 0 ? 'active' : 'completed',
    intent: 'order',
    ...(n < 3 ? { priority: n === 0 ? 'stat' : 'routine' } : {}),
    code: {
      coding: [
        { system: loinc, code: '24725-4' },
        { system: 'urn:oid:1.2.250.1.213.2.5', code: n === 3 ? 'ZZQX001' : 'ACQH001' },
      ],
    },
    subject: { reference: n < 2 ? 'Patient/camille' : 'Patient/alix' },
    requester: { identifier: { system: 'https://rpps.esante.gouv.fr', value: '99700990015' } },
    performer: [{ reference: 'Practitioner/noa' }],
    authoredOn: `2026-01-0${4 - n}T10:00:00Z`,
  })),
  {
    resourceType: 'Task',
    id: 'case',
    status: 'in-progress',
    intent: 'order',
    focus: { reference: 'ServiceRequest/a/_history/1' },
    for: { reference: 'Patient/camille' },
    owner: { reference: 'Practitioner/noa' },
  } satisfies Task & { id: string },
  ...[5.4, 6].map((value, n): Observation & { id: string } => ({
    resourceType: 'Observation',
    id: `o${n}`,
    status: 'final',
    code: { coding: [{ system: loinc, code: '29463-7' }], text: 'Poids' },
    subject: { reference: 'Patient/camille' },
    valueQuantity: { value, unit: 'kilogramme', system: ucum, code: 'kg' },
    ...(n === 0 ? { meta: { tag: [{ system: 'urn:x', code: 'trial' }], profile: ['http://example.org/p|1.0'] } } : {}),
  })),
];

let database: Database;
let reads: RestReads;
let store: RestStore;
beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
  await store.transaction(contextOf('aa'), async (tx) => {
    for (const resource of resources) await tx.update(resource);
  });
  reads = store.reads('aa');
});
afterAll(() => database.close());

async function ids(url: string): Promise<string[]> {
  const [type, query] = url.split('?') as [Resource['resourceType'], string];
  const page = await reads.searchBundle(type, query);
  return page.matches.map(({ id }) => id);
}

async function refusal(url: string): Promise<FhirError> {
  const error = await ids(url).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FhirError);
  return error as FhirError;
}

describe('a search finds', () => {
  it.each([
    ['Patient?identifier=260058815400233', ['camille']],
    [`Patient?identifier=${ins}|260058815400233`, ['camille']],
    [`Patient?identifier=${ins}|`, ['camille']],
    ['Patient?identifier=|sans-domaine', ['camille']],
    ['Patient?identifier=|260058815400233', []],
    [`Patient?identifier=urn:other|260058815400233`, []],
    [
      `Patient?identifier:of-type=https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203|INS-NIR-TEST|260058815400233`,
      ['camille'],
    ],
    ['Patient?active=true', ['camille']],
    ['Patient?gender=female,male', ['alix', 'camille']],
    ['Patient?gender:not=female', ['alix']],
    ['Patient?deceased=true', ['alix']],
    ['Patient?deceased=false', ['camille']],
    ['Patient?telecom=%2B33100000000', ['camille']],
    ['Patient?_id=camille,alix,none', ['alix', 'camille']],
    ['ServiceRequest?status=active&code=ACQH001', ['a', 'c']],
    [`ServiceRequest?code=${loinc}|24725-4&code=ZZQX001`, ['d']],
    ['ServiceRequest?priority:missing=true', ['d']],
    ['ServiceRequest?priority:missing=false&status=completed', ['b']],
    ['Observation?_tag=urn:x|trial', ['o0']],
    ['Observation?_profile=http://example.org/p', ['o0']],
    ['Observation?_profile=http://example.org/p|1.0', ['o0']],
  ])('tokens and uris: %s', async (url, expected) => {
    expect((await ids(url)).sort()).toEqual(expected);
  });

  it.each([
    ['Patient?name=test', ['camille']],
    ['Patient?family=TEST MOREAU', ['camille']],
    ['Patient?given=eleo', ['camille']],
    ['Patient?given=leo', []],
    ['Patient?given:contains=LEO', ['camille']],
    ['Patient?family:exact=TEST-MOREAU', ['camille']],
    ['Patient?family:exact=test-moreau', []],
    ['Patient?name=alix,eleonore', ['alix', 'camille']],
    ['Patient?name=morin%25', []],
    ['Organization?name=CH', ['ch']],
    ['Organization?name=ch\\,x', []],
  ])('strings without case and accents: %s', async (url, expected) => {
    expect((await ids(url)).sort()).toEqual(expected);
  });

  it.each([
    ['ServiceRequest?subject=Patient/camille', ['a', 'b']],
    ['ServiceRequest?subject=camille', ['a', 'b']],
    ['ServiceRequest?patient=camille', ['a', 'b']],
    ['ServiceRequest?subject:Patient=camille', ['a', 'b']],
    ['ServiceRequest?subject:Group=camille', []],
    ['ServiceRequest?requester:identifier=https://rpps.esante.gouv.fr|99700990015&status=active', ['a', 'c']],
    ['ServiceRequest?requester:identifier=99700990015&status=active', ['a', 'c']],
    ['Task?focus=ServiceRequest/a', ['case']],
    [`ServiceRequest?subject:Patient.identifier=${ins}|260058815400233`, ['a', 'b']],
    ['ServiceRequest?patient.name=eleonore', ['a', 'b']],
    ['ServiceRequest?patient.organization.name=CH', ['a', 'b']],
    ['ServiceRequest?patient.organization.partof.name=groupe', ['a', 'b']],
    ['ServiceRequest?patient.name=nobody', []],
    ['Patient?_has:ServiceRequest:patient:code=ZZQX001', ['alix']],
    ['Patient?_has:Task:patient:owner=Practitioner/noa', ['camille']],
    ['ServiceRequest?patient._has:Task:patient:status=in-progress', ['a', 'b']],
  ])('references, chains and reverse chains: %s', async (url, expected) => {
    expect((await ids(url)).sort()).toEqual(expected);
  });

  it.each([
    ['Observation?value-quantity=5.4', ['o0']],
    ['Observation?value-quantity=5', ['o0']],
    ['Observation?value-quantity=5.40', ['o0']],
    [`Observation?value-quantity=gt5.4|${ucum}|kg`, ['o1']],
    [`Observation?value-quantity=ge5.4|${ucum}|kg`, ['o0', 'o1']],
    ['Observation?value-quantity=ge5.4||kg', ['o0', 'o1']],
    ['Observation?value-quantity=le6||kilogramme', ['o0', 'o1']],
    ['Observation?value-quantity=5.4||g', []],
    ['Observation?value-quantity=ap5.5', ['o0', 'o1']],
    ['Observation?value-quantity=ne6', ['o0']],
    ['Patient?birthdate=1960-05', ['camille']],
    ['Patient?birthdate=1971', ['alix']],
    ['Patient?birthdate=1971-03', []],
    ['Patient?birthdate=ge1960-05-08&birthdate=lt1961', ['camille']],
    ['ServiceRequest?authored=2026-01-04,2026-01-01', ['a', 'd']],
  ])('quantities and dates: %s', async (url, expected) => {
    expect((await ids(url)).sort()).toEqual(expected);
  });

  it('what was changed lately', async () => {
    const { matches } = await reads.searchBundle('Task', '_lastUpdated=gt2020');
    expect(matches).toHaveLength(1);
    const at = matches[0]!.updated.toISOString();
    expect(await ids(`Task?_lastUpdated=${at}`)).toEqual(['case']);
    expect(await ids(`Task?_lastUpdated=gt${at}`)).toEqual([]);
    expect(await ids(`Task?_lastUpdated=lt${at}`)).toEqual([]);
    expect(await ids(`Task?_lastUpdated=le${at}`)).toEqual(['case']);
  });
});

describe('a search answers', () => {
  it.each([
    ['_sort=authored', ['d', 'c', 'b', 'a']],
    ['_sort=-authored', ['a', 'b', 'c', 'd']],
    ['_sort=status,-authored', ['a', 'c', 'b', 'd']],
    ['_sort=-status,authored', ['d', 'b', 'c', 'a']],
    ['_sort=priority,_id', ['b', 'c', 'a', 'd']],
    ['_sort=-priority,_id', ['a', 'b', 'c', 'd']],
    ['_sort=-_id', ['d', 'c', 'b', 'a']],
    ['_sort=patient,-authored', ['c', 'd', 'a', 'b']],
  ])('in the order of %s, the same page by page', async (sort, expected) => {
    expect(await ids(`ServiceRequest?${sort}`)).toEqual(expected);
    const seen: string[] = [];
    let query: string | undefined = `${sort}&_count=1`;
    while (query !== undefined) {
      const page = await reads.searchBundle('ServiceRequest', query);
      seen.push(...page.matches.map(({ id }) => id));
      query = page.next;
    }
    expect(seen).toEqual(expected);
  });

  it('strings and quantities in order, too', async () => {
    expect(await ids('Organization?_sort=name')).toEqual(['ch', 'groupe']);
    expect(await ids('Organization?_sort=-name')).toEqual(['groupe', 'ch']);
    // Without a family name comes last, both ways.
    expect(await ids('Patient?_sort=family')).toEqual(['camille', 'alix']);
    expect(await ids('Patient?_sort=-family')).toEqual(['camille', 'alix']);
    expect(await ids('Observation?_sort=-value-quantity')).toEqual(['o1', 'o0']);
  });

  it('with the next page stable while rows come and go', async () => {
    const first = await reads.searchBundle('ServiceRequest', '_sort=authored&_count=2');
    expect(first.matches.map(({ id }) => id)).toEqual(['d', 'c']);
    await store.transaction(contextOf('aa'), async (tx) => {
      await tx.update({
        ...(resources.find(({ id }) => id === 'd') as ServiceRequest),
        id: 'early',
        authoredOn: '2025-01-01',
      });
    });
    const next = await reads.searchBundle('ServiceRequest', first.next!);
    expect(next.matches.map(({ id }) => id)).toEqual(['b', 'a']);
    expect(next.next).toBeUndefined();
    await store.transaction(contextOf('aa'), (tx) => tx.delete('ServiceRequest', 'early'));
  });

  it('with included resources, iterating where asked', async () => {
    const include = async (query: string) =>
      (await reads.searchBundle('ServiceRequest', query)).included.map(({ type, id }) => `${type}/${id}`).sort();
    expect(await include('_id=a&_include=ServiceRequest:patient')).toEqual(['Patient/camille']);
    expect(await include('_id=a&_include=*')).toEqual(['Patient/camille', 'Practitioner/noa']);
    expect(await include('_id=a&_include=ServiceRequest:performer:Organization')).toEqual([]);
    expect(await include('_id=a&_revinclude=Task:focus')).toEqual(['Task/case']);
    expect(
      await include(
        '_id=a&_include=ServiceRequest:patient&_include:iterate=Patient:organization&_include:iterate=Organization:partof',
      ),
    ).toEqual(['Organization/ch', 'Organization/groupe', 'Patient/camille']);
    expect(await include('_id=a&_include=ServiceRequest:patient&_revinclude:iterate=Observation:patient')).toEqual([
      'Observation/o0',
      'Observation/o1',
      'Patient/camille',
    ]);
  });

  it('with a total when asked, the count alone for _summary=count and _count=0', async () => {
    expect(await reads.searchBundle('ServiceRequest', '_count=1')).not.toHaveProperty('total');
    expect(await reads.searchBundle('ServiceRequest', 'status=active&_count=1&_total=accurate')).toMatchObject({
      total: 2,
    });
    for (const query of ['_summary=count', '_count=0']) {
      expect(await reads.searchBundle('ServiceRequest', query)).toMatchObject({ total: 4, matches: [] });
    }
  });

  it('with a part of each resource, marked as such', async () => {
    const text = async (query: string) =>
      JSON.parse((await reads.searchBundle('Patient', `_id=camille&${query}`)).matches[0]!.text);
    const elements = await text('_elements=birthDate');
    expect(Object.keys(elements).sort()).toEqual(['birthDate', 'id', 'meta', 'resourceType']);
    expect(elements.meta.tag).toEqual([
      { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' },
    ]);
    const summary = Object.keys(await text('_summary=true'));
    expect(summary).toContain('managingOrganization');
    expect(summary).not.toContain('generalPractitioner');
    expect(Object.keys(await text('_summary=text')).sort()).toEqual(['id', 'meta', 'resourceType']);
    const observation = JSON.parse(
      (await reads.searchBundle('Observation', '_id=o0&_elements=value')).matches[0]!.text,
    );
    expect(Object.keys(observation).sort()).toEqual(['code', 'id', 'meta', 'resourceType', 'status', 'valueQuantity']);
  });

  it('with the parameters it honoured in the self link', async () => {
    const page = await reads.searchBundle('Patient', 'nonsense=1&gender=female&_count=1', { handling: 'lenient' });
    expect(page.self).toBe('gender=female&_count=1');
    expect(page.warnings).toMatchObject([
      { severity: 'warning', code: 'not-supported', expression: ['http.nonsense'] },
    ]);
    expect(page.warnings[0]!.diagnostics).toContain('nonsense');
  });
});

describe('a search refuses', () => {
  it('an unknown parameter, naming it and the known ones', async () => {
    const error = await refusal('Patient?nonsense=1');
    expect(error).toMatchObject({ status: 400 });
    expect(error.message).toContain('"nonsense"');
    expect(error.message).toContain('birthdate');
  });

  it.each([
    'Patient?birthdate=yesterday',
    'Patient?birthdate=gt',
    'Patient?birthdate:exact=2020',
    'Patient?gender:wrong=x',
    'Patient?organization:Organization:missing=true',
    'Patient?gender=',
    'Patient?active:missing=maybe',
    'Patient?name=%2C',
    'Patient?_id=%00',
    'Patient?name=%E0%A4',
    'Patient?_count=many',
    'Patient?_sort=nonsense',
    'Patient?_total=perhaps',
    'Patient?_summary=short',
    'Patient?_include=Patient:name',
    'Patient?_include=nonsense',
    'Patient?_cursor=x',
    'Patient?_cursor=WyJcdTAwMDAiXQ',
    'Patient?name.family=x',
    'Patient?organization.nonsense=x',
    'Patient?_has:Nothing:patient:code=x',
    'Patient?identifier=a|b|c',
    'Patient?identifier=|',
    'Patient?identifier:of-type=a|b',
    'Observation?value-quantity=heavy',
    'Observation?value-quantity=5|kg',
    'ServiceRequest?_sort=nonsense',
    'Patient?gender=male&organization:Organization.name=%2C',
    'Patient?gender=male&_has:Observation:patient:date=x',
    'Patient?gender=male&_filter=name',
    'Patient?gender=male&_filter=birthdate eq yesterday',
    'Patient?gender:in=urn:nowhere',
    'Patient?_contained=true',
    'Patient?_elements=name&_summary=text',
  ])('%s with a 400, naming the parameter', async (url) => {
    const { status, outcome } = await refusal(url);
    expect(status).toBe(400);
    const name = url.split(/[?&]/).at(-1)!.split('=', 1)[0];
    expect(outcome.issue).toMatchObject([{ expression: [`http.${name}`] }]);
  });

  it('more parameters than it reads', async () => {
    expect(await refusal(`Patient?${'gender=male&'.repeat(101)}`)).toMatchObject({ status: 400 });
  });

  it('a type that does not exist with a 404', async () => {
    expect(await refusal('Nothing?_id=1')).toMatchObject({ status: 404 });
  });
});
