import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outputs, patient, placer, readyCase, refusal, report, signedCase, stateOf } from './support/requests.ts';
import { createWorld, hospital, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

/** The way the RIS cancels. */
const cancel = ({ number, who }: Awaited<ReturnType<typeof readyCase>>, reason?: string) =>
  world.store.transaction(world.as('ris', 'hl7v2:ORM^O01'), (tx) =>
    world.room.cancelRequest(
      tx,
      {
        placer: placer(number),
        patient: patient(who),
        organization: hospital(),
        requester: { resourceType: 'Practitioner' },
        ...(reason ? { reason } : {}),
      },
      'ch-exemple',
    ),
  );
const told = async (id: string, category: string) =>
  (await world.store.search(tenant, 'Communication', `category=${category}`)).filter((each) =>
    each.about?.some(({ reference }) => reference === `Task/${id}`),
  );

describe('a cancellation that comes after the exam', () => {
  it('is refused, but that the site asked is kept, told to the reader, and holds the signature until it is answered', async () => {
    const made = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', made.id);
    await world.operate('radiologist', 'displayed', made.id, { series: ['1.1', '1.2'] });
    const { task, refused } = await cancel(made, 'Patient sorti');
    expect(refused).toContain('La demande d’annulation est transmise');
    expect(stateOf(task)).toBe('reading');
    expect(outputs(await world.task(made.id), 'cancellation-request')).toHaveLength(1);
    expect(await told(made.id, 'cancellation-request')).toMatchObject([
      { recipient: [{ reference: 'Practitioner/radiologue' }], priority: 'urgent' },
    ]);
    await expect(cancel(made)).rejects.toMatchObject({ status: 422 });
    expect(await told(made.id, 'cancellation-request')).toHaveLength(1);
    await expect(world.operate('radiologist', 'sign', made.id, report)).rejects.toMatchObject(
      refusal('cancellation-answered'),
    );
    await expect(world.operate('radiologist', 'decline-cancellation', made.id)).rejects.toMatchObject(
      refusal('reason-given'),
    );
    await world.operate('radiologist', 'decline-cancellation', made.id, { reason: 'Compte rendu presque fini' });
    expect(await told(made.id, 'cancellation-declined')).toMatchObject([
      { recipient: [{ reference: 'Organization/ch-exemple' }], inResponseTo: [{}] },
    ]);
    expect(stateOf((await world.operate('radiologist', 'sign', made.id, report)) as Task)).toBe('delivering');
  });

  it('may be asked by the site and followed by an interruption', async () => {
    const made = await readyCase(world, { encounterClass: 'O' });
    const error = await world.operate('requester', 'cancel', made.id, { reason: 'x' }).catch((caught) => caught);
    expect(error.status).toBe(422);
    expect(error.message).toContain('$ask-cancellation');
    await world.operate('requester', 'ask-cancellation', made.id, { reason: 'Examen fait ailleurs' });
    await expect(world.operate('requester', 'ask-cancellation', made.id, { reason: 'Encore' })).rejects.toMatchObject(
      refusal('cancellation-not-asked'),
    );
    const ended = (await world.operate('coordinator', 'interrupt', made.id, { reason: 'Annulée par le site' })) as Task;
    expect(stateOf(ended)).toBe('interrupted');
    await expect(cancel(made)).rejects.toMatchObject({ status: 422 });
  });

  it('of a signed report is neither cancelled nor asked for', async () => {
    const made = await signedCase(world);
    await expect(cancel(made)).rejects.toMatchObject({ status: 422 });
  });
});
