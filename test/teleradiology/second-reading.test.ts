import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childOf, milestones, outputs, readyCase, refusal, report, signedCase, stateOf } from './support/requests.ts';
import { createWorld, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const opinion = { agrees: 'true', opinion: 'Même lecture.', 'not-displayed-reason': 'Série de repérage' };

async function inHandCase(): Promise<string> {
  const { id } = await readyCase(world, { encounterClass: 'O' });
  await world.operate('radiologist', 'claim', id);
  await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
  await world.operate('radiologist', 'save-draft', id, report);
  return id;
}

describe('a second reading before the signature', () => {
  it('holds the signature until another reader has looked at the images and said what they think', async () => {
    const id = await inHandCase();
    await expect(world.operate('radiologist', 'request-second-reading', id)).rejects.toMatchObject(
      refusal('reason-given'),
    );
    const asked = (await world.operate('radiologist', 'request-second-reading', id, {
      reason: 'Lésion douteuse',
      blind: 'true',
    })) as Task;
    expect(stateOf(asked)).toBe('second-reading');
    expect(await childOf(world, id, 'second-reading')).toMatchObject({
      status: 'requested',
      code: { coding: [{ code: 'second-read' }] },
      partOf: [{ reference: `Task/${id}` }],
      reasonCode: { text: 'Lésion douteuse' },
      input: [{ valueBoolean: true }],
    });
    await expect(world.operate('radiologist', 'sign', id, report)).rejects.toMatchObject(refusal('state'));
    await expect(world.operate('radiologist', 'claim-second-reading', id)).rejects.toMatchObject(
      refusal('other-reader', 403),
    );
    await expect(world.operate('requester', 'claim-second-reading', id)).rejects.toMatchObject(refusal('role', 403));
    await world.operate('other-radiologist', 'claim-second-reading', id);
    expect((await childOf(world, id, 'second-reading')).owner?.reference).toBe('Practitioner/radiologue-2');
    await expect(world.operate('other-radiologist', 'claim-second-reading', id)).rejects.toMatchObject(
      refusal('second-reading-wanted', 409),
    );

    await expect(
      world.operate('other-radiologist', 'complete-second-reading', id, { agrees: 'true', opinion: 'Oui' }),
    ).rejects.toMatchObject(refusal('every-series-displayed'));
    await world.operate('other-radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    const seen = await childOf(world, id, 'second-reading');
    expect(outputs(seen, 'displayed-series').map((each) => each.valueString)).toEqual(['1.1', '1.2']);
    await expect(
      world.operate('other-radiologist', 'complete-second-reading', id, { agrees: 'true' }),
    ).rejects.toMatchObject(refusal('opinion-given'));
    await expect(
      world.operate('other-radiologist', 'complete-second-reading', id, { opinion: 'Oui' }),
    ).rejects.toMatchObject(refusal('opinion-given'));
    const read = (await world.operate('other-radiologist', 'complete-second-reading', id, {
      agrees: 'false',
      opinion: 'Fracture de C2.',
    })) as Task;
    expect(stateOf(read)).toBe('reading');
    expect(milestones(read)['second-read']).toBe(world.clock.now().toISOString());
    const done = await childOf(world, id, 'second-reading');
    expect(done.status).toBe('completed');
    expect(outputs(read, 'addendum')).toHaveLength(0);
    const [told] = (await world.store.search(tenant, 'Communication', 'category=draft-opinion')).filter((each) =>
      each.about?.some(({ reference }) => reference === `Task/${id}`),
    );
    // The establishment sees the child Task, and nothing that was said of a report that is not signed.
    expect(outputs(done, 'opinion')[0]?.valueReference?.reference).toBe(`Communication/${told?.id}`);
    expect(JSON.stringify([done, read])).not.toMatch(/Fracture|discordant|"agreement"/);
    expect(told?.payload?.[0]?.contentString).toBe('Deuxième lecture, avis discordant : Fracture de C2.');
    expect(told).toMatchObject({ recipient: [{ reference: 'Practitioner/radiologue' }], priority: 'urgent' });
    expect(stateOf((await world.operate('radiologist', 'sign', id, report)) as Task)).toBe('delivering');
    await expect(
      world.operate('radiologist', 'request-second-reading', id, { reason: 'Encore' }),
    ).rejects.toMatchObject(refusal('no-second-reading'));
  });

  it('is dropped with the first reading, and can be asked again by the next reader', async () => {
    const id = await inHandCase();
    await world.operate('radiologist', 'request-second-reading', id, { reason: 'Doute' });
    await world.operate('other-radiologist', 'claim-second-reading', id);
    await world.operate('coordinator', 'release', id);
    expect((await childOf(world, id, 'second-reading')).status).toBe('cancelled');
    await expect(world.operate('other-radiologist', 'complete-second-reading', id, opinion)).rejects.toMatchObject(
      refusal('state'),
    );
    await world.operate('other-radiologist', 'claim', id);
    await world.operate('other-radiologist', 'request-second-reading', id, { reason: 'Doute' });
    await world.operate('radiologist', 'claim-second-reading', id);
    expect(outputs(await world.task(id), 'second-reading')).toHaveLength(2);
    expect(stateOf((await world.operate('radiologist', 'complete-second-reading', id, opinion)) as Task)).toBe(
      'reading',
    );
  });

  it('given back waits for another reader, who looks anew', async () => {
    const id = await inHandCase();
    await world.operate('radiologist', 'request-second-reading', id, { reason: 'Doute' });
    await world.operate('other-radiologist', 'claim-second-reading', id);
    await world.operate('other-radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    await world.operate('coordinator', 'release-second-reading', id);
    const back = await childOf(world, id, 'second-reading');
    expect(back).toMatchObject({ status: 'requested' });
    expect(back.owner).toBeUndefined();
    expect(outputs(back, 'displayed-series')).toHaveLength(0);
    await world.operate('other-radiologist', 'claim-second-reading', id);
    await expect(
      world.operate('other-radiologist', 'complete-second-reading', id, { agrees: 'true', opinion: 'Oui' }),
    ).rejects.toMatchObject(refusal('every-series-displayed'));
  });
});

describe('a second reading of a signed report', () => {
  it('that disagrees while a re-reading is open is told to who does that, and to the coordinators', async () => {
    const { id } = await signedCase(world);
    await world.operate('requester', 'request-second-reading', id, { reason: 'Polytraumatisé' });
    await world.operate('other-radiologist', 'claim-second-reading', id);
    await world.operate('requester', 'request-rereading', id, { reason: 'Doute clinique' });
    await world.operate('radiologist', 'claim-addendum', id);
    await world.operate('other-radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    const disagrees = { agrees: 'false', opinion: 'Fracture de C2.' };
    await world.operate('other-radiologist', 'complete-second-reading', id, disagrees);
    const [told] = (await world.store.search(tenant, 'Communication', 'category=second-opinion&_count=200')).filter(
      (each) => each.about?.some(({ reference }) => reference === `Task/${id}`),
    );
    expect(told?.recipient?.map(({ reference }) => reference)).toEqual([
      'Practitioner/radiologue',
      'Organization/passerelle-exemple',
    ]);
  });

  it('runs beside the delivery; agreement changes nothing of the report', async () => {
    const { id, item } = await signedCase(world, false);
    await world.operate('requester', 'request-second-reading', id, { reason: 'Polytraumatisé' });
    expect(stateOf(await world.task(id))).toBe('delivering');
    await world.operate('other-radiologist', 'claim-second-reading', id);
    await world.outcome(item, { status: 'delivered', evidence: 'MSA|AA|1' });
    expect(stateOf(await world.task(id))).toBe('delivered');
    const read = (await world.operate('other-radiologist', 'complete-second-reading', id, opinion)) as Task;
    expect(stateOf(read)).toBe('delivered');
    expect(outputs(read, 'addendum')).toHaveLength(0);
  });

  it('that disagrees opens an addendum', async () => {
    const { id } = await signedCase(world);
    await world.operate('radiologist', 'request-second-reading', id, { reason: 'Relecture' });
    await world.operate('other-radiologist', 'claim-second-reading', id);
    const read = (await world.operate('other-radiologist', 'complete-second-reading', id, {
      ...opinion,
      agrees: 'false',
      opinion: 'Pneumothorax droit.',
    })) as Task;
    expect(stateOf(read)).toBe('addendum');
    expect(await childOf(world, id, 'addendum')).toMatchObject({
      status: 'requested',
      reasonCode: { text: expect.stringContaining('Pneumothorax droit.') },
    });
  });

  it('cannot be written by a plain update of its Task', async () => {
    const { id } = await signedCase(world);
    await world.operate('radiologist', 'request-second-reading', id, { reason: 'Relecture' });
    const child = await childOf(world, id, 'second-reading');
    await expect(
      world.store.transaction(world.as('other-radiologist'), (tx) => tx.update({ ...child, status: 'completed' })),
    ).rejects.toMatchObject({ status: 422 });
  });
});
