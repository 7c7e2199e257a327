import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readyCase } from './support/requests.ts';
import { createWorld, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

describe('every transition', () => {
  it('leaves who moved the case, for whom and why, pointing at the version it made', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    const before = (await world.store.search(tenant, 'Provenance', `target=Task/${id}`)).length;
    await world.operate('radiologist', 'displayed', id, { series: '1.1' });
    await world.operate('radiologist', 'suspend', id, { reason: 'Antériorités manquantes' });
    const found = await world.store.search(tenant, 'Provenance', `target=Task/${id}&_sort=-recorded`);
    expect(found).toHaveLength(before + 1);
    const version = (await world.task(id)).meta?.versionId;
    expect(found).toContainEqual(
      expect.objectContaining({
        target: [{ reference: `Task/${id}/_history/${version}` }],
        activity: {
          coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-event', code: 'suspend' }],
        },
        reason: [{ text: 'Antériorités manquantes' }],
        agent: [
          {
            who: { reference: 'Practitioner/radiologue', display: 'radiologist' },
            onBehalfOf: { reference: 'Organization/passerelle-exemple' },
          },
        ],
      }),
    );
    const events = found.flatMap((each) => each.activity?.coding?.map(({ code }) => code) ?? []);
    for (const event of ['submit', 'protocol', 'complete-exam', 'claim']) expect(events).toContain(event);
    const submitted = found.find((each) => each.activity?.coding?.[0]?.code === 'submit');
    expect(submitted?.agent[0]).toMatchObject({
      who: { reference: 'Device/ris-demo' },
      onBehalfOf: { reference: 'Organization/ch-exemple' },
    });
  });
});
