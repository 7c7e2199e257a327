/** Claim and signature ask the register and the rota, at the instant they are made (CM-4, CM-5). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readyCase, stateOf } from '../support/requests.ts';
import { ask, certify, plan, publish, refusalOf } from '../support/staff.ts';
import { createWorld, type World } from '../support/world.ts';

const full = { indication: 'i', technique: 't', results: 'r', conclusion: 'c' };
const guardOf = async (work: Promise<unknown>): Promise<[number, string | undefined]> => {
  try {
    await work;
  } catch (error) {
    const { status, outcome } = error as {
      status: number;
      outcome: { issue: { details?: { coding?: { code?: string }[] } }[] };
    };
    return [status, outcome.issue[0]?.details?.coding?.[0]?.code];
  }
  throw new Error('nothing was refused');
};

describe('an establishment that asks for qualifications and for the rota', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld('2026-05-12T06:10:00Z', [
      { url: 'credentialsRequired', valueBoolean: true },
      { url: 'dutyRequired', valueBoolean: true },
    ]);
  });
  afterAll(() => world.close());
  let id = '';
  beforeEach(async () => {
    await certify(world, 'radiologue');
    ({ id } = await readyCase(world));
  });

  it('lets nobody read who never showed any', async () => {
    await certify(world, 'radiologue', { liability: null });
    expect(await guardOf(world.operate('radiologist', 'claim', id, { reason: 'renfort' }))).toEqual([
      403,
      'credentials-valid',
    ]);
  });

  it('lets nobody take a case off duty without saying why', async () => {
    expect((await guardOf(world.operate('radiologist', 'claim', id)))[1]).toBe('on-duty-or-reason');
    await world.operate('radiologist', 'claim', id, { reason: 'Renfort à la demande du coordonnateur' });
    expect(stateOf(await world.task(id))).toBe('reading');
  });

  it('asks who is on duty for no reason', async () => {
    await plan(world, '2026-05-12', '08:00', '20:00');
    await publish(world, '2026-05');
    await world.operate('radiologist', 'claim', id);
    expect(stateOf(await world.task(id))).toBe('reading');
  });

  it('holds back a signature when a certificate ended meanwhile, and lets a colleague take over', async () => {
    await world.operate('radiologist', 'claim', id, { reason: 'Renfort' });
    await certify(world, 'radiologue', { insurance: { end: '2026-05-11' } });
    expect(await guardOf(world.operate('radiologist', 'sign', id, full))).toEqual([403, 'credentials-valid']);
    await world.operate('coordinator', 'release', id, { reason: 'Assurance échue' });
    await certify(world, 'radiologue-2');
    await world.operate('other-radiologist', 'claim', id, { reason: 'Relève' });
    expect((await world.task(id)).owner?.reference).toBe('Practitioner/radiologue-2');
  });

  it('lets nobody claim whom it excluded, whatever they hold', async () => {
    await ask(world, 'coordinator', 'Organization/$exclude', 'ch-exemple', {
      practitioner: { reference: 'Practitioner/radiologue' },
      reason: 'Décision',
    });
    expect(await guardOf(world.operate('radiologist', 'claim', id, { reason: 'x' }))).toEqual([403, 'not-excluded']);
    expect((await refusalOf(world.operate('radiologist', 'claim', id))).text).not.toBe('');
  });
});

describe('any other establishment', () => {
  it('asks for nothing that was never recorded, but what has ended blocks everywhere', async () => {
    const world = await createWorld();
    const { id } = await readyCase(world);
    await certify(world, 'radiologue', { diploma: null, insurance: { end: '2026-05-11' } });
    expect((await guardOf(world.operate('radiologist', 'claim', id)))[1]).toBe('credentials-valid');
    await certify(world, 'radiologue', { diploma: null });
    await world.operate('radiologist', 'claim', id);
    expect(stateOf(await world.task(id))).toBe('reading');
    await world.close();
  });
});
