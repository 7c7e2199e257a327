import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fresh, patient, person, placer, request, send, study, uid } from './support/requests.ts';
import { createWorld, hospital, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const cancel = (number: string, who: ReturnType<typeof person>) =>
  world.store.transaction(world.as('ris', 'hl7v2:ORM^O01'), (tx) =>
    world.room.cancelRequest(
      tx,
      {
        placer: placer(number),
        patient: patient(who),
        organization: hospital(),
        requester: { resourceType: 'Practitioner' },
      },
      'ch-exemple',
    ),
  );

describe.each([',', '|', '$', '\\', '\\,'])('a number with %s in it', (sign) => {
  it('is a request of its own, not the one of the number behind the sign, and the same one when it comes again', async () => {
    const who = person();
    const plain = `DEM-${fresh()}`;
    const { task: first } = await send(world, request(who, {}, plain));
    const odd = request(who, {}, `X${sign}${plain}`);
    const { task, created } = await send(world, odd);
    expect(created).toBe(true);
    expect(task.id).not.toBe(first.id);
    expect(await send(world, odd)).toMatchObject({ created: false, task: { id: task.id } });
  });

  it('cancels no other request', async () => {
    const who = person();
    const plain = `DEM-${fresh()}`;
    const { task } = await send(world, request(who, {}, plain));
    await expect(cancel(`X${sign}${plain}`, who)).rejects.toMatchObject({ status: 404 });
    expect((await world.task(task.id)).status).not.toBe('cancelled');
  });

  it('is one patient, however often they come', async () => {
    const who = { ...person(), ipp: `P${sign}${fresh()}` };
    const withoutIns = () => patient(who, { identifier: patient(who).identifier!.slice(0, 1) });
    const { task } = await send(world, request(who, { patient: withoutIns() }));
    const { task: second } = await send(world, request(who, { patient: withoutIns() }));
    expect(second.for).toEqual(task.for);
  });

  it('finds the case of its images', async () => {
    const who = person();
    const number = `DEM${sign}${fresh()}`;
    const { task } = await send(world, request(who, {}, number));
    await world.images(study(who, uid(), { patientId: undefined, placerOrderNumber: number }), { '1': 3 });
    expect((await world.task(task.id)).output?.map(({ type }) => type.coding?.[0]?.code)).toContain('imaging-study');
  });
});

it('the people of a message are looked for by their whole number', async () => {
  const known = `99700${fresh()}`;
  const requester = (value: string) => ({
    resourceType: 'Practitioner' as const,
    identifier: [{ system: 'urn:oid:2.999.7', value }],
    name: [{ family: value }],
  });
  const ofTask = async (value: string) => {
    const { task } = await send(world, request(person(), { requester: requester(value) }));
    const [order] = await world.store.search(tenant, 'ServiceRequest', `_id=${task.focus?.reference?.split('/')[1]}`);
    return order?.requester?.reference;
  };
  expect(await ofTask(`1,${known}`)).not.toBe(await ofTask(known));
});
