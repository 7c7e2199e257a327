/** Policies as they are written, and what they make of requests over HTTP: rows, hidden elements, emergency access. */
import { readdirSync, readFileSync } from 'node:fs';
import type {
  AdverseEvent,
  Basic,
  Bundle,
  Communication,
  DiagnosticReport,
  Parameters,
  Task,
} from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPolicies } from '../../../src/access/policies/load.ts';
import { policyOf } from '../../../src/access/policies/policy.ts';
import { fhirRoutes, registerGraphql, registerOperations, systemContext } from '../../../src/fhir/index.ts';
import { openRig, type Rig } from '../../access/support.ts';

const files = readdirSync('fhir-profiles/policies').map(
  (name) => JSON.parse(readFileSync(`fhir-profiles/policies/${name}`, 'utf8')) as Basic,
);

describe('policies', () => {
  it('have the names of the roles there are, each in one', () => {
    const system = JSON.parse(readFileSync('fhir-profiles/code-systems/CodeSystem-role.json', 'utf8'));
    const roles = system.concept.map(({ code }: { code: string }) => code).filter((code: string) => code !== 'system');
    expect([...loadPolicies().keys()].sort()).toEqual(roles.sort());
  });

  it.each([
    ['a type that is none', 'types', 'Pateint'],
    ['an interaction that is none', 'interactions', 'reed'],
    ['rows of nobody', 'rows', 'everything'],
    ['an element without its type', 'hidden', 'subject'],
    ['an operation without its sign', 'operations', 'Task/sign'],
  ])('with %s stop the server', (_, part, word) => {
    const basic = structuredClone(files[0]!);
    const line = basic.extension!.find(({ url }) => url.endsWith('access-grant'))!;
    line.extension = [...line.extension!.filter(({ url }) => url !== part), { url: part, valueString: word }];
    expect(() => policyOf(basic)).toThrow(word);
  });

  it('give support and administrators no row of a patient and no image', () => {
    for (const role of ['administrator', 'support']) {
      const { grants, dicomweb } = loadPolicies().get(role)!;
      // Certificates of professionals, incidents of security and contracts are about no patient.
      const seeing = grants.filter(({ rows }) => rows.some((row) => row !== 'professional' && row !== 'incidents'));
      const types = seeing.flatMap((grant) => grant.types).filter((type) => type !== 'Contract');
      expect(types).toEqual([]);
      expect(dicomweb).toEqual([]);
    }
  });
});

let rig: Rig;
const tokens = new Map<string, string>();
let cases: { patient: string; request: string; task: string; report: string }[] = [];
const accounts = {
  'north-radiologist': ['radiologist', 'north'],
  'north-requester': ['requester', 'north'],
  'south-requester': ['requester', 'south'],
  'north-ris': ['ris', 'north'],
  coordinator: ['coordinator', undefined],
  quality: ['quality', undefined],
  support: ['support', undefined],
  secretary: ['secretary', 'north'],
  auditor: ['auditor', undefined],
  unbound: ['requester', undefined],
} as const;

beforeAll(async () => {
  rig = await openRig({
    routes: async (app, { store, access, clock }) => {
      registerOperations(store);
      registerGraphql(store);
      const baseUrl = () => 'http://passerelle.test';
      await app.register(fhirRoutes, { prefix: '/fhir', store, guards: access, clock, baseUrl });
    },
  });
  for (const [login, [role, organizationId]] of Object.entries(accounts)) {
    const kind = role === 'ris' ? 'machine' : 'person';
    const reference = `${kind === 'machine' ? 'Device' : 'Practitioner'}/${login}`;
    const account = { tenant: 'aa', login, kind, reference, display: login, roles: [role] } as const;
    await rig.access.ensureAccount({ ...account, ...(organizationId ? { organizationId } : {}) });
    tokens.set(login, await rig.access.issueToken(login, 86_400));
  }
  cases = [await caseOf('north'), await caseOf('south')];
}, 60_000);
afterAll(() => rig.close());

function caseOf(establishment: string) {
  const context = { ...systemContext('aa', 'system:seed', rig.clock), establishments: [establishment] };
  return rig.store.transaction(context, async (tx) => {
    const patient = await tx.create({ resourceType: 'Patient', name: [{ family: `TEST-${establishment}` }] });
    const subject = { reference: `Patient/${patient.id}`, display: `TEST-${establishment}` };
    const request = await tx.create({ resourceType: 'ServiceRequest', status: 'active', intent: 'order', subject });
    const focus = { reference: `ServiceRequest/${request.id}` };
    const report = await tx.create<DiagnosticReport>({
      resourceType: 'DiagnosticReport',
      status: 'final',
      code: { text: 'x' },
      subject,
      basedOn: [focus],
    });
    const task = await tx.create<Task>({
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      focus,
      for: subject,
      requester: { reference: `Organization/${establishment}` },
      owner: { reference: 'Practitioner/somebody' },
    });
    return {
      patient: `Patient/${patient.id}`,
      request: focus.reference,
      task: `Task/${task.id}`,
      report: `DiagnosticReport/${report.id}`,
    };
  });
}

function send(
  login: string,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH',
  path: string,
  body?: object,
  type = 'application/fhir+json',
) {
  return rig.app.inject({
    method,
    url: `/fhir/${path}`,
    headers: { authorization: `Bearer ${tokens.get(login)}`, 'content-type': type },
    ...(body ? { payload: JSON.stringify(body) } : {}),
  });
}
const get = (login: string, path: string) => send(login, 'GET', path);

describe('an account of one establishment', () => {
  it('sees its own records and finds nothing of another, by any way of asking', async () => {
    const [north, south] = cases as [(typeof cases)[0], (typeof cases)[0]];
    for (const login of ['north-radiologist', 'north-requester', 'north-ris']) {
      for (const reference of Object.values(north))
        expect((await get(login, reference)).statusCode, reference).toBe(200);
      const nobody = (await get(login, 'Patient/nobody')).json();
      for (const reference of Object.values(south)) {
        const [type, id] = reference.split('/') as [string, string];
        const answer = await get(login, reference);
        expect(answer.statusCode, reference).toBe(404);
        // Not a word more than about what does not exist.
        expect(answer.body.replaceAll(id, 'nobody').replaceAll(type, 'Patient')).toBe(JSON.stringify(nobody));
        expect((await get(login, `${reference}/_history/1`)).statusCode).toBe(404);
        expect((await get(login, `${reference}/_history`)).body).not.toContain('TEST-south');
      }
      for (const path of [
        'Patient?_count=100',
        'Patient?name=TEST-south',
        'Task?patient.name=TEST-south',
        `ServiceRequest?subject=${south.patient}&_include=ServiceRequest:subject`,
        `Patient?_id=${south.patient.slice(8)}&_revinclude=DiagnosticReport:subject`,
        `${south.patient}/DiagnosticReport`,
        `${south.patient}/$everything`,
        '?_type=Patient,Task&_count=100',
      ])
        expect((await get(login, path)).body, path).not.toMatch(/TEST-south(?!")|"display":"TEST-south"/);
      const count = (await get(login, 'Patient?name=TEST-south&_summary=count')).json() as Bundle;
      expect(count.total).toBe(0);
    }
  });

  it('gets by GraphQL what it gets by reading', async () => {
    const graph = await send('north-ris', 'POST', '$graphql', {
      query: '{ PatientList(name: "TEST") { name { family } } }',
    });
    expect(graph.body).not.toContain('TEST-south');
  });

  it('writes with its own label, whatever it says', async () => {
    const sent = {
      resourceType: 'Patient',
      meta: { security: [{ system: 'https://fhir.passerelle.example/sid/establishment', code: 'south' }] },
      name: [{ family: 'FORGED' }],
    };
    expect((await send('north-ris', 'POST', 'Patient', sent)).statusCode).toBe(201);
    expect((await get('south-requester', 'Patient?name=FORGED&_summary=count')).json().total).toBe(0);
    expect((await get('north-requester', 'Patient?name=FORGED&_summary=count')).json().total).toBe(1);
  });

  it('without establishments sees nothing at all', async () => {
    for (const type of ['Patient', 'Task', 'DiagnosticReport'])
      expect((await get('unbound', `${type}?_summary=count`)).json().total).toBe(0);
  });
});

describe('a case somebody takes part in', () => {
  it('is seen although its establishment is another, and nothing else of that establishment', async () => {
    const own = await caseOf('south');
    const task = await rig.store.read('aa', 'Task', own.task.slice(5));
    await rig.store.transaction(systemContext('aa', 'system:assign', rig.clock), (tx) =>
      tx.update({ ...task, owner: { reference: 'Practitioner/north-radiologist' } }),
    );
    rig.clock.advance(6_000);
    for (const reference of Object.values(own))
      expect((await get('north-radiologist', reference)).statusCode, reference).toBe(200);
    expect((await get('north-radiologist', cases[1]!.task)).statusCode).toBe(404);
    expect((await get('north-radiologist', cases[1]!.patient)).statusCode).toBe(404);
  });
});

describe('hidden elements', () => {
  it('are left out of everything the role reads, and cannot be searched by', async () => {
    const { request, report } = cases[0]!;
    for (const path of [
      request,
      report,
      `${request}/_history`,
      'DiagnosticReport?_count=50',
      'Task?_count=50&_include=Task:focus',
    ]) {
      const { statusCode, body } = await get('quality', path);
      expect(statusCode, path).toBe(200);
      expect(body, path).not.toContain('TEST-north');
    }
    for (const query of [
      'subject=Patient/1',
      'patient=Patient/1',
      '_text=x',
      '_content=x',
      '_sort=subject',
      '_include=ServiceRequest:subject',
    ])
      expect((await get('quality', `ServiceRequest?${query}`)).statusCode, query).toBe(400);
    expect((await get('coordinator', request)).body).toContain('TEST-north');
  });

  it('stay as they are when the role writes', async () => {
    const context = systemContext('aa', 'system:seed', rig.clock);
    const stored = await rig.store.transaction(context, (tx) =>
      tx.create<AdverseEvent>({
        resourceType: 'AdverseEvent',
        actuality: 'actual',
        subject: { reference: cases[0]!.patient },
      }),
    );
    const { id } = stored;
    const made = (await get('quality', `AdverseEvent/${id}`)).json();
    expect(made.subject).toBeUndefined();
    const put = await send('quality', 'PUT', `AdverseEvent/${id}`, {
      ...made,
      actuality: 'potential',
      subject: { reference: cases[1]!.patient },
    });
    expect(put.statusCode, put.body).toBe(200);
    expect(await rig.store.read('aa', 'AdverseEvent', id)).toMatchObject({
      actuality: 'potential',
      subject: stored.subject,
    });
  });
});

describe('breaking the glass', () => {
  const reason = (text: string, ...more: object[]) => ({
    resourceType: 'Parameters',
    parameter: [{ name: 'reason', valueString: text }, ...more],
  });

  it('needs a reason, and is for people', async () => {
    const { task, patient } = cases[1]!;
    for (const body of [
      { resourceType: 'Parameters' },
      reason('court'),
      reason('Patient en danger', { name: 'minutes', valueInteger: 1_000 }),
    ])
      expect((await send('north-radiologist', 'POST', `${task}/$break-glass`, body)).statusCode).toBe(400);
    expect((await send('north-ris', 'POST', `${patient}/$break-glass`, reason('Patient en danger'))).statusCode).toBe(
      403,
    );
    expect((await send('auditor', 'POST', `${patient}/$break-glass`, reason('Patient en danger'))).statusCode).toBe(
      403,
    );
    expect(
      (await send('north-radiologist', 'POST', 'Patient/nobody/$break-glass', reason('Patient en danger'))).statusCode,
    ).toBe(404);
  });

  it('opens the record at once, tells the establishment and the trail, and ends by itself', async () => {
    const { task, patient, report } = cases[1]!;
    expect((await get('north-requester', patient)).statusCode).toBe(404);
    const opened = await send(
      'north-requester',
      'POST',
      `${patient}/$break-glass`,
      reason('AVC en cours, antériorités'),
    );
    expect(opened.statusCode, opened.body).toBe(200);
    const answer = opened.json() as Parameters;
    const until = answer.parameter!.find(({ name }) => name === 'until')!.valueInstant!;
    for (const reference of [patient, task, report])
      expect((await get('north-requester', reference)).statusCode, reference).toBe(200);
    const told = (await get('south-requester', 'Communication?category=break-glass')).json() as Bundle<Communication>;
    expect(told.entry).toHaveLength(1);
    expect(told.entry![0]!.resource!.payload![0]!.contentString).toContain('AVC en cours');
    const [event] = await rig.trail('type=http://dicom.nema.org/resources/ontology/DCM|110113');
    expect(JSON.stringify(event)).toContain('AVC en cours');
    expect(JSON.stringify(event!.purposeOfEvent ?? event!.agent)).toContain('BTG');
    rig.clock.advance(new Date(until).getTime() - rig.clock.now().getTime() + 1_000);
    for (const reference of [patient, task, report])
      expect((await get('north-requester', reference)).statusCode, reference).toBe(404);
  });
});
