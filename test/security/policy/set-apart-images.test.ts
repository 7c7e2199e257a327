/** Images under the Study Instance UID of another establishment's case: each side is told its own part, and nothing of the other's. */
import type { AuditEvent, Bundle, DetectedIssue, ImagingStudy, Resource, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setEstablishments } from '../../../src/access/tenants/establishments.ts';
import { establishmentSystem, systemContext } from '../../../src/fhir/index.ts';
import { multipartBody, multipartType } from '../../adapters/dicomweb/server.ts';
import { smallCt } from '../../support/synthetic-ct.ts';
import { openWholeServer, type WholeServer } from '../surface/whole-server.ts';
import { askedFor, taskIdOf } from './asked-for.ts';

let whole: WholeServer;
const tokens = new Map<string, string>();
const people = {
  demandeur: ['requester', 'nord', 'person'],
  'radiologist-nord': ['radiologist', 'nord', 'person'],
  'pacs-nord': ['pacs', 'nord', 'machine'],
  'requester-sud': ['requester', 'sud', 'person'],
  'technologist-sud': ['technologist', 'sud', 'person'],
  'pacs-sud': ['pacs', 'sud', 'machine'],
  'pacs-both': ['pacs', 'nord', 'machine'],
  vigilance: ['identity-vigilance', undefined, 'person'],
  quality: ['quality', undefined, 'person'],
  coordinator: ['coordinator', undefined, 'person'],
  auditor: ['auditor', undefined, 'person'],
} as const;
type Who = keyof typeof people;
const passerelle = 'https://fhir.passerelle.example';
const system = systemContext('aa', 'system:test', { now: () => new Date() });
const told = ['DetectedIssue', 'Communication', 'Provenance', 'AuditEvent', 'Task', 'ImagingStudy'] as const;

const ofNorth = {
  patientName: 'TEST-MOREAU^CAMILLE',
  patientId: 'IPP-NORD-1',
  birthDate: '19850417',
  sex: 'F',
} as const;
const ofSouth = { patientName: 'TEST-SUDISTE^PAULE', patientId: 'IPP-SUD-9', birthDate: '19311112', sex: 'F' } as const;
const traits = {
  nord: ['TEST-MOREAU', 'CAMILLE', 'IPP-NORD-1', '1985-04-17', 'Organization/nord', 'pacs-nord'],
  sud: ['TEST-SUDISTE', 'PAULE', 'IPP-SUD-9', '1931-11-12', 'Organization/sud', 'pacs-sud'],
};

beforeAll(async () => {
  whole = await openWholeServer({ LIMIT_ACCOUNT_RATE: 'off', LIMIT_ADDRESS_RATE: 'off' });
  const { access, store } = whole.server;
  for (const id of ['nord', 'sud'])
    await store.transaction(system, (tx) => tx.update({ resourceType: 'Organization', id, name: id }));
  for (const [login, [role, organizationId, kind]] of Object.entries(people)) {
    const reference = `${kind === 'machine' ? 'Device' : 'Practitioner'}/${login}`;
    if (kind === 'person')
      await store.transaction(system, (tx) =>
        tx.update({ resourceType: 'Practitioner', id: login, name: [{ family: login }] }),
      );
    const bound = organizationId ? { organizationId } : {};
    await access.ensureAccount({
      ...{ tenant: 'aa', login, kind, reference, display: login, roles: [role], ...bound },
    });
    tokens.set(login, await access.issueToken(login, 3_600));
  }
  const two = { tenant: 'aa', login: 'pacs-both', establishments: ['nord', 'sud'] };
  await setEstablishments(whole.server.database, two);
}, 60_000);
afterAll(() => whole?.close());

async function send(who: Who, method: string, path: string, body?: object) {
  const answer = await fetch(`${whole.server.httpUrl}/fhir/${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens.get(who)}`, 'content-type': 'application/fhir+json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, text, body: JSON.parse(text) as Resource };
}

async function stow(who: Who, files: readonly Buffer[]): Promise<number> {
  const answer = await fetch(`${whole.server.httpUrl}/dicomweb/studies`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokens.get(who)}`,
      'content-type': multipartType,
      accept: 'application/dicom+json',
    },
    body: new Uint8Array(multipartBody(files)),
  });
  await answer.text();
  return answer.status;
}

const found = async <R extends Resource>(who: Who, path: string): Promise<R[]> =>
  (((await send(who, 'GET', path)).body as Bundle).entry ?? []).map(({ resource }) => resource as R);
const study = (uid: string) => `identifier=${encodeURIComponent(`urn:dicom:uid|urn:oid:${uid}`)}`;
const issuesOf = (who: Who, uid: string) => found<DetectedIssue>(who, `DetectedIssue?${study(uid)}`);
const labels = ({ meta }: Resource) =>
  meta?.security?.flatMap(({ system: of, code }) => (of === establishmentSystem ? [code] : []));
const isAbout = (issue: DetectedIssue, type: string) =>
  issue.implicated?.some(({ reference }) => reference?.startsWith(`${type}/`)) === true;
const stateOf = (task: Task) => task.businessStatus?.coding?.[0]?.code;
const read = async (id: string) => (await send('demandeur', 'GET', `Task/${id}`)).body as Task;

/** A case of `nord`, its images attached. */
async function caseOfNorth(number: string, uid: string): Promise<string> {
  const bundle = JSON.parse(JSON.stringify(askedFor).replace('DEM-1', number)) as Bundle;
  const answer = await send('demandeur', 'POST', '', bundle);
  expect(answer.status, answer.text).toBe(200);
  const files = smallCt({
    studyUid: uid,
    studyDate: new Date(),
    ...ofNorth,
    placerOrderNumber: number,
    accessionNumber: `ACC-${number}`,
  });
  expect(await stow('pacs-nord', files)).toBe(200);
  const id = taskIdOf(answer.body as Bundle);
  expect(
    (await read(id)).output?.some(({ valueReference }) => /^ImagingStudy/.test(valueReference?.reference ?? '')),
  ).toBe(true);
  return id;
}

async function decide(issue: DetectedIssue, code: string): Promise<void> {
  const action = { coding: [{ system: `${passerelle}/CodeSystem/detected-issue-mitigation`, code }], text: 'Vu, TEST' };
  const body = { ...issue, status: 'final', mitigation: [{ action }] };
  const answer = await send('vigilance', 'PUT', `DetectedIssue/${issue.id}`, body);
  // Not 201: what deciding makes beside it is no answer to what was asked (http.html#update).
  expect([answer.status, (answer.body as DetectedIssue).status], answer.text).toEqual([200, 'final']);
}

const intruder = (uid: string, more: object = {}) =>
  smallCt({
    studyUid: uid,
    slices: 1,
    seriesNumber: 7,
    ...ofSouth,
    placerOrderNumber: 'SUD-1',
    studyDate: new Date(),
    ...more,
  });

describe('images under the UID of another establishment’s case', () => {
  const uid = '2.25.8801';
  let task: string;
  beforeAll(async () => {
    task = await caseOfNorth('DEM-8801', uid);
    expect(await stow('pacs-sud', intruder(uid, { accessionNumber: 'ACC-SUD' }))).toBe(202);
  });

  it('raise a problem for each side, with nothing of the other’s', async () => {
    const [both] = [await issuesOf('vigilance', uid)];
    expect(both.map(labels).sort()).toEqual([['nord'], ['sud']]);
    const [north, south] = [await issuesOf('demandeur', uid), await issuesOf('requester-sud', uid)];
    expect([north.length, south.length]).toEqual([1, 1]);
    expect(isAbout(north[0]!, 'Task')).toBe(true);
    expect(isAbout(south[0]!, 'Task')).toBe(false);
    expect(JSON.stringify(south)).toContain('TEST-SUDISTE');
    expect(south[0]?.detail).toContain('nouvel identifiant');
    expect(stateOf(await read(task))).toBe('identity-hold');
  });

  it('tell each side nothing of the other, whatever it looks at', async () => {
    const stored = await read(task);
    const all = await whole.server.store.search('aa', 'ImagingStudy', '_count=50');
    const idsOf = (side: string) => all.filter((one) => labels(one)?.includes(side)).map(({ id }) => id as string);
    const secrets = {
      demandeur: [...traits.sud, ...idsOf('sud')],
      'radiologist-nord': [...traits.sud, ...idsOf('sud')],
      'requester-sud': [...traits.nord, ...idsOf('nord'), task, stored.for!.reference!, stored.focus!.reference!],
      'technologist-sud': [...traits.nord, ...idsOf('nord'), task, stored.for!.reference!, stored.focus!.reference!],
      'pacs-sud': [...traits.nord, ...idsOf('nord'), task, stored.for!.reference!, stored.focus!.reference!],
    };
    for (const [who, secret] of Object.entries(secrets)) {
      expect(secret.length).toBeGreaterThan(6);
      for (const type of told) {
        const { text, status } = await send(who as Who, 'GET', `${type}?_count=100`);
        expect([200, 403]).toContain(status);
        for (const each of secret) expect(text, `${type} to ${who}`).not.toContain(each);
      }
    }
    // Those who see a side see it: the searches above are no empty pages.
    expect((await found('demandeur', 'DetectedIssue')).length).toBe(1);
    expect((await found('demandeur', 'Provenance')).length).toBeGreaterThan(0);
    expect((await found('technologist-sud', 'DetectedIssue')).length).toBe(1);
  });

  it('are shown whole to the platform’s people', async () => {
    for (const who of ['vigilance', 'quality', 'coordinator'] as const)
      expect((await issuesOf(who, uid)).length, who).toBe(2);
  });

  it('are named once, however much of them comes', async () => {
    expect(await stow('pacs-sud', intruder(uid, { seriesNumber: 8, accessionNumber: 'ACC-SUD' }))).toBe(202);
    expect(await issuesOf('vigilance', uid)).toHaveLength(2);
  });

  it('are decided about on each side, the case going on with its own', async () => {
    const [north, south] = [(await issuesOf('demandeur', uid))[0]!, (await issuesOf('requester-sud', uid))[0]!];
    await decide(south, 'images-rejected');
    expect(stateOf(await read(task))).toBe('identity-hold');
    await decide(north, 'identity-confirmed');
    const after = await read(task);
    expect(stateOf(after)).not.toBe('identity-hold');
    expect(after.output?.some(({ valueReference }) => /^ImagingStudy/.test(valueReference?.reference ?? ''))).toBe(
      true,
    );
    for (const each of traits.nord)
      expect((await send('technologist-sud', 'GET', 'DetectedIssue')).text).not.toContain(each);
    // Who decides is the platform's: their Provenance is each side's own.
    expect((await send('demandeur', 'GET', 'Provenance?_count=100')).text).not.toContain(south.id);
  });
});

describe('whoever looks at the case whose UID was used again', () => {
  it('may find that its own images are not its patient’s: they are taken off and do not come back', async () => {
    const uid = '2.25.8802';
    const task = await caseOfNorth('DEM-8802', uid);
    expect(await stow('pacs-sud', intruder(uid))).toBe(202);
    await decide((await issuesOf('demandeur', uid))[0]!, 'images-rejected');
    const files = smallCt({
      studyUid: uid,
      studyDate: new Date(),
      ...ofNorth,
      placerOrderNumber: 'DEM-8802',
      seriesNumber: 5,
      slices: 1,
    });
    expect(await stow('pacs-nord', files)).toBe(200);
    const { output = [] } = await read(task);
    expect(output.filter(({ valueReference }) => /^ImagingStudy/.test(valueReference?.reference ?? ''))).toEqual([]);
  });
});

describe('images under a UID that waits for its case in another establishment', () => {
  it('are told to each side, too', async () => {
    const uid = '2.25.8803';
    const none = { accessionNumber: '', placerOrderNumber: '' };
    expect(
      await stow(
        'pacs-nord',
        smallCt({ studyUid: uid, studyDate: new Date(), ...ofNorth, ...none, patientId: 'IPP-NORD-3' }),
      ),
    ).toBe(200);
    expect(await stow('pacs-sud', intruder(uid, none))).toBe(202);
    expect((await issuesOf('vigilance', uid)).map(labels).sort()).toEqual([['nord'], ['sud']]);
    const [own] = await issuesOf('requester-sud', uid);
    const [study1] = await found<ImagingStudy>('demandeur', `ImagingStudy?${study(uid)}`);
    expect(JSON.stringify(own)).not.toContain(study1!.id);
    for (const issue of await issuesOf('vigilance', uid)) await decide(issue, 'identity-confirmed');
  });
});

describe('images of a sender that speaks for several establishments', () => {
  it('do not show one of them the case of the other', async () => {
    const uid = '2.25.8804';
    const task = await caseOfNorth('DEM-8804', uid);
    expect(await stow('pacs-both', intruder(uid))).toBe(202);
    expect((await send('requester-sud', 'GET', `DetectedIssue?${study(uid)}`)).text).not.toContain(task);
    expect((await issuesOf('requester-sud', uid)).length).toBe(1);
    expect(stateOf(await read(task))).toBe('identity-hold');
  });
});

describe('images of another identity from the case’s own establishment', () => {
  it('are one problem with both sides', async () => {
    const uid = '2.25.8805';
    const task = await caseOfNorth('DEM-8805', uid);
    const other = { patientName: 'TEST-VOISINE^ANNE', patientId: 'IPP-NORD-8', birthDate: '19700101' };
    expect(await stow('pacs-nord', intruder(uid, other))).toBe(202);
    const issues = await issuesOf('demandeur', uid);
    expect(issues).toHaveLength(1);
    expect(isAbout(issues[0]!, 'Task') && isAbout(issues[0]!, 'ImagingStudy')).toBe(true);
    expect(JSON.stringify(issues)).toContain('TEST-VOISINE');
    expect(stateOf(await read(task))).toBe('identity-hold');
  });
});

describe('a deposit that is refused because its UID is taken', () => {
  const uid = '2.25.8806';
  const eventsAbout = async (outcome: string) =>
    (await found<AuditEvent>('auditor', 'AuditEvent?_count=200&_sort=-date')).filter(
      (event) => event.outcome === outcome && JSON.stringify(event.entity).includes(`"${uid}"`),
    );

  it('is in the trail with its sender and the UID it sent, and with nobody else', async () => {
    const files = smallCt({ studyUid: uid, studyDate: new Date(), slices: 2, ...ofNorth });
    expect(await stow('pacs-nord', files)).toBe(200);
    expect(await eventsAbout('4')).toEqual([]);
    expect(await stow('pacs-sud', files)).toBe(409);
    const [event, ...others] = await eventsAbout('4');
    expect(others).toEqual([]);
    expect(event!.agent.map(({ who }) => who?.reference)).toContain('Device/pacs-sud');
    expect(event!.subtype?.map(({ code }) => code)).toContain('dicomweb:stow');
    expect(event!.outcomeDesc).toBe('B00E');
    expect(JSON.stringify(event!.entity)).toMatch(/"refused","valueString":"2"/);
    expect(event!.entity?.some(({ what }) => what?.reference?.startsWith('Patient/'))).toBe(false);
    for (const each of traits.nord) expect(JSON.stringify(event)).not.toContain(each);
  });

  it('and what was set apart with it is told, again when it is sent again', async () => {
    const files = intruder(uid, { accessionNumber: 'ACC-8806' });
    expect(await stow('pacs-sud', files)).toBe(202);
    expect(await stow('pacs-sud', files)).toBe(202);
    const events = (await eventsAbout('4')).filter(({ outcomeDesc }) => outcomeDesc === 'B007');
    expect(events).toHaveLength(2);
    for (const event of events)
      for (const each of [...traits.nord, 'SUDISTE']) expect(JSON.stringify(event)).not.toContain(each);
  });

  it('is shown to auditors alone', async () => {
    for (const who of ['demandeur', 'requester-sud', 'technologist-sud', 'pacs-sud', 'pacs-nord'] as const)
      expect((await send(who, 'GET', 'AuditEvent')).status).toBe(403);
  });
});
