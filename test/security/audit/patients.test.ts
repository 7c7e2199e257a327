/** SE-6: whoever looks for what was done with a patient's data finds it, however it was asked for and whatever the caller saw of it. */
import type { AuditEvent, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fhirRoutes, registerOperations } from '../../../src/fhir/index.ts';
import { openRig, type Rig, ris } from '../../access/support.ts';

const baseUrl = 'http://passerelle.test';
let rig: Rig;
const tokens = new Map<string, string>();
let asked = 0;

beforeAll(async () => {
  rig = await openRig({
    routes: async (app, { store, access, clock }) => {
      registerOperations(store);
      await app.register(fhirRoutes, { prefix: '/fhir', store, guards: access, clock, baseUrl: () => baseUrl });
    },
  });
  for (const role of ['quality', 'conformance']) {
    const account = { tenant: 'aa', login: role, kind: 'machine', reference: `Device/${role}`, display: role } as const;
    await rig.access.ensureAccount({ ...account, roles: [role] });
    tokens.set(role, await rig.access.issueToken(role, 3_600));
  }
  const about = { subject: { reference: 'Patient/lea' } };
  const code = { text: 'x' };
  await stored(
    { resourceType: 'Patient', id: 'lea', name: [{ family: 'TEST-LEA' }] },
    { resourceType: 'Patient', id: 'max', name: [{ family: 'TEST-MAX' }] },
    { resourceType: 'DiagnosticReport', id: 'report', status: 'final', code, conclusion: 'x', ...about },
    { resourceType: 'Observation', id: 'seen', status: 'final', code, valueString: 'x', ...about },
    {
      ...({ resourceType: 'Provenance', id: 'signed', recorded: '2026-03-01T08:00:00Z' } as const),
      ...{ target: [{ reference: 'DiagnosticReport/report' }], agent: [{ who: { display: 'x' } }] },
    },
    { resourceType: 'Account', id: 'bill', status: 'active', subject: [{ reference: 'Patient/lea' }] },
    { resourceType: 'Group', id: 'twins', type: 'person', actual: true, member: both },
    { resourceType: 'DetectedIssue', id: 'alike', status: 'preliminary', patient: lea, implicated: [max] },
    {
      resourceType: 'Observation',
      id: 'foreign',
      status: 'final',
      code,
      subject: at('https://elsewhere.example/fhir'),
    },
    { resourceType: 'Observation', id: 'absolute', status: 'final', code, subject: at(`${baseUrl}/fhir`) },
  );
}, 60_000);
afterAll(() => rig.close());

const [lea, max] = [{ reference: 'Patient/lea' }, { reference: 'Patient/max' }];
const both = [{ entity: lea }, { entity: max }];
const at = (base: string) => ({ reference: `${base}/Patient/lea` });

async function stored(...resources: Resource[]): Promise<void> {
  await rig.store.transaction(rig.context(ris, 'transaction'), async (tx) => {
    for (const resource of resources) await tx.update(resource as Resource & { id: string });
  });
}

/** Patients that the events of a request name, those of every event together. */
async function patientsTold(requestId: string): Promise<string[]> {
  const events = (await rig.trail('_sort=-date')).filter((event) => JSON.stringify(event).includes(`"${requestId}"`));
  const isPatient = ({ role }: NonNullable<AuditEvent['entity']>[number]) => role?.code === '1';
  return events.flatMap(({ entity = [] }) => entity.filter(isPatient).map(({ what }) => what?.reference ?? '')).sort();
}

/** What the trail says after a request that is answered. */
async function told(role: string, path: string): Promise<string[]> {
  const requestId = `ask-${++asked}.`;
  const answer = await rig.app.inject({
    url: `/fhir/${path}`,
    headers: { authorization: `Bearer ${tokens.get(role)}`, 'x-request-id': requestId },
  });
  expect([path, answer.statusCode]).toEqual([path, 200]);
  expect(answer.body, path).not.toContain('"total":0');
  return patientsTold(requestId);
}

describe('a patient is named in the trail', () => {
  it.each([
    'DiagnosticReport?_elements=conclusion',
    'DiagnosticReport?_elements=conclusion&_total=accurate',
    'DiagnosticReport/report?_elements=conclusion',
    'DiagnosticReport/report/_history?_elements=conclusion',
    'DiagnosticReport?_summary=text',
    'Observation?_id=seen&_elements=value',
    'Patient?_id=lea&_elements=gender',
    'Patient?_id=lea&_revinclude=Observation:subject&_elements=status',
    '?_type=Observation&_id=seen&_elements=status',
  ])('although %s leaves out whom it is about', async (path) => {
    expect(await told('conformance', path)).toContain('Patient/lea');
  });

  it.each([
    'DiagnosticReport/report',
    'DiagnosticReport/report/_history/1',
    'DiagnosticReport/report/_history',
    'DiagnosticReport?status=final',
    'DiagnosticReport?status=final&_elements=conclusion',
  ])('although it is hidden from who asks for %s', async (path) => {
    expect(await told('quality', path)).toEqual(['Patient/lea']);
  });

  it('although an operation shows nothing of the patient but what was asked about', async () => {
    expect(await told('conformance', 'DiagnosticReport/report/$validate')).toEqual(['Patient/lea']);
    expect(await told('conformance', 'Patient/lea/$validate')).toContain('Patient/lea');
  });

  it('although what an operation showed was shown without whom it is about', async () => {
    const { subject: _hidden, ...shown } = await rig.store.read('aa', 'DiagnosticReport', 'report');
    await rig.access.auditRead(rig.context(ris, 'operation:Task/$worklist', 'reduced'), {
      resources: [shown as Resource],
      outcome: 'success',
    });
    expect(await patientsTold('reduced')).toEqual(['Patient/lea']);
  });

  it.each(['Provenance/signed', 'Account/bill'])('by %s, which names the patient in its own way', async (path) => {
    expect(await told('conformance', path)).toEqual(['Patient/lea']);
  });

  it.each(['Group/twins', 'DetectedIssue/alike'])('and another one, whom %s is about as well', async (path) => {
    expect(await told('conformance', path)).toEqual(['Patient/lea', 'Patient/max']);
  });

  it('when the address is ours, and not when it is of somebody else’s patient of that number', async () => {
    expect(await told('conformance', 'Observation/absolute')).toEqual(['Patient/lea']);
    expect(await told('conformance', 'Observation/foreign')).toEqual([]);
  });
});

describe('a write', () => {
  const write = async (requestId: string, resource: Resource) => {
    await rig.store.transaction(rig.context(ris, 'update', requestId), (tx) =>
      tx.update(resource as Resource & { id: string }),
    );
    return patientsTold(requestId);
  };

  it('that gives a result to another patient names both', async () => {
    const result = { resourceType: 'Observation', id: 'moved', status: 'final', code: { text: 'x' } } as const;
    expect(await write('first', { ...result, subject: lea })).toEqual(['Patient/lea']);
    expect(await write('then', { ...result, subject: max })).toEqual(['Patient/lea', 'Patient/max']);
  });

  it('of a file names the patient whose report it belongs to', async () => {
    const file = { resourceType: 'Binary', id: 'pdf', contentType: 'text/plain', data: 'eA==' } as const;
    expect(await write('file', { ...file, securityContext: { reference: 'DiagnosticReport/report' } })).toEqual([
      'Patient/lea',
    ]);
  });
});
