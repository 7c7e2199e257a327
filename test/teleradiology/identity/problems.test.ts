import type { DetectedIssue, Patient, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IssueCode, issueKinds } from '../../../src/teleradiology/identity/issue-kinds.ts';
import {
  bornOn,
  complete,
  exam,
  fresh,
  issuesOf,
  mitigation,
  patient,
  person,
  readyCase,
  report,
  request,
  send,
  stateOf,
  study,
  uid,
} from '../support/requests.ts';
import { createWorld, tenant, type Who, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const right = '24028007';
const left = '7771000';

interface Found {
  id: string;
  issue: DetectedIssue & { id: string };
}

async function only(id: string, code: IssueCode): Promise<Found> {
  const found = await issuesOf(world, id, code);
  expect(found).toHaveLength(1);
  return { id, issue: found[0]! };
}

const decide = async (found: Found, action: string, who: Who = 'quality', extension?: unknown): Promise<void> => {
  const [entry] = mitigation(action);
  const written = { ...entry!, ...(extension ? { extension } : {}) } as NonNullable<
    DetectedIssue['mitigation']
  >[number];
  const issue = await world.store.read(tenant, 'DetectedIssue', found.issue.id);
  await world.store.transaction(world.as(who), (tx) => tx.update({ ...issue, status: 'final', mitigation: [written] }));
};

/** Everything a signature needs but the identity. */
async function read(id: string): Promise<void> {
  if (stateOf(await world.task(id)) === 'ready') await world.operate('radiologist', 'claim', id);
  await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2', '2.1'] });
  await world.operate('radiologist', 'phone-exchange', id, { summary: 'Prévenu', with: 'Dr ALIX' });
}

const sign = (id: string) => world.operate('radiologist', 'sign', id, report);
const guard = (error: unknown) =>
  (error as { outcome: { issue: { details?: { coding?: { code?: string }[] } }[] } }).outcome.issue[0]?.details
    ?.coding?.[0]?.code;

async function patientOf(id: string): Promise<Patient & { id: string }> {
  const reference = (await world.task(id)).for?.reference?.split('/')[1] ?? '';
  return (await world.store.read(tenant, 'Patient', reference)) as Patient & { id: string };
}

const feed = (after: Patient & { id: string }) => world.store.transaction(world.as('ris'), (tx) => tx.update(after));

/** A case with its images, where the request and the images are as given. */
async function withImages(
  given: { request?: object; laterality?: string; started?: string; wait?: boolean } = {},
): Promise<{ id: string; number: string; studyUid: string; who: ReturnType<typeof person> }> {
  const who = person();
  const number = `DEM-${fresh()}`;
  const studyUid = uid();
  const asked = request(who, {}, number);
  const { task } = await send(world, { ...asked, serviceRequest: { ...asked.serviceRequest, ...given.request } });
  await world.operate('radiologist', 'protocol', task.id, { text: 'TDM' });
  await complete(world, [exam(who, number, studyUid)]);
  const { laterality, started } = given;
  await world.images(
    study(who, studyUid),
    { '1.1': 3 },
    { ...(laterality ? { laterality } : {}), ...(started ? { started } : {}) },
  );
  world.clock.pass(3_000);
  await world.room.sweep();
  return { id: task.id, number, studyUid, who };
}

const side = (code: string) => ({ bodySite: [{ coding: [{ system: 'http://snomed.info/sct', code }] }] });

/** How each kind comes about, and the decision that lets the case go on. */
const kinds: Record<IssueCode, { raise(): Promise<Found>; decision: string; traits?: string[] }> = {
  'identity-mismatch': {
    async raise() {
      const { id, who } = await readyCase(world);
      const { task } = await send(world, request(who, { patient: patient(who, { birthDate: '1990-01-01' }) }));
      await world.operate('coordinator', 'cancel', id, { reason: 'reprise' }).catch(() => undefined);
      return only(task.id, 'identity-mismatch');
    },
    decision: 'identity-confirmed',
    traits: ['birth-date'],
  },
  'ins-collision': {
    async raise() {
      const { who } = await readyCase(world);
      const { task } = await send(world, request({ ...who, ins: person().ins }));
      return only(task.id, 'ins-collision');
    },
    decision: 'identity-confirmed',
    traits: ['ins'],
  },
  'duplicate-patient': {
    async raise() {
      const { who } = await readyCase(world);
      const other = { ...patient(who), identifier: patient({ ...who, ipp: person().ipp }).identifier };
      const { task } = await send(world, request(who, { patient: other }));
      return only(task.id, 'duplicate-patient');
    },
    decision: 'identity-confirmed',
    traits: ['ipp'],
  },
  'uid-collision': {
    async raise() {
      const { id, studyUid } = await readyCase(world);
      const intruder = { quarantine: 'deux patients', imagingStudyId: `lot-${fresh()}` };
      await world.images(study(person(), studyUid), { '9': 1 }, intruder);
      return only(id, 'uid-collision');
    },
    decision: 'images-rejected',
  },
  'accession-collision': {
    async raise() {
      const one = await readyCase(world);
      const two = await readyCase(world);
      const shared = { accessionNumber: { system: 'urn:oid:2.999.33.20', value: `SHARED${fresh()}` } };
      await complete(world, [exam(one.who, one.number, one.studyUid, shared)]);
      await complete(world, [exam(two.who, two.number, two.studyUid, shared)]);
      expect(stateOf(await world.task(one.id))).toBe('identity-hold');
      return only(two.id, 'accession-collision');
    },
    decision: 'verified',
  },
  'exam-unannounced': {
    async raise() {
      const who = person();
      const number = `DEM-${fresh()}`;
      const { task } = await send(world, request(who, {}, number));
      await world.operate('radiologist', 'protocol', task.id, { text: 'TDM' });
      await world.images(study(who, uid()), { '1.1': 3 });
      await world.operate('technologist', 'confirm-images', task.id);
      await complete(world, [exam(who, number, uid())]);
      return only(task.id, 'exam-unannounced');
    },
    decision: 'images-rejected',
  },
  'study-claimed': {
    async raise() {
      const one = await readyCase(world);
      const number = `DEM-${fresh()}`;
      const { task } = await send(world, request(one.who, {}, number));
      await complete(world, [exam(one.who, number, one.studyUid)]);
      return only(task.id, 'study-claimed');
    },
    decision: 'images-rejected',
  },
  'study-reported': {
    async raise() {
      const one = await readyCase(world);
      await read(one.id);
      await sign(one.id);
      const number = `DEM-${fresh()}`;
      const { task } = await send(world, request(one.who, {}, number));
      await complete(world, [exam(one.who, number, one.studyUid)]);
      return only(task.id, 'study-reported');
    },
    decision: 'images-rejected',
  },
  'prior-as-current': {
    async raise() {
      const { id } = await withImages({ started: '2024-11-03T10:00:00+01:00' });
      return only(id, 'prior-as-current');
    },
    decision: 'verified',
  },
  'laterality-mismatch': {
    async raise() {
      const { id } = await withImages({ request: side(right), laterality: left });
      return only(id, 'laterality-mismatch');
    },
    decision: 'verified',
  },
  'patient-merged': {
    async raise() {
      const { id } = await readyCase(world);
      await feed({ ...(await patientOf(id)), active: false });
      return only(id, 'patient-merged');
    },
    decision: 'identity-confirmed',
  },
  'identity-changed': {
    async raise() {
      const { id } = await readyCase(world);
      await feed({ ...(await patientOf(id)), birthDate: '1999-09-09' });
      return only(id, 'identity-changed');
    },
    decision: 'identity-confirmed',
    traits: ['birth-date'],
  },
  'duplicate-request': {
    async raise() {
      const who = person();
      await send(world, request(who));
      const number = `DEM-${fresh()}`;
      const studyUid = uid();
      const { task } = await send(world, request(who, {}, number));
      await world.operate('radiologist', 'protocol', task.id, { text: 'TDM' });
      await complete(world, [exam(who, number, studyUid)]);
      await world.images(study(who, studyUid), { '1.1': 3 });
      world.clock.pass(3_000);
      await world.room.sweep();
      return only(task.id, 'duplicate-request');
    },
    decision: 'verified',
  },
  homonym: {
    async raise() {
      const first = await readyCase(world);
      const who = person();
      const number = `DEM-${fresh()}`;
      const studyUid = uid();
      const name = [{ use: 'official' as const, family: 'TEST-MOREAUX', given: ['Camille'] }];
      const twin = patient(who, { name, birthDate: bornOn(first.who) });
      const { task } = await send(world, request(who, { patient: twin }, number));
      await world.operate('radiologist', 'protocol', task.id, { text: 'TDM' });
      await complete(world, [exam(who, number, studyUid, { patient: twin })]);
      const shown = { patientName: 'TEST-MOREAUX^CAMILLE', birthDate: bornOn(first.who) };
      await world.images(study(who, studyUid, shown), { '1.1': 3 });
      world.clock.pass(3_000);
      await world.room.sweep();
      return only(task.id, 'homonym');
    },
    decision: 'distinct-persons',
    traits: ['birth-name', 'ipp', 'ins'],
  },
};

describe.each(Object.entries(kinds))('%s', (code, { raise, decision, traits }) => {
  const { blocks, severity } = issueKinds[code as IssueCode];

  it('is named with its severity, its due time and owner, both sides and no trait in its sentence', async () => {
    const { issue } = await raise();
    expect(issue).toMatchObject({ severity, status: 'preliminary', author: { reference: 'Device/passerelle' } });
    expect(issue.implicated?.[0]?.reference).toMatch(/^Task\//);
    const due = issue.extension?.find(({ url }) => url.endsWith('/decision-due'))?.extension;
    expect(due?.find(({ url }) => url === 'owner')?.valueReference?.reference).toBe('Organization/passerelle-exemple');
    const waitMs =
      Date.parse(due?.find(({ url }) => url === 'due')?.valueDateTime ?? '') -
      Date.parse(issue.identifiedDateTime ?? '');
    expect(waitMs).toBe(30 * 60_000);
    for (const told of ['MOREAU', 'CAMILLE', '19', '20', 'IPP0', '2850']) expect(issue.detail).not.toContain(told);
    if (traits === undefined) return;
    const differing = issue.evidence?.[0]?.code?.map((each) => each.coding?.[0]?.code);
    expect(differing).toEqual(expect.arrayContaining(traits));
    const sides = (issue.contained as Patient[]).map((each) => Object.keys(each).sort());
    expect(sides.length).toBeGreaterThanOrEqual(2);
    for (const keys of sides)
      expect(['birthDate', 'gender', 'id', 'identifier', 'name', 'resourceType']).toEqual(expect.arrayContaining(keys));
  });

  it(`blocks ${blocks} until ${decision}, with a reason, by who may`, async () => {
    const found = await raise();
    const { id } = found;
    if (blocks === 'reading') {
      await expect(world.operate('radiologist', 'claim', id)).rejects.toMatchObject({ status: 422 });
    } else {
      await read(id);
      expect(guard(await sign(id).catch((error: unknown) => error))).toBe('identity-verified');
    }
    await expect(decide(found, decision, 'requester')).rejects.toMatchObject({ status: 403 });
    await expect(decide(found, 'case-ended')).rejects.toMatchObject({ status: 422 });
    await decide(found, decision);
    const decided = await world.store.read(tenant, 'DetectedIssue', found.issue.id);
    expect(decided).toMatchObject({
      status: 'final',
      mitigation: [{ author: { reference: 'Practitioner/qualite' }, date: world.clock.now().toISOString() }],
    });
    const [trace] = await world.store.search(tenant, 'Provenance', `target=DetectedIssue/${found.issue.id}`);
    expect(trace).toMatchObject({
      agent: [{ who: { reference: 'Practitioner/qualite' } }],
      reason: [{ coding: [{ code: decision }], text: 'Vérifié par téléphone avec le service' }],
    });
    expect(stateOf(await world.task(id))).not.toBe('identity-hold');
    if (blocks !== 'reading') expect(stateOf((await sign(id)) as Task)).toBe('delivering');
  });
});
