import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readingClockOf } from '../../src/teleradiology/shell/case-clocks.ts';
import {
  complete,
  exam,
  fresh,
  mitigation,
  outputs,
  patient,
  person,
  request,
  send,
  stateOf,
  study,
  uid,
} from './support/requests.ts';
import { createWorld, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const basis = (task: Task) => task.extension?.find((each) => each.url.endsWith('/attachment-basis'))?.valueCode;
const decide = async (issueId: string, action: string): Promise<void> => {
  const issue = await world.store.read(tenant, 'DetectedIssue', issueId);
  await world.store.transaction(world.as('quality'), (tx) =>
    tx.update({ ...issue, status: 'final', mitigation: mitigation(action) }),
  );
};

async function requested(changes = {}) {
  const who = person();
  const number = `DEM-${fresh()}`;
  const { task } = await send(world, request(who, changes, number));
  return { who, number, id: task.id };
}

describe('images find their case', () => {
  it('by the Study Instance UID that flow 4 announced', async () => {
    const { who, number, id } = await requested();
    const studyUid = uid();
    await complete(world, [exam(who, number, studyUid)]);
    await world.images(study(who, studyUid, { patientId: undefined }), { '1': 3 });
    expect(basis(await world.task(id))).toBe('study-uid');
  });

  it('by accession number and its issuer, and not by the same number of another issuer', async () => {
    const { who, number, id } = await requested();
    const accessionNumber = `A${fresh()}`;
    await complete(world, [
      exam(who, number, uid(), { accessionNumber: { system: 'urn:oid:2.999.33.20', value: accessionNumber } }),
    ]);
    await world.images(study(who, uid(), { accessionNumber, accessionIssuer: '2.999.99' }), { '1': 3 });
    expect(basis(await world.task(id))).toBeUndefined();
    await world.images(study(who, uid(), { accessionNumber, accessionIssuer: '2.999.33.20' }), { '2': 3 });
    expect(basis(await world.task(id))).toBe('accession-number');
  });

  it('by the placer order number', async () => {
    const { who, number, id } = await requested();
    await world.images(study(who, uid(), { placerOrderNumber: number, patientId: undefined }), { '1': 3 });
    expect(basis(await world.task(id))).toBe('placer-number');
  });

  it('by the single open case of the patient and modality, provisionally, until flow 4 confirms it', async () => {
    const { who, number, id } = await requested();
    const studyUid = uid();
    await world.images(study(who, studyUid), { '1': 3 });
    expect(basis(await world.task(id))).toBe('provisional');
    await complete(world, [exam(who, number, studyUid)]);
    expect(basis(await world.task(id))).toBe('study-uid');
  });

  it('provisionally until a person confirms it', async () => {
    const { who, id } = await requested();
    await world.images(study(who, uid()), { '1': 3 });
    await expect(world.operate('requester', 'confirm-images', id)).rejects.toMatchObject({ status: 403 });
    expect(basis((await world.operate('technologist', 'confirm-images', id)) as Task)).toBe('confirmed');
    await expect(world.operate('technologist', 'confirm-images', id)).rejects.toMatchObject({ status: 422 });
  });

  it('not when the patient has two open cases of that modality, nor one of another modality', async () => {
    const { who, id } = await requested();
    const second = await send(world, request(who));
    await world.images(study(who, uid()), { '1': 3 });
    const { who: other, id: otherId } = await requested();
    await world.images(study(other, uid(), { modalities: ['MR'] }), { '1': 3 });
    for (const task of [id, second.task.id, otherId])
      expect(outputs(await world.task(task), 'imaging-study')).toHaveLength(0);
  });

  it('that flow 4 contradicts are detached and wait again', async () => {
    const { who, number, id } = await requested();
    await world.images(study(who, uid()), { '1': 3 });
    expect(outputs(await world.task(id), 'imaging-study')).toHaveLength(1);
    await complete(world, [exam(who, number, uid())]);
    const task = await world.task(id);
    expect(outputs(task, 'imaging-study')).toHaveLength(0);
    expect(basis(task)).toBeUndefined();
  });

  it('guessed for one request and announced by flow 4 for another move there', async () => {
    const first = await requested();
    const studyUid = uid();
    await world.images(study(first.who, studyUid), { '1': 3 });
    const number = `DEM-${fresh()}`;
    const second = await send(world, request(first.who, {}, number));
    await complete(world, [exam(first.who, number, studyUid)]);
    expect(outputs(await world.task(first.id), 'imaging-study')).toHaveLength(0);
    expect(basis(await world.task(second.task.id))).toBe('study-uid');
  });

  it('that come before their request when it comes', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    await world.images(study(who, uid(), { placerOrderNumber: number }), { '1': 3 });
    const { task } = await send(world, request(who, {}, number));
    expect(basis(task)).toBe('placer-number');
    expect(outputs(task, 'imaging-study')).toHaveLength(1);
  });

  it('or are brought to the coordinator, once, when nothing comes', async () => {
    const studyUid = uid();
    await world.images(study(person(), studyUid), { '1': 3 });
    world.clock.pass(10 * 60_000 + 1);
    await world.room.sweep();
    await world.room.sweep();
    const told = await world.store.search(tenant, 'Communication', 'category=unattached-images&_count=100');
    const about = told.filter(
      (each) => each.about?.[0]?.reference === `ImagingStudy/study-${studyUid.replaceAll('.', '-')}`,
    );
    expect(about).toHaveLength(1);
    expect(about[0]?.recipient).toEqual([{ reference: 'Organization/passerelle-exemple' }]);
  });
});

describe('images of another identity', () => {
  it('with the IPP of the request but another birth date are quarantined, named, and block reading until decided', async () => {
    const { who, number, id } = await requested();
    const studyUid = uid();
    await world.operate('radiologist', 'protocol', id, { text: 'TDM' });
    await complete(world, [exam(who, number, studyUid)]);
    await world.images(study(who, studyUid, { birthDate: '1990-01-01' }), { '1': 3 });
    expect(world.quarantined.get(studyUid)).toContain('date de naissance');
    const held = await world.task(id);
    expect(stateOf(held)).toBe('acquiring');
    expect(outputs(held, 'imaging-study')).toHaveLength(0);
    const [issue] = await world.store.search(tenant, 'DetectedIssue', `implicated=Task/${id}`);
    expect(issue).toMatchObject({ severity: 'high', code: { coding: [{ code: 'identity-mismatch' }] } });
    expect(issue?.detail).not.toMatch(/1985|1990/);
    await decide(issue!.id!, 'identity-confirmed');
    expect(world.quarantined.has(studyUid)).toBe(false);
    world.clock.pass(3_001);
    await world.room.sweep();
    await world.images(study(who, studyUid, { birthDate: '1990-01-01' }), { '1': 3 });
    await world.room.sweep();
    const freed = await world.task(id);
    expect(basis(freed)).toBe('confirmed');
    expect(stateOf(freed)).toBe('ready');
  });

  it('rejected by identity vigilance stay in quarantine; the case waits for its own', async () => {
    const { who, number, id } = await requested();
    const studyUid = uid();
    await world.operate('radiologist', 'protocol', id, { text: 'TDM' });
    await complete(world, [exam(who, number, studyUid)]);
    await world.images(study(who, studyUid, { patientId: 'AUTRE-IPP' }), { '1': 3 });
    expect(world.quarantined.get(studyUid)).toContain('IPP');
    const [issue] = await world.store.search(tenant, 'DetectedIssue', `implicated=Task/${id}`);
    await decide(issue!.id!, 'images-rejected');
    expect(world.quarantined.has(studyUid)).toBe(true);
    expect(stateOf(await world.task(id))).toBe('acquiring');
    await expect(world.operate('technologist', 'complete-images', id)).rejects.toMatchObject({ status: 422 });
  });

  it('that carry the name in use, or all given names, are the same person', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    const names = [
      {
        use: 'official' as const,
        family: 'TEST-MOREAU',
        given: ['CAMILLE'],
        extension: [
          {
            url: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name',
            valueString: 'CAMILLE LOUISE',
          },
        ],
      },
      { use: 'usual' as const, family: 'TEST-DUVAL', given: ['LOUISE'] },
    ];
    const { task } = await send(world, request(who, { patient: patient(who, { name: names }) }, number));
    await world.images(study(who, uid(), { placerOrderNumber: number, patientName: 'Test-Duval^Camille Louise' }), {
      '1': 1,
    });
    await world.images(study(who, uid(), { placerOrderNumber: number, patientName: 'TEST-MOREAU^LOUISE' }), { '2': 1 });
    expect(outputs(await world.task(task.id), 'imaging-study')).toHaveLength(2);
  });

  it('under the UID of an attached study are named once, and the first ones stay', async () => {
    const { who, number, id } = await requested();
    const studyUid = uid();
    await complete(world, [exam(who, number, studyUid)]);
    await world.images(study(who, studyUid), { '1': 3 });
    const intruder = { quarantine: 'deux patients', imagingStudyId: `lot-${fresh()}` };
    await world.images(study(person(), studyUid), { '9': 1 }, intruder);
    await world.images(study(person(), studyUid), { '9': 2 }, intruder);
    const issues = await world.store.search(tenant, 'DetectedIssue', `implicated=Task/${id}`);
    expect(issues.map((each) => each.code?.coding?.[0]?.code)).toEqual(['uid-collision']);
    expect(outputs(await world.task(id), 'imaging-study')).toHaveLength(1);
  });
});

describe('completeness', () => {
  it('of a routine case waits for flow 4 and silence', async () => {
    const { who, number, id } = await requested({ encounterClass: 'O' });
    const studyUid = uid();
    await world.operate('radiologist', 'protocol', id, { text: 'TDM' });
    await world.images(study(who, studyUid), { '1': 3 });
    world.clock.pass(60_000);
    await world.room.sweep();
    expect(stateOf(await world.task(id))).toBe('acquiring');
    await complete(world, [exam(who, number, studyUid)]);
    const ready = await world.task(id);
    expect(stateOf(ready)).toBe('ready');
    expect(ready.priority).toBe('routine');
    const clock = readingClockOf(ready);
    // Transmission was complete with flow 4, a minute after the images.
    expect(clock?.started).toEqual(world.clock.now());
    expect(clock?.rule).toBe('routine-0800');
  });

  it('waits for every study that flow 4 announced', async () => {
    const { who, number, id } = await requested({ encounterClass: 'O' });
    const [one, two] = [uid(), uid()];
    await world.operate('radiologist', 'protocol', id, { text: 'TDM' });
    await complete(world, [exam(who, number, one), exam(who, number, two)]);
    await world.images(study(who, one), { '1': 3 });
    world.clock.pass(5_000);
    await world.room.sweep();
    expect(stateOf(await world.task(id))).toBe('acquiring');
    await world.images(study(who, two), { '2': 3 });
    world.clock.pass(3_000);
    await world.room.sweep();
    expect(stateOf(await world.task(id))).toBe('ready');
  });

  it('is what a technologist says it is', async () => {
    const { who, id } = await requested({ encounterClass: 'O' });
    await world.operate('radiologist', 'protocol', id, { text: 'TDM' });
    await expect(world.operate('technologist', 'complete-images', id)).rejects.toMatchObject({ status: 422 });
    await world.images(study(who, uid()), { '1': 3 });
    expect(stateOf((await world.operate('technologist', 'complete-images', id)) as Task)).toBe('ready');
  });

  it('of an urgent case is not awaited: its first quiet series can be read, and its clock runs', async () => {
    const { who, id } = await requested();
    await world.operate('radiologist', 'protocol', id, { text: 'TDM' });
    const studyUid = uid();
    const firstSeries = world.clock.now().toISOString();
    await world.images(study(who, studyUid), { '1': 20 });
    for (const count of [1, 2, 3]) {
      world.clock.pass(1_000);
      await world.images(study(who, studyUid), { '1': 20, '2': count });
    }
    await world.room.sweep();
    const ready = await world.task(id);
    expect(stateOf(ready)).toBe('ready');
    expect(ready.restriction?.period).toEqual({
      start: firstSeries,
      end: new Date(Date.parse(firstSeries) + 3_600_000).toISOString(),
    });
  });

  it('counts the clock of an urgent case also while its protocol is still wanted', async () => {
    const { who, id } = await requested();
    await world.images(study(who, uid()), { '1': 20 });
    world.clock.pass(3_000);
    await world.room.sweep();
    const waiting = await world.task(id);
    expect(stateOf(waiting)).toBe('protocol-wanted');
    expect(waiting.restriction?.period?.end).toBeDefined();
    expect(stateOf((await world.operate('radiologist', 'protocol', id, { text: 'TDM' })) as Task)).toBe('ready');
  });
});
