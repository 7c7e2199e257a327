/** Rules look at the whole tenant: what they say of a write must not tell who sees a part of it what else is there. */
import type { Bundle, Resource, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { establishmentSystem, systemContext } from '../../../src/fhir/index.ts';
import { openWholeServer, type WholeServer } from '../surface/whole-server.ts';
import { askedFor, taskIdOf } from './asked-for.ts';

let whole: WholeServer;
/** A case of `sud`; its patient is known to both, and so seen by both. */
let task: Task;
const tokens = new Map<string, string>();
const people = {
  demandeur: ['requester', 'sud', 'person'],
  'requester-nord': ['requester', 'nord', 'person'],
  'radiologist-nord': ['radiologist', 'nord', 'person'],
  'ris-nord': ['ris', 'nord', 'machine'],
} as const;
type Who = keyof typeof people;
const passerelle = 'https://fhir.passerelle.example';
const system = systemContext('aa', 'system:test', { now: () => new Date() });
const security = (code: string) => ({ security: [{ system: establishmentSystem, code }] });
const category = [{ coding: [{ system: `${passerelle}/CodeSystem/communication-category`, code: 'message' }] }];

const stored = <R extends Resource>(resource: R) => whole.server.store.transaction(system, (tx) => tx.update(resource));

beforeAll(async () => {
  whole = await openWholeServer({ LIMIT_ACCOUNT_RATE: 'off', LIMIT_ADDRESS_RATE: 'off' });
  const { access, store } = whole.server;
  for (const id of ['nord', 'sud']) await stored({ resourceType: 'Organization', id, name: id });
  for (const [login, [role, organizationId, kind]] of Object.entries(people)) {
    const reference = `${kind === 'machine' ? 'Device' : 'Practitioner'}/${login}`;
    if (kind === 'person') await stored({ resourceType: 'Practitioner', id: login, name: [{ family: login }] });
    await access.ensureAccount({
      ...{ tenant: 'aa', login, kind, reference, display: login, roles: [role], organizationId },
    });
    tokens.set(login, await access.issueToken(login, 3_600));
  }
  const ofSouth = JSON.parse(JSON.stringify(askedFor).replace('Organization/nord', 'Organization/sud')) as Bundle;
  const answer = await send('demandeur', 'POST', '', ofSouth);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  task = await store.read('aa', 'Task', taskIdOf(answer.body as Bundle));
  const patient = await store.read('aa', 'Patient', task.for!.reference!.slice('Patient/'.length));
  await store.transaction({ ...system, establishments: ['nord'] }, (tx) => tx.update({ ...patient, active: true }));
  await stored({
    ...{ resourceType: 'Communication', id: 'said', meta: security('sud'), status: 'completed', category },
    ...{ about: [{ reference: `Task/${task.id}` }], subject: task.for as never },
  });
  await stored({ resourceType: 'DetectedIssue', id: 'found', meta: security('sud'), status: 'preliminary' });
}, 60_000);
afterAll(() => whole?.close());

async function send(who: Who, method: string, path: string, body?: object) {
  const answer = await fetch(`${whole.server.httpUrl}/fhir/${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens.get(who)}`, 'content-type': 'application/fhir+json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: answer.status, body: (await answer.json()) as object };
}

/** The answer to a write about `id`, which it does not repeat. */
async function said(who: Who, method: string, path: string, id: string, body: (id: string) => object) {
  const { status, body: told } = await send(who, method, path.replace('{id}', id), body(id));
  return `${status} ${JSON.stringify(told).replaceAll(id, '{id}')}`;
}

const nobody = '019aa000-0000-7000-8000-000000000000';
const taskId = () => task.id!;
const requestId = () => task.focus!.reference!.slice('ServiceRequest/'.length);
const message = (about: string) => ({
  ...{ resourceType: 'Communication', status: 'completed', category, about: [{ reference: `Task/${about}` }] },
  payload: [{ contentString: 'Bonjour' }],
});
const scan = (related: string) => ({
  ...{ resourceType: 'DocumentReference', status: 'current', subject: task.for },
  type: { coding: [{ system: `${passerelle}/CodeSystem/attachment-kind`, code: 'prescription' }] },
  content: [{ attachment: { contentType: 'application/pdf', data: Buffer.from('%PDF-1.7 TEST').toString('base64') } }],
  context: { related: [{ reference: related }] },
});

describe('what is out of sight is told by no rule', () => {
  it.each<[string, Who, string, () => string, (id: string) => object]>([
    ['a message about a case', 'requester-nord', 'Communication', taskId, message],
    ['a message about a case, of a reader', 'radiologist-nord', 'Communication', taskId, message],
    ['a scan for a case', 'requester-nord', 'DocumentReference', taskId, (id) => scan(`Task/${id}`)],
    ['a scan for a request', 'ris-nord', 'DocumentReference', requestId, (id) => scan(`ServiceRequest/${id}`)],
    [
      'a case for a request',
      'requester-nord',
      'Task',
      requestId,
      (id) => ({
        ...{
          resourceType: 'Task',
          status: 'requested',
          intent: 'order',
          requester: { reference: 'Organization/nord' },
        },
        code: { coding: [{ system: `${passerelle}/CodeSystem/task-code`, code: 'teleradiology-case' }] },
        focus: { reference: `ServiceRequest/${id}` },
      }),
    ],
    [
      'the checklist of an announcement',
      'radiologist-nord',
      'QuestionnaireResponse',
      requestId,
      (id) => ({
        ...{ resourceType: 'QuestionnaireResponse', status: 'in-progress', subject: task.for },
        questionnaire: `${passerelle}/Questionnaire/serious-announcement`,
        basedOn: [{ reference: `ServiceRequest/${id}` }],
      }),
    ],
  ])('by %s (%s)', async (_what, who, type, known, body) => {
    const before = await whole.server.store.read('aa', 'Task', task.id!);
    const unseen = await said(who, 'POST', type, known(), body);
    expect(unseen).toBe(await said(who, 'POST', type, nobody, body));
    expect(unseen).toMatch(/^422 .*Reference to what does not exist/);
    expect((await whole.server.store.read('aa', 'Task', task.id!)).meta).toEqual(before.meta);
  });

  it.each<[string, Who, string, object]>([
    ['Communication/said', 'ris-nord', 'PUT', { ...message('x'), category }],
    ['DetectedIssue/found', 'radiologist-nord', 'PUT', { status: 'final', author: { reference: 'Device/passerelle' } }],
  ])('by a write over %s (%s)', async (address, who, method, content) => {
    const [resourceType, known] = address.split('/') as [string, string];
    const body = (id: string) => ({ ...content, resourceType, id });
    const unseen = await said(who, method, `${resourceType}/{id}`, known, body);
    expect(unseen).toBe(await said(who, method, `${resourceType}/{id}`, nobody, body));
    expect(unseen).toMatch(/^405 /);
  });
});

describe('a placer number that another establishment has used', () => {
  const again = (organization: string, change: (text: string) => string = (text) => text) =>
    JSON.parse(change(JSON.stringify(askedFor).replace('Organization/nord', `Organization/${organization}`))) as Bundle;

  it('is refused without the case that has it, which its own establishment is told', async () => {
    const unseen = await send('requester-nord', 'POST', '', again('nord'));
    expect(unseen.status).toBe(409);
    expect(JSON.stringify(unseen.body)).toContain('déjà employé');
    expect(JSON.stringify(unseen.body)).not.toContain(task.id);
    const own = await send('demandeur', 'POST', '', again('sud'));
    expect(own.status).toBe(409);
    expect(JSON.stringify(own.body)).toContain(`Task/${task.id}`);
  });

  it('is another number where another authority assigned it', async () => {
    const other = (text: string) => text.replace('urn:oid:2.999.33.10', 'urn:oid:2.999.33.99');
    const answer = await send('requester-nord', 'POST', '', again('nord', other));
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  });
});
