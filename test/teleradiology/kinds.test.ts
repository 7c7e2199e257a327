/** Other remote acts on the same machine (WF-13): a téléexpertise from the question to the opinion the requester has read. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bundle, DocumentReference, ServiceRequest, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkCdaHeader, createReportRoom, openKeystore } from '../../src/report/index.ts';
import { kinds } from '../../src/teleradiology/kinds/index.ts';
import { readingClockOf } from '../../src/teleradiology/shell/case-clocks.ts';
import { act, contractOf, minutes, reminder, urgency } from './contract-terms/contracts.ts';
import {
  fresh,
  milestones,
  outputs,
  patient,
  person,
  placer,
  readyCase,
  refusal,
  stateOf,
} from './support/requests.ts';
import { ask as operateOn } from './support/staff.ts';
import { createWorld, tenant, type Who, type World } from './support/world.ts';

let folder: string;
let world: World;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-kinds-'));
  world = await createWorld('2026-05-12T06:10:00Z', [], async ({ clock }) => {
    const keystore = await openKeystore(join(folder, 'keys'), clock);
    return { report: createReportRoom(), signerFor: keystore.signerFor };
  });
});
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

const caseKind = 'https://fhir.passerelle.example/CodeSystem/case-kind';

/** A request as the form without RIS posts it: patient, photograph, request and case in one transaction. */
async function ask(kind: string, changes: Partial<ServiceRequest> = {}): Promise<Task & { id: string }> {
  const id = `ask-${fresh()}`;
  await world.store.transaction(world.as('requester', 'transaction'), async (tx) => {
    await tx.create({ ...patient(person()), id: `pat-${id}` });
    await tx.create<DocumentReference & { id: string }>({
      resourceType: 'DocumentReference',
      id: `photo-${id}`,
      status: 'current',
      subject: { reference: `Patient/pat-${id}` },
      content: [
        { attachment: { contentType: 'image/jpeg', data: '/9j/4AAQSkZJRgABAQAAAQABAAD/2Q==', title: 'Lésion' } },
      ],
    });
    await tx.create<ServiceRequest & { id: string }>({
      resourceType: 'ServiceRequest',
      id: `sr-${id}`,
      status: 'active',
      intent: 'order',
      identifier: [placer(`TE-${fresh()}`)],
      category: [{ coding: [{ system: caseKind, code: kind }] }],
      code: { text: 'Avis dermatologique' },
      subject: { reference: `Patient/pat-${id}` },
      requester: { reference: 'Practitioner/demandeur' },
      authoredOn: '2026-05-12T08:00:00+02:00',
      priority: 'routine',
      reasonCode: [{ text: 'Lésion pigmentée du dos, évolutive : faut-il une exérèse ?' }],
      supportingInfo: [{ reference: `DocumentReference/photo-${id}` }],
      ...changes,
    });
    await tx.create<Task & { id: string }>({
      resourceType: 'Task',
      id,
      status: 'requested',
      intent: 'order',
      code: {
        coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/task-code', code: 'teleradiology-case' }],
      },
      focus: { reference: `ServiceRequest/sr-${id}` },
      requester: { reference: 'Organization/ch-exemple' },
    });
  });
  return (await world.task(id)) as Task & { id: string };
}

const opinion = {
  indication: 'Lésion pigmentée du dos, évolutive.',
  technique: 'Photographie du 12 mai 2026.',
  results: 'Asymétrie, bords irréguliers, deux couleurs.',
  conclusion: 'Exérèse sous quinze jours conseillée.',
};

describe('a téléexpertise', () => {
  it('is not taken by an expert whom the establishment excluded', async () => {
    const asked = await ask('teleexpertise');
    const practitioner = { reference: 'Practitioner/expert' };
    await operateOn(world, 'coordinator', 'Organization/$exclude', 'ch-exemple', { practitioner, reason: 'Essai' });
    await expect(world.operate('expert', 'claim', asked.id)).rejects.toMatchObject(refusal('not-excluded', 403));
    await operateOn(world, 'coordinator', 'Organization/$reinstate', 'ch-exemple', { practitioner });
    expect(stateOf((await world.operate('expert', 'claim', asked.id)) as Task)).toBe('reading');
  });

  it('goes from the question to the opinion: no protocol, no images; an expert claims, writes, signs; the requester has read it', async () => {
    const asked = await ask('teleexpertise');
    expect(stateOf(asked)).toBe('ready');
    expect(asked.code?.coding).toContainEqual({ system: caseKind, code: 'teleexpertise', display: 'Téléexpertise' });
    expect(asked.instantiatesCanonical).toBe('https://fhir.passerelle.example/ActivityDefinition/teleexpertise');
    // The reading clock runs from the request on: somebody is waited for.
    expect(asked.restriction?.period?.end).toBeDefined();

    await expect(world.operate('radiologist', 'claim', asked.id)).rejects.toMatchObject({ status: 403 });
    expect(stateOf((await world.operate('expert', 'claim', asked.id)) as Task)).toBe('reading');
    await world.operate('expert', 'save-draft', asked.id, opinion);
    const signed = (await world.operate('expert', 'sign', asked.id, opinion)) as Task;
    expect(stateOf(signed)).toBe('delivering');

    const reference = outputs(signed, 'report')[0]?.valueReference?.reference?.split('/')[1] ?? '';
    const report = await world.store.read(tenant, 'DiagnosticReport', reference);
    expect(report).toMatchObject({
      status: 'final',
      conclusion: opinion.conclusion,
      code: { text: 'Compte rendu de téléexpertise' },
      performer: [{ reference: 'Practitioner/expert' }, {}],
    });
    expect(report.code.coding?.[0]?.code).toBe('85208-7');
    const documents = await Promise.all(
      outputs(signed, 'document').map((each) =>
        world.store.read(tenant, 'DocumentReference', each.valueReference?.reference?.split('/')[1] ?? ''),
      ),
    );
    expect(documents.map(({ type }) => type?.coding?.[0]?.code)).toEqual(['85208-7', '85208-7']);
    const cda = documents.find(({ content }) => content[0]?.attachment.contentType === 'text/xml');
    const binary = await world.store.read(tenant, 'Binary', cda?.content[0]?.attachment.url?.split('/')[1] ?? '');
    const text = Buffer.from(binary.data ?? '', 'base64');
    expect(checkCdaHeader(text)).toEqual([]);
    expect(text.toString()).toContain('Compte rendu de téléexpertise – Avis dermatologique');

    const charges = await world.store.search(tenant, 'ChargeItem', `subject=${signed.for?.reference}`);
    expect(charges).toHaveLength(1);

    // The site has no software that acknowledges: whoever asked says that it was read.
    await expect(world.operate('technologist', 'report-received', asked.id)).rejects.toMatchObject({ status: 403 });
    const read = (await world.operate('requester', 'report-received', asked.id, {
      report: `DiagnosticReport/${report.id}/_history/${report.meta?.versionId}`,
    })) as Task;
    expect(stateOf(read)).toBe('delivered');
    expect(milestones(read)['report-received']).toBeDefined();
  }, 30_000);

  it('keeps its urgency rules: an urgent one is signed only after the requester was called', async () => {
    const asked = await ask('teleexpertise', { priority: 'stat' });
    await world.operate('expert', 'claim', asked.id);
    await expect(world.operate('expert', 'sign', asked.id, opinion)).rejects.toMatchObject({ status: 422 });
  });

  it('stays what it was opened as, whatever becomes of its request', async () => {
    const asked = await ask('teleexpertise');
    await world.store.transaction(world.as('requester', 'update'), async (tx) => {
      const request = await tx.read('ServiceRequest', `sr-${asked.id}`);
      await tx.update<ServiceRequest & { id: string }>({
        ...(request as ServiceRequest & { id: string }),
        category: [{ coding: [{ system: caseKind, code: 'teleradiology' }] }],
      });
    });
    expect(stateOf((await world.operate('expert', 'claim', asked.id)) as Task)).toBe('reading');
  });
});

describe('kinds of remote acts', () => {
  it('refuses a kind there is not, and takes one that says nothing for teleradiology', async () => {
    await expect(ask('telepathy')).rejects.toMatchObject({ status: 422 });
    expect(stateOf(await ask('teleradiology', { category: undefined }))).toBe('protocol-wanted');
  });

  it('offers on the worklist what the asker may read, however urgent the rest; all of it where asked, or to who sees to all', async () => {
    const scan = (await readyCase(world)).id;
    const advice = (await ask('teleexpertise')).id;
    const help = (await ask('teleassistance')).id;
    const list = async (
      who: Who,
      values: Record<string, string> = {},
      roles: readonly string[] = world.as(who).actor.roles,
    ): Promise<(string | undefined)[]> => {
      const operation = world.store.operations.find(({ name }) => name === 'worklist');
      const context = world.as(who, 'operation:Task/$worklist');
      const parameter = Object.entries({ _count: '300', ...values }).map(([name, valueString]) => ({
        name,
        valueString,
      }));
      return world.store.transaction({ ...context, actor: { ...context.actor, roles: [...roles] } }, async (tx) => {
        const answer = await operation!.run({
          ...{ tx, parameters: { resourceType: 'Parameters', parameter }, base: 'http://localhost/fhir', query: '' },
          ...{ authorize: () => undefined, isAllowed: () => true },
        });
        const bundle = (answer as { resource: Bundle }).resource;
        return (bundle.entry ?? [])
          .map(({ resource }) => resource?.id)
          .filter((id) => [scan, advice, help].includes(id ?? ''));
      });
    };
    expect((await list('expert')).toSorted()).toEqual([advice, help].toSorted());
    expect((await list('radiologist')).toSorted()).toEqual([scan, help].toSorted());
    expect((await list('coordinator')).toSorted()).toEqual([scan, advice, help].toSorted());
    expect((await list('expert', {}, ['expert', 'coordinator'])).toSorted()).toEqual([scan, advice, help].toSorted());
    expect(await list('expert', { kind: 'teleradiology' })).toEqual([scan]);
    expect((await list('coordinator', { kind: 'teleexpertise,teleassistance' })).toSorted()).toEqual(
      [advice, help].toSorted(),
    );
    await expect(list('expert', { kind: 'telepathy' })).rejects.toMatchObject({ status: 400 });
    // What somebody gave them all the same is theirs to see.
    await world.operate('coordinator', 'assign', scan, { reader: 'Practitioner/expert' });
    expect(await list('expert')).toContain(scan);
  });

  it('gives each kind delays of its own, which a contract changes by naming the kind', async () => {
    const clockOf = async (kind: string, priority: 'routine' | 'stat') => {
      const asked = await ask(kind, { priority });
      const clock = readingClockOf(await world.task(asked.id));
      const minutes = ((clock?.due.getTime() ?? 0) - (clock?.started.getTime() ?? 0)) / 60_000;
      return [clock?.rule, minutes];
    };
    expect(await clockOf('teleexpertise', 'routine')).toEqual(['teleexpertise-routine', 3 * 24 * 60]);
    expect(await clockOf('teleexpertise', 'stat')).toEqual(['teleexpertise-urgent', 240]);
    expect(await clockOf('teleassistance', 'stat')).toEqual(['teleassistance-urgent', 15]);
    expect(await clockOf('teleconsultation', 'routine')).toEqual(['teleconsultation-routine', 7 * 24 * 60]);
    const contract = await world.store.transaction(world.as('coordinator'), (tx) =>
      tx.create(
        contractOf([
          {
            rule: 'avis-24h',
            clock: 'interpretation',
            parts: [act('teleexpertise', caseKind), urgency('routine'), minutes(24 * 60), reminder(90)],
          },
        ]),
      ),
    );
    expect(await clockOf('teleexpertise', 'routine')).toEqual(['avis-24h', 24 * 60]);
    expect(await clockOf('teleexpertise', 'stat')).toEqual(['teleexpertise-urgent', 240]);
    expect(await clockOf('teleconsultation', 'routine')).toEqual(['teleconsultation-routine', 7 * 24 * 60]);
    await world.store.transaction(world.as('coordinator'), (tx) => tx.update({ ...contract, status: 'terminated' }));
  });

  it('gives each kind to the roles it names', async () => {
    for (const kind of kinds.filter(({ imagesExpected }) => !imagesExpected)) {
      const asked = await ask(kind.code);
      const claim = world.operate('radiologist', 'claim', asked.id);
      if (kind.readers.includes('radiologist')) expect(stateOf((await claim) as Task)).toBe('reading');
      else await expect(claim).rejects.toMatchObject({ status: 403 });
    }
  });
});
