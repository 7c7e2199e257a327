import type { Consent, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readyCase, refusal, report, stateOf } from './support/requests.ts';
import { createWorld, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld('2026-05-12T06:10:00Z', [{ url: 'consentByOrder', valueBoolean: false }]);
});
afterAll(() => world.close());

async function record(task: Task, changes: Partial<Consent> = {}): Promise<Consent & { id: string }> {
  return world.store.transaction(world.as('requester'), (tx) =>
    tx.create<Consent>({
      resourceType: 'Consent',
      status: 'active',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'treatment' }] },
      category: [
        { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/consent-category', code: 'remote-reading' }] },
      ],
      patient: task.for as Consent['patient'],
      policyRule: { text: 'Information et accord recueillis par le manipulateur.' },
      ...changes,
    }),
  );
}
const update = (consent: Consent) => world.store.transaction(world.as('requester'), (tx) => tx.update(consent));
const told = async (id: string) =>
  (await world.store.search(tenant, 'Communication', 'category=consent-refused')).filter((each) =>
    each.about?.some(({ reference }) => reference === `Task/${id}`),
  );

describe('consent to remote reading', () => {
  it('is recorded by anybody of the site as a FHIR Consent before the case can be taken', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await expect(world.operate('radiologist', 'claim', id)).rejects.toMatchObject(refusal('consent'));
    await record(await world.task(id));
    expect(stateOf((await world.operate('radiologist', 'claim', id)) as Task)).toBe('reading');
  });

  it('refused stops the claim with its own words, and an emergency does not overrule it', async () => {
    const { id } = await readyCase(world);
    await record(await world.task(id), { status: 'active', provision: { type: 'deny' } });
    await expect(world.operate('radiologist', 'claim', id)).rejects.toMatchObject(refusal('consent-not-refused'));
    await expect(world.operate('radiologist', 'claim', id)).rejects.toThrow('refusé');
  });

  it('refused stays the word of its patient', async () => {
    const [refusing, other] = [await readyCase(world), await readyCase(world)];
    const refused = await record(await world.task(refusing.id), { status: 'rejected' });
    const patient = (await world.task(other.id)).for as Consent['patient'];
    await expect(update({ ...refused, patient })).rejects.toMatchObject({ status: 422 });
    await expect(world.operate('radiologist', 'claim', refusing.id)).rejects.toMatchObject(
      refusal('consent-not-refused'),
    );
  });

  it('withdrawn is not outweighed by the exception of the emergency', async () => {
    const { id } = await readyCase(world);
    const consent = await record(await world.task(id));
    await update({ ...consent, status: 'inactive' });
    await expect(world.operate('radiologist', 'claim', id)).rejects.toMatchObject(refusal('consent-not-refused'));
  });

  it('withdrawn while the case is read stops the signature, and the reader is told at once', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    const consent = await record(await world.task(id));
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    await update({ ...consent, status: 'inactive' });
    expect(await told(id)).toMatchObject([
      { recipient: [{ reference: 'Practitioner/radiologue' }], priority: 'urgent' },
    ]);
    await expect(world.operate('radiologist', 'sign', id, report)).rejects.toMatchObject(
      refusal('consent-not-refused'),
    );
    await update({ ...consent, status: 'active' });
    expect(await told(id)).toHaveLength(1);
    expect(stateOf((await world.operate('radiologist', 'sign', id, report)) as Task)).toBe('delivering');
  });
});
