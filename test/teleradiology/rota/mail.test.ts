/** What is told of rotas also leaves by e-mail, without a word of anybody's health, and who has no address is named (CM-2). */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDelivery } from '../../../src/delivery/index.ts';
import { asSystem, certify, plan, publish, told } from '../support/staff.ts';
import { createWorld, tenant, type World } from '../support/world.ts';

const quiet = (): void => undefined;

let world: World;
beforeAll(async () => {
  world = await createWorld('2026-11-26T08:00:00Z', [], async (rooms) => ({
    mail: true,
    delivery: createDelivery({ ...rooms, log: { info: quiet, warn: quiet, error: quiet } as never }),
  }));
  await certify(world, 'radiologue');
  await certify(world, 'radiologue-2', { insurance: { end: '2026-12-24' } });
  await world.store.transaction(asSystem(world), async (tx) => {
    const reader = await tx.read('Practitioner', 'radiologue');
    await tx.update({ ...reader, telecom: [{ system: 'email', value: 'radiologue@exemple.fr' }] });
    const hospital = await tx.read('Organization', 'ch-exemple');
    await tx.update({ ...hospital, telecom: [{ system: 'email', value: 'imagerie@exemple.fr' }] });
  });
});
afterAll(() => world.close());

const factsOf = async (template: string) => {
  const rows = await world.database.query<{ recipient: string; facts: unknown }>(
    tenant,
    'SELECT recipient, facts FROM mail_notice WHERE tenant = $1 AND template = $2 ORDER BY recipient',
    [tenant, template],
  );
  return rows.rows;
};

it('a publication goes to everybody on it who has an address; the others are to be telephoned', async () => {
  await plan(world, '2026-12-08', '20:00', '08:00');
  await plan(world, '2026-12-09', '20:00', '08:00', 'radiologue-2');
  await publish(world, '2026-12');
  const facts = { establishment: 'Organization/ch-exemple', month: '2026-12' };
  expect(await factsOf('rota-published')).toEqual([
    { recipient: 'Organization/ch-exemple', facts },
    { recipient: 'Practitioner/radiologue', facts },
  ]);
  const [message] = await told(world, 'rota-published');
  expect(message?.medium?.[0]?.coding?.[0]?.code).toBe('EMAILWRIT');
  expect(message?.payload?.[1]?.contentString).toBe(
    'Sans adresse e-mail connue, à prévenir par téléphone : TEST-RADIOLOGUE-2.',
  );
});

it('a change names the day of the establishment, and nothing more', async () => {
  await plan(world, '2026-12-15', '20:00', '08:00');
  expect(await factsOf('rota-changed')).toEqual([
    { recipient: 'Organization/ch-exemple', facts: { establishment: 'Organization/ch-exemple', day: '2026-12-15' } },
    { recipient: 'Practitioner/radiologue', facts: { establishment: 'Organization/ch-exemple', day: '2026-12-15' } },
  ]);
});

it('a certificate that ends says whose and when; nobody has an address, so everybody is named', async () => {
  await world.room.sweep();
  const [message] = await told(world, 'qualification-expiry');
  expect(message?.payload?.map(({ contentString }) => contentString)).toEqual([
    'Attestation d’assurance de TEST-RADIOLOGUE-2 : valable jusqu’au 24/12/2026, moins de 30 jours. Déposez le renouvellement.',
    'Sans adresse e-mail connue, à prévenir par téléphone : TEST-RADIOLOGUE-2.',
  ]);
  expect(message?.medium).toBeUndefined();
});
