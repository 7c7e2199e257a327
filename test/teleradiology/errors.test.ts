import type { DetectedIssue, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runningOf } from '../../src/teleradiology/shell/case-clocks.ts';
import { issuesOf, mitigation, outputs, readyCase, refusal, report, signedCase, stateOf } from './support/requests.ts';
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

describe('a declared error that nobody has confirmed yet', () => {
  const told = async (id: string, category: string) =>
    (await world.store.search(tenant, 'Communication', `category=${category}&_count=1000`)).filter((each) =>
      each.about?.some(({ reference }) => reference === `Task/${id}`),
    );
  const running = async (id: string) => runningOf(await world.task(id)).map(({ name }) => name);
  const later = async (minutes: number) => {
    world.clock.pass(minutes * 60_000);
    await world.room.sweep();
  };

  it('lets nothing be signed, and is told to quality, coordinator and establishment until it is decided', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    await world.operate('technologist', 'declare-error', id, reason);
    expect(await running(id)).toContain('error');
    await expect(world.operate('radiologist', 'sign', id, report)).rejects.toMatchObject(refusal('no-error-declared'));
    const [declared] = await told(id, 'error-declared');
    expect(declared?.recipient?.map(({ reference }) => reference)).toEqual([
      'Organization/passerelle-exemple',
      'Practitioner/radiologue',
    ]);
    const about = async (category: string) =>
      (await told(id, category))
        .filter(({ payload }) => payload?.[0]?.contentString?.includes('erreur est déclarée'))
        .map(({ recipient }) => recipient?.map(({ reference }) => reference));
    const [platform, site] = ['Organization/passerelle-exemple', 'Organization/ch-exemple'];
    await later(31);
    expect(await about('waiting')).toEqual([[platform]]);
    await later(30);
    await later(90);
    expect(await about('escalation')).toEqual(expect.arrayContaining([[platform], [site]]));
    await later(120);
    expect(await about('escalation')).toHaveLength(3);
    await world.operate('quality', 'enter-in-error', id, reason);
    expect(await running(id)).toEqual([]);
  });

  it('keeps back the report that has not left and warns whoever can read it, until who declared it takes it back', async () => {
    const { id } = await signedCase(world, false);
    await world.operate('requester', 'declare-error', id, reason);
    expect(world.held.has(`Task/${id}`)).toBe(true);
    const [declared] = await told(id, 'error-declared');
    expect(declared?.payload?.[0]?.contentString).toContain('Ne vous fiez pas au compte rendu');
    expect(declared?.recipient?.map(({ reference }) => reference)).toContain('Organization/ch-exemple');
    await expect(world.operate('radiologist', 'withdraw-error', id, reason)).rejects.toMatchObject(
      refusal('role', 403),
    );
    await expect(world.operate('requester', 'withdraw-error', id)).rejects.toMatchObject(refusal('reason-given'));
    await world.operate('requester', 'withdraw-error', id, { reason: 'Confondu avec un autre dossier' });
    expect(world.held.has(`Task/${id}`)).toBe(false);
    expect(await running(id)).not.toContain('error');
    const [withdrawn] = await told(id, 'error-withdrawn');
    expect(withdrawn?.recipient).toEqual(declared?.recipient);
    const traces = await world.store.search(tenant, 'Provenance', `target=Task/${id}&_count=100`);
    expect(
      traces.find(({ activity }) => activity?.coding?.some(({ code }) => code === 'withdraw-error')),
    ).toMatchObject({
      reason: [{ text: 'Confondu avec un autre dossier' }],
      agent: [{ who: { reference: 'Practitioner/demandeur' } }],
    });
    await expect(world.operate('coordinator', 'withdraw-error', id, reason)).rejects.toMatchObject(
      refusal('error-declared'),
    );
  });

  it('holds an addendum’s signature, and the coordinator of the night may look and take it back', async () => {
    const { id } = await signedCase(world);
    await world.operate('radiologist', 'open-addendum', id, { reason: 'Antériorités' });
    await world.operate('radiologist', 'claim-addendum', id);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    await world.operate('technologist', 'declare-error', id, reason);
    const amended = { ...report, reason: 'Antériorités' };
    await expect(world.operate('radiologist', 'sign-addendum', id, amended)).rejects.toMatchObject(
      refusal('no-error-declared'),
    );
    await world.operate('coordinator', 'withdraw-error', id, { reason: 'Vérifié avec le manipulateur' });
    expect(stateOf((await world.operate('radiologist', 'sign-addendum', id, amended)) as Task)).toBe('delivering');
  });

  it('and an identity problem beside it: what waits for both leaves when both are decided', async () => {
    const { id } = await signedCase(world, false);
    await world.operate('technologist', 'declare-error', id, reason);
    await world.store.transaction(world.as('technologist', 'create'), (tx) =>
      tx.create<DetectedIssue>({
        resourceType: 'DetectedIssue',
        status: 'preliminary',
        code: {
          coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/detected-issue-code', code: 'homonym' }],
        },
        author: { reference: 'Practitioner/manipulateur' },
        implicated: [{ reference: `Task/${id}` }],
        detail: 'Deux patients du même nom.',
      }),
    );
    const decideIdentity = async () => {
      const [issue] = await issuesOf(world, id, 'homonym');
      await world.store.transaction(world.as('quality', 'update'), (tx) =>
        tx.update({ ...issue!, status: 'final' as const, mitigation: mitigation('distinct-persons') }),
      );
    };
    await decideIdentity();
    expect(world.held.has(`Task/${id}`)).toBe(true);
    await world.operate('technologist', 'withdraw-error', id, reason);
    expect(world.held.has(`Task/${id}`)).toBe(false);
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
