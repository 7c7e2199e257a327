import type { Bundle, OperationOutcome, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { compartmentTypes, membershipParameters } from '../../../src/fhir/operations/compartments.ts';
import { validateResource } from '../../../src/fhir/validation/index.ts';
import { namesIn, type OperationServer, operationServer } from './server.ts';

let server: OperationServer;
const concept = { text: 'x' };
const subject = { reference: 'Patient/p1' };
const observations = Array.from({ length: 25 }, (_, n): Resource & { id: string } => ({
  resourceType: 'Observation',
  id: `o${String(n).padStart(2, '0')}`,
  status: 'final',
  code: concept,
  subject,
  // Found by two membership parameters, shown once.
  performer: n === 3 ? [subject] : [{ reference: 'Practitioner/dr' }],
  effectiveDateTime: `2026-0${1 + (n % 3)}-15`,
}));

beforeAll(async () => {
  server = await operationServer();
  await server.put(
    { resourceType: 'Organization', id: 'group', name: 'Groupe' },
    { resourceType: 'Organization', id: 'hospital', name: 'CH', partOf: { reference: 'Organization/group' } },
    { resourceType: 'Practitioner', id: 'dr' },
    { resourceType: 'Location', id: 'room', managingOrganization: { reference: 'Organization/hospital' } },
    { resourceType: 'Patient', id: 'p1', managingOrganization: { reference: 'Organization/hospital' } },
    { resourceType: 'Patient', id: 'p2' },
    { resourceType: 'Binary', id: 'pdf', contentType: 'application/pdf', data: 'JVBERg==' },
    {
      resourceType: 'Encounter',
      id: 'e1',
      status: 'finished',
      class: { code: 'EMER' },
      subject,
      location: [{ location: { reference: 'Location/room' } }],
      period: { start: '2026-02-01', end: '2026-02-03' },
    },
    { resourceType: 'Condition', id: 'c1', subject, code: concept, encounter: { reference: 'Encounter/e1' } },
    {
      resourceType: 'DocumentReference',
      id: 'd1',
      status: 'current',
      subject,
      content: [{ attachment: { url: 'Binary/pdf' } }],
    },
    { resourceType: 'Task', id: 't1', status: 'requested', intent: 'order', for: subject },
    { resourceType: 'Observation', id: 'other', status: 'final', code: concept, subject: { reference: 'Patient/p2' } },
    { resourceType: 'Practitioner', id: 'stranger' },
    ...observations,
  );
});
afterAll(() => server.close());
beforeEach(() => {
  server.audited.length = 0;
  server.refusals.length = 0;
  server.refused = () => false;
});

const supporting = ['Binary/pdf', 'Location/room', 'Organization/group', 'Organization/hospital', 'Practitioner/dr'];
const members = [
  'Condition/c1',
  'DocumentReference/d1',
  'Encounter/e1',
  'Patient/p1',
  'Task/t1',
  ...observations.map(({ id }) => `Observation/${id}`),
];
const whole = [...members, ...supporting].sort();

describe('Patient/$everything', () => {
  it('answers the record of one patient and what it points to, each once, in one valid Bundle', async () => {
    const { status, body } = await server.get('/fhir/Patient/p1/$everything');
    expect(status).toBe(200);
    expect(namesIn(body).sort()).toEqual(whole);
    expect(body.total).toBe(members.length);
    expect(body.entry!.filter(({ search }) => search?.mode === 'include')).toHaveLength(supporting.length);
    expect(validateResource(body)).toEqual([]);
    expect(server.audited).toHaveLength(1);
    expect(server.audited[0]).toMatchObject({ interaction: 'operation:Patient/$everything', outcome: 'success' });
    expect(server.audited[0]!.resources).toHaveLength(whole.length);
  });

  it('pages with links that lead through all of it, whatever the size of a page', async () => {
    for (const count of [1, 7, 1000]) {
      const shown = new Set<string>();
      const matches: string[] = [];
      let url: string | undefined = `/fhir/Patient/p1/$everything?_count=${count}`;
      while (url) {
        const { body }: { body: Bundle } = await server.get(url);
        const own = body.entry?.filter(({ search }) => search?.mode === 'match') ?? [];
        expect(own.length).toBeLessThanOrEqual(count);
        matches.push(...own.map(({ resource }) => `${resource!.resourceType}/${resource!.id}`));
        for (const name of namesIn(body)) shown.add(name);
        url = body.link?.find(({ relation }) => relation === 'next')?.url;
      }
      expect([...shown].sort()).toEqual(whole);
      expect(matches.sort()).toEqual([...members].sort());
    }
  });

  it('takes only the types asked for, also those the record merely points to', async () => {
    const some = await server.get('/fhir/Patient/p1/$everything?_type=Condition,Encounter');
    expect(namesIn(some.body).sort()).toEqual(['Condition/c1', 'Encounter/e1']);
    const who = await server.get('/fhir/Patient/p1/$everything?_type=Practitioner&_type=Task');
    expect(namesIn(who.body).sort()).toEqual(['Practitioner/dr', 'Task/t1']);
    expect(await server.get('/fhir/Patient/p1/$everything?_type=Cat')).toMatchObject({ status: 400 });
  });

  it('leaves out what has not changed since, of the record and of what it points to', async () => {
    const { body: before } = await server.get<Resource>('/fhir/Practitioner/dr');
    const since = encodeURIComponent(before.meta!.lastUpdated!);
    const { body: all } = await server.get(`/fhir/Patient/p1/$everything?_since=${since}`);
    expect(namesIn(all)).not.toContain('Organization/hospital');
    const { body: last } = await server.get<Resource>('/fhir/Observation/o24');
    await server.put({
      resourceType: 'Location',
      id: 'room',
      name: 'Scanner',
      managingOrganization: { reference: 'Organization/hospital' },
    });
    const { body } = await server.get(
      `/fhir/Patient/p1/$everything?_since=${encodeURIComponent(last.meta!.lastUpdated!)}`,
    );
    expect(namesIn(body)).toEqual(['Location/room']);
  });

  it('takes care within the dates asked for, and keeps what is not dated', async () => {
    const { body } = await server.get(
      '/fhir/Patient/p1/$everything?start=2026-02-01&end=2026-02-28&_type=Observation,Encounter,Condition',
    );
    const names = namesIn(body);
    expect(names.filter((name) => name.startsWith('Observation'))).toHaveLength(8);
    expect(names).toContain('Encounter/e1');
    expect(names).toContain('Condition/c1');
    const later = await server.get('/fhir/Patient/p1/$everything?start=2026-02-04&_type=Encounter');
    expect(namesIn(later.body)).toEqual([]);
    expect(await server.get('/fhir/Patient/p1/$everything?start=2026&end=tomorrow')).toMatchObject({
      status: 400,
      body: { issue: [{ expression: ["Parameters.parameter.where(name = 'end')"] }] },
    });
  });

  it('leaves out types the caller may not see and says so; refuses them when asked for by name', async () => {
    server.refused = ({ type, interaction }) =>
      interaction === 'search-type' && (type === 'Observation' || type === 'Coverage');
    const { body } = await server.get('/fhir/Patient/p1/$everything');
    expect(namesIn(body)).not.toContain('Observation/o00');
    const outcome = body.entry!.find(({ search }) => search?.mode === 'outcome')!.resource as OperationOutcome;
    // Nothing is told of types there is nothing of, and nobody tried a door.
    expect(outcome.issue[0]!.diagnostics).toMatch(/: Observation$/);
    expect(server.refusals).toEqual([]);
    expect(await server.get('/fhir/Patient/p1/$everything?_type=Observation')).toMatchObject({ status: 403 });
  });

  it('does not search types the caller may not see', async () => {
    server.refused = ({ type, interaction }) => interaction === 'search-type' && type === 'Observation';
    const searched: string[] = [];
    const { restTransaction } = server.store;
    const spy = vi.spyOn(server.store, 'restTransaction').mockImplementation((context, work) =>
      restTransaction(context, (tx) => {
        const { searchBundle } = tx;
        const told: typeof searchBundle = (type, ...more) => {
          searched.push(type);
          return searchBundle(type, ...more);
        };
        return work(Object.assign(tx, { searchBundle: told }));
      }),
    );
    await server.get('/fhir/Patient/p1/$everything');
    spy.mockRestore();
    expect(searched).toContain('Condition');
    expect(searched).not.toContain('Observation');
  });

  it('takes from a cursor how far it got, and nothing to search for', async () => {
    const { body } = await server.get('/fhir/Patient/p1/$everything?_type=Observation&_count=5');
    const next = new URL(body.link!.find(({ relation }) => relation === 'next')!.url!);
    const told = JSON.parse(Buffer.from(next.searchParams.get('_cursor')!, 'base64url').toString()) as {
      place: { step: number; next: string };
    };
    const at = (path: string, cursor: object) =>
      server.get(`/fhir/${path}&_cursor=${Buffer.from(JSON.stringify(cursor)).toString('base64url')}`);
    const record = 'Patient/p1/$everything?_type=Observation&_count=5';
    expect(await at(record, told)).toMatchObject({ status: 200 });
    const asked = 'subject=Patient%2Fp1&_count=5&_has:AuditEvent:entity:agent=Practitioner%2Fdr';
    const { step } = told.place;
    for (const query of [asked, `${told.place.next}&_has:AuditEvent:entity:agent=x`, `${told.place.next}&code=x`])
      expect(await at(record, { ...told, place: { step, next: query } })).toMatchObject({ status: 400 });
    for (const owners of ['family=x&_sort=_id&_count=1', 7])
      expect(await at('Patient/$everything?_type=Patient&_count=5', { id: 'p1', owners })).toMatchObject({
        status: 400,
      });
    expect(await at('Patient/p2/$everything?_count=5', told)).toMatchObject({ status: 400 });
  });

  it('refuses what it does not understand and whom it does not know', async () => {
    for (const [name, value] of Object.entries({
      _sort: 'date',
      _cursor: 'abc',
      _count: 'x',
      _type: 'Cat',
      _since: 'x',
    }))
      expect(await server.get(`/fhir/Patient/p1/$everything?${name}=${value}`)).toMatchObject({
        status: 400,
        body: { issue: [{ expression: [`Parameters.parameter.where(name = '${name}')`] }] },
      });
    expect(await server.get("/fhir/Patient/p1/$everything?it's=1")).toMatchObject({
      body: { issue: [{ expression: ["Parameters.parameter.where(name = 'it\\'s')"] }] },
    });
    expect(await server.get('/fhir/Patient/nobody/$everything')).toMatchObject({ status: 404 });
  });

  it('goes through all patients, always in pages', async () => {
    const shown: string[] = [];
    let url: string | undefined = '/fhir/Patient/$everything?_type=Patient,Observation&_count=5';
    while (url) {
      const { body }: { body: Bundle } = await server.get(url);
      shown.push(...namesIn(body));
      url = body.link?.find(({ relation }) => relation === 'next')?.url;
    }
    const expected = [
      'Patient/p1',
      'Patient/p2',
      'Observation/other',
      ...observations.map(({ id }) => `Observation/${id}`),
    ];
    expect(shown.sort()).toEqual(expected.sort());
  });

  it('ends a page of all patients after so much work, whatever it found', async () => {
    const many = Array.from({ length: 120 }, (_, n) => ({ resourceType: 'Patient' as const, id: `many-${n}` }));
    const entry = many.map((resource) => ({ resource, request: { method: 'PUT', url: `Patient/${resource.id}` } }));
    await server.post('/fhir', { resourceType: 'Bundle', type: 'transaction', entry });
    let pages = 0;
    const shown: string[] = [];
    for (let url: string | undefined = '/fhir/Patient/$everything?_type=Organization'; url; pages++) {
      const { body }: { body: Bundle } = await server.get(url);
      shown.push(...namesIn(body));
      url = body.link?.find(({ relation }) => relation === 'next')?.url;
    }
    expect(pages).toBeGreaterThan(1);
    expect(shown.sort()).toEqual(['Organization/group', 'Organization/hospital']);
    await server.post('/fhir', {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: many.map(({ id }) => ({ request: { method: 'DELETE', url: `Patient/${id}` } })),
    });
  });

  it('searches by membership parameters that all exist', () => {
    for (const name of ['Patient', 'Encounter'] as const) {
      for (const type of compartmentTypes(name)) {
        const known = server.store.searchParameters(type).map((parameter) => parameter.name);
        expect(known, type).toEqual(expect.arrayContaining(membershipParameters(name, type)));
      }
    }
  });
});

describe('Encounter/$everything', () => {
  it('answers the encounter, what belongs to it and what it names', async () => {
    const { body } = await server.get('/fhir/Encounter/e1/$everything');
    expect(namesIn(body).sort()).toEqual([
      'Condition/c1',
      'Encounter/e1',
      'Location/room',
      'Organization/group',
      'Organization/hospital',
      'Patient/p1',
    ]);
  });
});
