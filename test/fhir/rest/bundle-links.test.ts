import type { Bundle, BundleEntry, Observation, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base, type TestServer, testServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const urn = (digit: number) => `urn:uuid:00000000-0000-4000-8000-00000000000${digit}`;
const patient = (value: string, rest: object = {}) => ({
  resourceType: 'Patient',
  identifier: [{ system: 'urn:x', value }],
  ...rest,
});
const observation = (reference: string, rest: object = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'x' },
  subject: { reference },
  ...rest,
});
const post = (resource: { resourceType: string }, fullUrl?: string, request: object = {}) => ({
  ...(fullUrl ? { fullUrl } : {}),
  resource,
  request: { method: 'POST', url: resource.resourceType, ...request },
});
const put = (resource: { resourceType: string }, url: string, fullUrl?: string) => ({
  ...(fullUrl ? { fullUrl } : {}),
  resource,
  request: { method: 'PUT', url },
});

async function send(entry: object[], type = 'transaction') {
  const { status, body } = await server.request({
    method: 'POST',
    url: '/fhir',
    headers: { 'content-type': 'application/fhir+json', prefer: 'return=representation' },
    payload: { resourceType: 'Bundle', type, entry },
  });
  const entries: BundleEntry[] = (body as Bundle).entry ?? [];
  return {
    status,
    entries,
    issue: ((body as OperationOutcome).issue ?? [])[0],
    resources: entries.map(({ resource }): unknown => resource),
    statuses: entries.map(({ response }) => response!.status.slice(0, 3)),
  };
}

const pathOf = ({ fullUrl }: BundleEntry) => fullUrl!.slice(base.length + 1);
const subjectOf = (resource: unknown) => (resource as Observation).subject!.reference;

describe('what names a thing and does not lead to it', () => {
  it('is left alone: canonicals, and the name a definition gives itself', async () => {
    const name = 'http://example.org/CodeSystem/colours';
    const code = { coding: [{ system: name, code: 'red' }] };
    const { resources } = await send([
      post({ resourceType: 'CodeSystem', url: name, status: 'draft', content: 'complete' } as never, name),
      post({ resourceType: 'Basic', code, implicitRules: name } as never),
      post({ resourceType: 'Questionnaire', status: 'draft' } as never, urn(1)),
      post({ resourceType: 'QuestionnaireResponse', status: 'completed', questionnaire: urn(1) } as never),
      post({
        resourceType: 'List',
        status: 'current',
        mode: 'working',
        entry: [{ item: { reference: name } }],
      } as never),
    ]);
    const [codes, basic, , answers, list] = resources as Record<string, unknown>[];
    expect(codes).toMatchObject({ url: name });
    expect(basic).toMatchObject({ code, implicitRules: name });
    expect(answers).toMatchObject({ questionnaire: urn(1) });
    expect(list).toMatchObject({ entry: [{ item: { reference: `CodeSystem/${codes!.id}` } }] });
  });
});

describe('what leads to an entry', () => {
  it('is found in narrative however its attribute is spaced', async () => {
    const div = `<div xmlns="http://www.w3.org/1999/xhtml"><a href = '${urn(1)}'>p</a></div>`;
    const { entries, resources } = await send([
      post(patient('narrative'), urn(1)),
      post(observation(urn(1), { text: { status: 'generated', div } })),
    ]);
    expect((resources[1] as Observation).text!.div).toContain(`href = '${pathOf(entries[0]!)}'`);
  });

  it('by a version leads to the version it becomes', async () => {
    await send([put(patient('twice', { id: 'twice' }), 'Patient/twice')]);
    const known = patient('known-version', { id: 'known-version' });
    await send([put(known, 'Patient/known-version')]);
    const at = 'http://a.example/fhir';
    const { entries, resources } = await send([
      post(observation('Patient/1/_history/7'), `${at}/Observation/1`),
      post(observation(`${at}/Patient/2/_history/3`), `${at}/Observation/2`),
      post(observation('Patient/3/_history/3'), `${at}/Observation/3`),
      post(observation('Patient/9/_history/3'), `${at}/Observation/4`),
      post(patient('new'), `${at}/Patient/1`),
      put(patient('twice', { id: 'twice' }), 'Patient/twice', `${at}/Patient/2`),
      post(known, `${at}/Patient/3`, { ifNoneExist: 'identifier=urn:x|known-version' }),
    ]);
    expect(resources.slice(0, 4).map(subjectOf)).toEqual([
      `${pathOf(entries[4]!)}/_history/1`,
      'Patient/twice/_history/2',
      'Patient/known-version/_history/1',
      'Patient/9/_history/3',
    ]);
  });

  it('leads to what a conditional patch changes, whatever id the patch has', async () => {
    await send([put(patient('patched', { id: 'patched' }), 'Patient/patched')]);
    const data = Buffer.from('[{"op":"add","path":"/birthDate","value":"2000-01-01"}]').toString('base64');
    const patch = { resourceType: 'Binary', id: 'p', contentType: 'application/json-patch+json', data };
    const request = { method: 'PATCH', url: 'Patient?identifier=urn:x|patched' };
    const { resources } = await send([{ fullUrl: urn(1), resource: patch, request }, post(observation(urn(1)))]);
    expect(subjectOf(resources[1])).toBe('Patient/patched');
    const nobody = { method: 'PATCH', url: 'Patient?identifier=urn:x|made-here' };
    expect(await send([post(patient('made-here')), { resource: patch, request: nobody }])).toMatchObject({
      status: 404,
      issue: { expression: ['Bundle.entry[1].request'] },
    });
  });
});

describe('a reference by search', () => {
  const by = (value: string) => `Patient?identifier=urn:x|${value}`;

  it('means what matches in the end, whichever entry writes it', async () => {
    const group = (value: string, reference: string) => ({
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      identifier: [{ system: 'urn:x', value }],
      hasMember: [{ reference }],
    });
    const { status, entries, resources } = await send([
      post(group('last', 'Observation?identifier=urn:x|middle')),
      post(group('middle', 'Observation?identifier=urn:x|first')),
      post(observation(by('later'), { identifier: [{ system: 'urn:x', value: 'first' }] })),
      put(patient('later', { id: 'later' }), 'Patient/later'),
    ]);
    expect(status).toBe(200);
    expect(subjectOf(resources[2])).toBe('Patient/later');
    expect((resources[0] as Observation).hasMember).toEqual([{ reference: pathOf(entries[1]!) }]);
    expect((resources[1] as Observation).hasMember).toEqual([{ reference: pathOf(entries[2]!) }]);
  });

  it('that two match in the end fails the transaction, in either order', async () => {
    await send([post(patient('one'))]);
    for (const entries of [
      [post(observation(by('one'))), post(patient('one'))],
      [post(patient('one')), post(observation(by('one')))],
    ]) {
      const index = entries.findIndex(({ resource }) => resource.resourceType === 'Observation');
      expect(await send(entries)).toMatchObject({
        status: 412,
        issue: { code: 'multiple-matches', expression: [`Bundle.entry[${index}].resource.subject.reference`] },
      });
    }
  });

  it('to one another is refused, naming the first', async () => {
    const ring = (value: string, other: string) =>
      post({
        ...patient(value),
        link: [{ other: { reference: by(other) }, type: 'seealso' }],
      } as never);
    expect(await send([post(patient('beside')), ring('a', 'b'), ring('b', 'a')])).toMatchObject({
      status: 412,
      issue: { code: 'not-found', expression: ['Bundle.entry[1].resource.link[0].other.reference'] },
    });
  });
});

describe('a conditional create', () => {
  it('finds what an entry before it created, and says so when others were to refer to it', async () => {
    const condition = { ifNoneExist: 'identifier=urn:x|in-bundle' };
    const { statuses, entries } = await send([
      post(patient('in-bundle')),
      post(patient('in-bundle'), urn(1), condition),
    ]);
    expect(statuses).toEqual(['201', '200']);
    expect(pathOf(entries[1]!)).toBe(pathOf(entries[0]!));
    const other = { ifNoneExist: 'identifier=urn:x|referred' };
    expect(
      await send([post(patient('referred')), post(patient('referred'), urn(1), other), post(observation(urn(1)))]),
    ).toMatchObject({ status: 400, issue: { code: 'duplicate', expression: ['Bundle.entry[1].request.ifNoneExist'] } });
  });

  it('is the same under every spelling of its condition', async () => {
    const spellings = ['identifier=urn:x|spelt', 'identifier=urn%3Ax%7Cspelt', '?identifier=urn:x|spelt'];
    const { statuses, resources } = await send([
      ...spellings.map((ifNoneExist, n) => post(patient('spelt'), urn(n), { ifNoneExist })),
      ...spellings.map((_, n) => post(observation(urn(n)))),
    ]);
    expect(statuses).toEqual(['201', '200', '200', '201', '201', '201']);
    const { id } = resources[0] as Resource;
    expect(resources.slice(3).map(subjectOf)).toEqual(spellings.map(() => `Patient/${id}`));
  });
});

describe('a condition that cannot be read', () => {
  it.each([
    ['is no text', { ifMatch: 9 }, 'Bundle.entry[0].request.ifMatch'],
    ['has another name', { ifmatch: 'W/"9"' }, 'Bundle.entry[0].request'],
  ])('because it %s does not count as none', async (_why, condition, expression) => {
    const entry = put(patient('cond', { id: 'cond' }), 'Patient/cond');
    const conditional = { ...entry, request: { ...entry.request, ...condition } };
    expect(await send([conditional])).toMatchObject({
      status: 400,
      issue: { code: 'structure', expression: [expression] },
    });
    expect((await send([conditional], 'batch')).statuses).toEqual(['400']);
    expect((await server.request({ method: 'GET', url: '/fhir/Patient/cond' })).status).toBe(404);
  });
});

describe('a batch', () => {
  it('refuses entries that refer to what another one creates, and runs the others', async () => {
    const at = 'http://a.example/fhir';
    const { status, statuses, entries } = await send(
      [
        post(patient('batch'), urn(1)),
        post(observation(urn(1))),
        post(patient('far'), `${at}/Patient/1`),
        post(observation('Patient/1'), `${at}/Observation/1`),
        put(patient('kept', { id: 'kept' }), 'Patient/kept', `${base}/Patient/kept`),
        post(observation('Patient/kept')),
        post(observation('Patient/1')),
      ],
      'batch',
    );
    expect(status).toBe(200);
    expect(statuses).toEqual(['201', '400', '201', '400', '201', '201', '201']);
    expect((entries[1]!.response!.outcome as OperationOutcome).issue[0]).toMatchObject({
      code: 'business-rule',
      expression: ['Bundle.entry[1].resource.subject.reference'],
    });
  });
});

describe('a JSON Patch in a Bundle', () => {
  const binary = (operations: string | object[]) => ({
    resourceType: 'Binary',
    contentType: 'application/json-patch+json',
    data: Buffer.from(typeof operations === 'string' ? operations : JSON.stringify(operations)).toString('base64'),
  });
  const patch = (url: string, operations: string | object[]) => ({
    resource: binary(operations),
    request: { method: 'PATCH', url },
  });
  const organization = (name: string) => ({ resourceType: 'Organization', name });
  const read = async (url: string) => (await server.request({ method: 'GET', url: `/fhir/${url}` })).text;

  it('refers to what other entries become, and to what a search finds', async () => {
    await send([put(patient('patched', { id: 'patched' }), 'Patient/patched')]);
    const { status, entries } = await send([
      post(organization('first'), urn(1)),
      post({ resourceType: 'Practitioner' }, urn(2)),
      patch('Patient/patched', [
        { op: 'add', path: '/managingOrganization', value: { reference: urn(1) } },
        { op: 'add', path: '/generalPractitioner', value: [{ reference: urn(2) }] },
        { op: 'add', path: '/generalPractitioner/-', value: { reference: 'Organization?name=first' } },
        { op: 'add', path: '/contact', value: [{ organization: { reference: 'Organization/x' } }] },
        { op: 'replace', path: '/contact/0/organization/reference', value: urn(1) },
        // A name, not a link.
        { op: 'replace', path: '/identifier/0/value', value: urn(1) },
        { op: 'add', path: '/identifier/0/period', value: { start: '2026' } },
      ]),
    ]);
    expect(status).toBe(200);
    const [first, second] = entries.map(pathOf);
    expect(JSON.parse(await read('Patient/patched'))).toMatchObject({
      managingOrganization: { reference: first },
      generalPractitioner: [{ reference: second }, { reference: first }],
      contact: [{ organization: { reference: first } }],
      identifier: [{ value: urn(1), period: { start: '2026' } }],
    });
  });

  it('keeps its numbers as they are written, by criteria too', async () => {
    const made = await send([
      post(observation('Patient/patched', { identifier: [{ system: 'urn:x', value: 'weighed' }] }), urn(3)),
    ]);
    const { status } = await send([
      post(organization('second'), urn(4)),
      patch(
        'Observation?identifier=urn:x|weighed',
        `[{"op":"add","path":"/component","value":[{"code":{"text":"y"},"valueQuantity":{"value":1.50}}]},
          {"op":"add","path":"/performer","value":[{"reference":"${urn(4)}"}]}]`,
      ),
    ]);
    expect(status).toBe(200);
    const text = await read(pathOf(made.entries[0]!));
    expect(text).toContain('"value":1.50');
    expect(text).toMatch(/"performer":\[\{"reference":"Organization\/[^"]+"\}\]/);
  });

  it('is refused where its links lead to nothing: by a search, or to what a batch creates', async () => {
    const link = (reference: string) =>
      patch('Patient/patched', [{ op: 'replace', path: '/managingOrganization', value: { reference } }]);
    const before = await read('Patient/patched');
    expect(await send([link('Organization?name=nobody')])).toMatchObject({ status: 412 });
    const batch = await send([post(organization('third'), urn(5)), link(urn(5))], 'batch');
    expect(batch.statuses).toEqual(['201', '400']);
    expect(await send([patch('Patient/patched', 'no JSON')])).toMatchObject({ status: 400 });
    expect(await send([patch('Patient/patched', '[{"op":"add","path":"/x","path":"/y"}]')])).toMatchObject({
      status: 400,
    });
    expect(await read('Patient/patched')).toBe(before);
  });
});
