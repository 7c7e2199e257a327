/** Who may not read for an establishment any more decides nothing there, and can still say what is dangerous (CM-4, CM-5; decision 0028). */
import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readyCase, refusal, report, signedCase, stateOf } from '../support/requests.ts';
import { ask, certify } from '../support/staff.ts';
import { createWorld, tenant, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const exclusion = (name: '$exclude' | '$reinstate', id: string) =>
  ask(world, 'coordinator', `Organization/${name}`, 'ch-exemple', {
    practitioner: { reference: `Practitioner/${id}` },
    ...(name === '$exclude' ? { reason: 'Décision de la direction' } : {}),
  });
const excluded = async (work: () => Promise<void>, id = 'radiologue-2') => {
  await exclusion('$exclude', id);
  await work();
  await exclusion('$reinstate', id);
};
const triage = (id: string) =>
  world.store.transaction(world.as('other-radiologist', 'update'), async (tx) => {
    await tx.update({ ...(await tx.read('Task', id)), priority: 'stat' as const });
  });

it('an excluded reader asks nothing, sorts nothing, confirms nothing and notes no telephone call', async () => {
  const { id } = await readyCase(world);
  const before = await world.task(id);
  await excluded(async () => {
    for (const [name, parameters] of [
      ['ask', { question: 'Créatinine ?' }],
      ['confirm-images', {}],
      ['phone-exchange', { summary: 'x' }],
    ] as const)
      await expect(world.operate('other-radiologist', name, id, parameters), name).rejects.toMatchObject(
        refusal('not-excluded', 403),
      );
    await expect(triage(id)).rejects.toMatchObject(refusal('not-excluded', 403));
  });
  expect(await world.task(id)).toEqual(before);
});

it('neither does one whose certificates ended, who still gives back what they hold and loses no word', async () => {
  const { id } = await readyCase(world);
  await world.operate('other-radiologist', 'claim', id);
  await certify(world, 'radiologue-2', { insurance: { end: '2026-05-11' } });
  const acts: [string, Record<string, string>][] = [
    ['ask', { question: 'Créatinine ?' }],
    ['ask-imaging', { question: 'Une IRM' }],
    ['request-second-reading', { reason: 'Doute' }],
    ['interrupt', { reason: 'x' }],
  ];
  for (const [name, parameters] of acts)
    await expect(world.operate('other-radiologist', name, id, parameters), name).rejects.toMatchObject(
      refusal('credentials-valid', 403),
    );
  await world.operate('other-radiologist', 'save-draft', id, { conclusion: 'Ce qui était dicté' });
  await world.operate('other-radiologist', 'declare-critical', id, { finding: 'Hématome', category: 'immediate' });
  await world.operate('other-radiologist', 'release', id, { reason: 'Attestation échue' });
  expect(stateOf(await world.task(id))).toBe('ready');
  await certify(world, 'radiologue-2');
});

it('after the signature only the signer may still say that the report has to be taken up again', async () => {
  const { id } = await signedCase(world);
  await excluded(async () => {
    for (const name of ['open-addendum', 'request-rereading', 'request-second-reading'])
      await expect(world.operate('other-radiologist', name, id, { reason: 'x' }), name).rejects.toMatchObject(
        refusal('standing-or-signer', 403),
      );
  });
  await excluded(async () => {
    await world.operate('radiologist', 'open-addendum', id, { reason: 'Fracture non décrite' });
    await expect(world.operate('radiologist', 'claim-addendum', id)).rejects.toMatchObject(
      refusal('not-excluded', 403),
    );
  }, 'radiologue');
  await world.operate('other-radiologist', 'claim-addendum', id);
  expect(stateOf(await world.task(id))).toBe('addendum');
});

it('a reader’s addendum is no coordinator’s to close, taken or not', async () => {
  const { id } = await signedCase(world);
  await world.operate('radiologist', 'open-addendum', id, { reason: 'Fracture non décrite' });
  const close = (who: 'coordinator' | 'radiologist' | 'other-radiologist') =>
    world.operate(who, 'close-addendum', id, { reason: 'x' });
  await expect(close('coordinator')).rejects.toMatchObject(refusal('closes-its-own', 403));
  await world.operate('radiologist', 'claim-addendum', id);
  await expect(close('coordinator')).rejects.toMatchObject(refusal('closes-its-own', 403));
  await expect(close('other-radiologist')).rejects.toMatchObject(refusal('closes-its-own', 403));
  await world.operate('coordinator', 'release-addendum', id, { reason: 'Absent' });
  await expect(close('coordinator')).rejects.toMatchObject(refusal('closes-its-own', 403));
  expect(stateOf((await close('other-radiologist')) as Task)).toBe('delivered');
});

it('a re-reading that was asked for is ended by the coordinator as long as nobody took it', async () => {
  const { id } = await signedCase(world);
  await world.operate('requester', 'request-rereading', id, { reason: 'Doute clinique' });
  await expect(world.operate('radiologist', 'close-addendum', id, { reason: 'x' })).rejects.toMatchObject(
    refusal('closes-its-own', 403),
  );
  await world.operate('radiologist', 'claim-addendum', id);
  await expect(world.operate('coordinator', 'close-addendum', id, { reason: 'x' })).rejects.toMatchObject(
    refusal('closes-its-own', 403),
  );
  await world.operate('radiologist', 'release-addendum', id);
  await world.operate('coordinator', 'close-addendum', id, { reason: 'Demandée par erreur' });
  expect(stateOf(await world.task(id))).toBe('delivered');
});

const versionOf = async (id: string): Promise<string> => {
  const reference = (await world.task(id)).output?.find(({ type }) => type.coding?.[0]?.code === 'report')
    ?.valueReference?.reference;
  const stored = await world.store.read(tenant, 'DiagnosticReport', reference?.split('/')[1] ?? '');
  return `${reference}/_history/${stored.meta?.versionId}`;
};

it('the receipt of a version nobody read is not taken for that of the last one', async () => {
  const { id } = await signedCase(world, false);
  const [first, seen] = [await versionOf(id), (await world.task(id)).meta?.versionId];
  const received = (parameters: Record<string, string>, ifMatch?: string) =>
    world.operate('requester', 'report-received', id, parameters, ifMatch);
  await expect(received({})).rejects.toMatchObject(refusal('last-version'));
  await world.operate('radiologist', 'open-addendum', id, { reason: 'Fracture non décrite' });
  await world.operate('radiologist', 'claim-addendum', id);
  await world.operate('radiologist', 'sign-addendum', id, { ...report, reason: 'Fracture non décrite' });
  await expect(received({})).rejects.toMatchObject(refusal('last-version'));
  await expect(received({ report: first })).rejects.toMatchObject(refusal('last-version'));
  await expect(received({}, `W/"${seen}"`)).rejects.toMatchObject({ status: 412 });
  await expect(received({ report: first }, (await world.task(id)).meta?.versionId)).rejects.toMatchObject(
    refusal('last-version'),
  );
  expect(stateOf(await world.task(id))).toBe('delivering');
  await received({ report: await versionOf(id) });
  expect(stateOf(await world.task(id))).toBe('delivered');
});
