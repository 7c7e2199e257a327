import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outputs, readyCase, refusal, report, signedCase, stateOf } from './support/requests.ts';
import { createWorld, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const reason = { reason: 'Patient confondu' };

describe('a case entered in error', () => {
  it('takes two people: who declares it cannot confirm it', async () => {
    const { id } = await readyCase(world);
    await expect(world.operate('quality', 'enter-in-error', id, reason)).rejects.toMatchObject(refusal('two-persons'));
    await world.operate('quality', 'declare-error', id, reason);
    await expect(world.operate('quality', 'enter-in-error', id, reason)).rejects.toMatchObject(refusal('two-persons'));
    await expect(world.operate('radiologist', 'enter-in-error', id, reason)).rejects.toMatchObject(
      refusal('role', 403),
    );
    await world.operate('technologist', 'declare-error', id, reason);
    const ended = (await world.operate('quality', 'enter-in-error', id, reason)) as Task;
    expect(stateOf(ended)).toBe('entered-in-error');
    expect(ended).toMatchObject({ status: 'entered-in-error', statusReason: { text: 'Patient confondu' } });
  });

  it('does not believe a caller who names a second person', async () => {
    const { id } = await readyCase(world);
    await expect(
      world.operate('quality', 'enter-in-error', id, { ...reason, secondPerson: 'Practitioner/demandeur' }),
    ).rejects.toMatchObject(refusal('two-persons'));
    const task = await world.task(id);
    const forged = {
      type: {
        coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-item', code: 'error-declaration' }],
      },
      valueReference: { reference: 'Practitioner/demandeur' },
    };
    await expect(
      world.store.transaction(world.as('quality'), (tx) =>
        tx.update({ ...task, output: [...(task.output ?? []), forged] }),
      ),
    ).rejects.toMatchObject({ status: 422 });
  });

  it('takes its report, documents and charge with it, and tells the site', async () => {
    const { id } = await signedCase(world);
    await world.operate('radiologist', 'open-addendum', id, { reason: 'x' });
    await world.operate('radiologist', 'claim-addendum', id);
    await world.operate('radiologist', 'save-draft', id, { conclusion: 'x' });
    await world.operate('radiologist', 'declare-error', id, reason);
    const ended = (await world.operate('quality', 'enter-in-error', id, reason)) as Task;
    expect(outputs(ended, 'draft')).toHaveLength(0);
    const documents = await world.store.search(tenant, 'DocumentReference', `related=Task/${id}`);
    expect(documents.map((each) => each.status)).toEqual(['entered-in-error', 'entered-in-error']);
    const reports = await world.store.search(tenant, 'DiagnosticReport', `based-on=${ended.focus?.reference}`);
    expect(reports.map((each) => each.status)).toEqual(['entered-in-error']);
    const charge = outputs(ended, 'charge')[0]?.valueReference?.reference?.split('/')[1] ?? '';
    expect((await world.store.read(tenant, 'ChargeItem', charge)).status).toBe('entered-in-error');
    const told = (await world.store.search(tenant, 'Communication', 'category=case-ended')).filter((each) =>
      each.about?.some(({ reference }) => reference === `Task/${id}`),
    );
    expect(told[0]?.payload?.[0]?.contentString).toContain('retirez-le');
  });
});

describe('an interrupted reading', () => {
  it('gives up what was shown as provisional', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'issue-preliminary', id, report);
    const ended = (await world.operate('radiologist', 'interrupt', id, { reason: 'Images illisibles' })) as Task;
    const reports = await world.store.search(tenant, 'DiagnosticReport', `based-on=${ended.focus?.reference}`);
    expect(reports.map((each) => each.status)).toEqual(['cancelled']);
  });
});

describe('the charge', () => {
  it('is made by the first signature, with the act that was validated, who did it and when', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    const operation = world.store.operations.find((each) => each.name === 'sign')!;
    const ccam = { system: 'urn:oid:1.2.250.1.215.300.1', code: 'ACQH003', display: 'Scanner du crâne' };
    await world.store.transaction(world.as('radiologist', 'operation:Task/$sign'), (tx) =>
      operation.run({
        tx,
        id,
        parameters: {
          resourceType: 'Parameters',
          parameter: [
            ...Object.entries(report).map(([name, valueString]) => ({ name, valueString })),
            { name: 'ccam', valueCoding: ccam },
          ],
        },
        base: 'http://localhost/fhir',
        query: '',
        authorize: () => undefined,
        isAllowed: () => true,
      }),
    );
    const task = await world.task(id);
    const charge = outputs(task, 'charge')[0]?.valueReference?.reference?.split('/')[1] ?? '';
    expect(await world.store.read(tenant, 'ChargeItem', charge)).toMatchObject({
      status: 'billable',
      code: { coding: [ccam] },
      subject: task.for,
      performer: [{ actor: { reference: 'Practitioner/radiologue' } }],
      occurrenceDateTime: world.clock.now().toISOString(),
      requestingOrganization: { reference: 'Organization/ch-exemple' },
    });
  });
});
