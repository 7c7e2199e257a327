import type { DiagnosticReport, DocumentReference, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childOf, milestones, outputs, readyCase, refusal, report, signedCase, stateOf } from './support/requests.ts';
import { createWorld, tenant, type Who, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const reportOf = async (id: string): Promise<DiagnosticReport> =>
  world.store.read(
    tenant,
    'DiagnosticReport',
    outputs(await world.task(id), 'report')[0]?.valueReference?.reference?.split('/')[1] ?? '',
  );
const documentsOf = async (id: string): Promise<DocumentReference[]> => {
  const all = await world.store.search(tenant, 'DocumentReference', `related=Task/${id}`);
  return all.filter((each) => each.content[0]?.attachment.contentType === 'text/xml');
};
const reportsFor = async (id: string): Promise<DiagnosticReport[]> => {
  const task = await world.task(id);
  return world.store.search(tenant, 'DiagnosticReport', `based-on=${task.focus?.reference}`);
};
const told = async (id: string, category: string) =>
  (await world.store.search(tenant, 'Communication', `category=${category}`)).filter((each) =>
    each.about?.some(({ reference }) => reference === `Task/${id}`),
  );

async function opened(who: Who = 'radiologist', acknowledged = true) {
  const made = await signedCase(world, acknowledged);
  await world.operate(who, 'open-addendum', made.id, { reason: 'Antériorités reçues' });
  await world.operate(who, 'claim-addendum', made.id);
  return made;
}

describe('an addendum to a signed report', () => {
  it('is written beside it: the signed version is not touched before the signature of the next', async () => {
    const { id } = await opened();
    expect(stateOf(await world.task(id))).toBe('addendum');
    const before = await reportOf(id);
    const draft = (await world.operate('radiologist', 'save-draft', id, {
      conclusion: 'Stable.',
    })) as DiagnosticReport;
    expect(draft).toMatchObject({ status: 'partial', conclusion: 'Stable.' });
    expect(draft.id).not.toBe(before.id);
    expect(draft.identifier).toBeUndefined();
    expect(draft.extension?.[0]?.extension).toContainEqual({ url: 'results', valueString: report.results });
    const again = await world.operate('radiologist', 'save-draft', id, { conclusion: 'Stable depuis 2024.' });
    expect(again.id).toBe(draft.id);
    expect(await reportOf(id)).toEqual(before);
    expect(outputs(await world.task(id), 'draft')).toHaveLength(1);
  });

  it('signed makes the next version, which replaces the former everywhere it was sent', async () => {
    const { id } = await opened();
    const [first] = await documentsOf(id);
    const before = await reportOf(id);
    const built = world.built.length;
    const queued = world.queued.length;
    await world.operate('radiologist', 'save-draft', id, { conclusion: 'Stable.' });
    await expect(world.operate('radiologist', 'sign-addendum', id)).rejects.toMatchObject(refusal('reason-given'));
    await expect(
      world.operate('radiologist', 'sign-addendum', id, { reason: 'x', nature: 'final' }),
    ).rejects.toMatchObject({ status: 400 });
    world.clock.pass(60_000);
    const signed = (await world.operate('radiologist', 'sign-addendum', id, {
      reason: 'Antériorités reçues',
      nature: 'appended',
    })) as Task;
    expect(stateOf(signed)).toBe('delivering');
    expect(milestones(signed).amended).toBe(world.clock.now().toISOString());

    const after = await reportOf(id);
    expect(after).toMatchObject({ id: before.id, status: 'appended', conclusion: 'Stable.' });
    expect(after.identifier).toEqual(before.identifier);
    expect(after.resultsInterpreter?.[0]?.display).toMatch(/\S/);
    expect(outputs(signed, 'draft')).toHaveLength(0);
    expect(await reportsFor(id)).toHaveLength(1);

    const set = before.identifier?.[0]?.value?.replace('urn:oid:', '');
    expect(world.built.slice(built).at(-1)?.document).toMatchObject({
      version: 2,
      setOid: set,
      replaces: first?.masterIdentifier?.value?.replace('urn:oid:', ''),
    });
    const documents = await documentsOf(id);
    expect(documents.find((each) => each.id === first?.id)?.status).toBe('superseded');
    expect(documents.find((each) => each.id !== first?.id)).toMatchObject({
      status: 'current',
      relatesTo: [{ code: 'replaces', target: { reference: `DocumentReference/${first?.id}` } }],
    });
    expect(outputs(signed, 'document')).toHaveLength(4);

    expect(world.queued.slice(queued)).toMatchObject([{ destination: 'ris:ch-exemple', kind: 'report-mdm' }]);
    const child = await childOf(world, id, 'addendum');
    expect(child).toMatchObject({ status: 'completed', statusReason: { text: 'Antériorités reçues' } });
    expect(await told(id, 'report-amended')).toMatchObject([
      { recipient: [{ reference: 'Organization/ch-exemple' }], priority: 'urgent' },
    ]);
    const [proof] = (
      await world.store.search(tenant, 'Provenance', `target=DiagnosticReport/${before.id}&_sort=-recorded`)
    ).filter((each) => each.signature);
    expect(proof?.reason).toEqual([{ text: 'Antériorités reçues' }]);

    await world.outcome(world.queued.at(-1)!, { status: 'delivered', evidence: 'MSA|AA|2' });
    expect(stateOf(await world.task(id))).toBe('delivered');
  });

  it('can follow another: each version replaces the one before', async () => {
    const { id } = await opened();
    for (const version of [2, 3]) {
      if (version === 3) {
        await world.operate('radiologist', 'open-addendum', id, { reason: 'Encore' });
        await world.operate('radiologist', 'claim-addendum', id);
      }
      await world.operate('radiologist', 'sign-addendum', id, {
        reason: 'Précision',
        conclusion: `Version ${version}`,
      });
      expect(world.built.at(-1)?.document.version).toBe(version);
    }
    const documents = await documentsOf(id);
    expect(documents.map((each) => each.status).sort()).toEqual(['current', 'superseded', 'superseded']);
    expect(world.built.at(-1)?.document.replaces).toBe(world.built.at(-2)?.document.oid);
  });

  it('belongs to who took it, who may leave it to a colleague with its draft', async () => {
    const { id } = await opened('other-radiologist');
    await expect(world.operate('radiologist', 'save-draft', id, { conclusion: 'x' })).rejects.toMatchObject(
      refusal('role', 403),
    );
    await expect(world.operate('radiologist', 'claim-addendum', id)).rejects.toMatchObject(
      refusal('addendum-wanted', 409),
    );
    await expect(world.operate('radiologist', 'open-addendum', id, { reason: 'x' })).rejects.toMatchObject(
      refusal('no-addendum', 409),
    );
    const draft = await world.operate('other-radiologist', 'save-draft', id, { conclusion: 'À vérifier' });
    await world.operate('other-radiologist', 'release-addendum', id);
    await world.operate('radiologist', 'claim-addendum', id);
    expect((await world.operate('radiologist', 'save-draft', id, { results: 'Revu' })).id).toBe(draft.id);
  });

  it('may be found unnecessary: the report stands, the draft is gone, the site is told', async () => {
    const { id } = await opened();
    await world.operate('radiologist', 'save-draft', id, { conclusion: 'x' });
    const before = await reportOf(id);
    const closed = (await world.operate('radiologist', 'close-addendum', id, { reason: 'Rien à ajouter' })) as Task;
    expect(stateOf(closed)).toBe('delivered');
    expect(outputs(closed, 'draft')).toHaveLength(0);
    expect(await reportOf(id)).toEqual(before);
    expect(await reportsFor(id)).toHaveLength(1);
    expect(await told(id, 'report-upheld')).toHaveLength(1);
  });
});

describe('the version before', () => {
  it('acknowledged late says nothing of the version that replaced it', async () => {
    const { id, item } = await opened('radiologist', false);
    await world.operate('radiologist', 'sign-addendum', id, { reason: 'Erreur de côté', nature: 'corrected' });
    const second = world.queued.at(-1)!;
    await world.outcome(item, { status: 'delivered', evidence: 'MSA|AA|1' });
    expect(await world.task(item.task!.slice(5))).toMatchObject({ status: 'completed' });
    const waiting = await world.task(id);
    expect(stateOf(waiting)).toBe('delivering');
    expect(outputs(waiting, 'acknowledgement')).toHaveLength(0);
    await world.outcome(second, { status: 'delivered', evidence: 'MSA|AA|2' });
    expect(stateOf(await world.task(id))).toBe('delivered');
  });

  it('that was acknowledged does not make the next one count as received', async () => {
    const { id } = await opened();
    expect(outputs(await world.task(id), 'acknowledgement')).toHaveLength(1);
    const signed = (await world.operate('radiologist', 'sign-addendum', id, { reason: 'Précision' })) as Task;
    expect(stateOf(signed)).toBe('delivering');
    expect(outputs(signed, 'acknowledgement')).toHaveLength(0);
  });
});

describe('a re-reading on demand', () => {
  it('is asked by the site and done by another reader when the first is gone; nothing is billed', async () => {
    const { id } = await signedCase(world);
    await expect(world.operate('requester', 'request-rereading', id)).rejects.toMatchObject(refusal('reason-given'));
    await world.operate('requester', 'request-rereading', id, { reason: 'Discordance clinique' });
    expect(await childOf(world, id, 'addendum')).toMatchObject({
      code: { coding: [{ code: 're-reading' }] },
      requester: { reference: 'Practitioner/demandeur' },
    });
    const charges = await world.store.search(tenant, 'ChargeItem', '_count=200');
    await world.operate('other-radiologist', 'claim-addendum', id);
    await world.operate('other-radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    await world.operate('other-radiologist', 'sign-addendum', id, {
      reason: 'Discordance clinique',
      conclusion: 'Fracture.',
    });
    expect(await reportOf(id)).toMatchObject({
      status: 'amended',
      resultsInterpreter: [{ reference: 'Practitioner/radiologue-2' }],
    });
    expect(world.built.at(-1)?.radiologist.id).toBe('radiologue-2');
    expect((await world.task(id)).owner?.reference).toBe('Practitioner/radiologue');
    expect(await world.store.search(tenant, 'ChargeItem', '_count=200')).toHaveLength(charges.length);
  });
});

describe('a preliminary report', () => {
  it('is shown as such and never sent; what is written after it waits for the signature', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    const queued = world.queued.length;
    await expect(world.operate('radiologist', 'issue-preliminary', id, { conclusion: 'AVC' })).rejects.toThrow(
      'Chapitre manquant',
    );
    const issued = (await world.operate('radiologist', 'issue-preliminary', id, report)) as Task;
    expect(stateOf(issued)).toBe('preliminary');
    expect(await reportOf(id)).toMatchObject({ status: 'preliminary', conclusion: report.conclusion });
    await world.operate('radiologist', 'save-draft', id, { conclusion: 'En cours de rédaction' });
    expect(await reportOf(id)).toMatchObject({ status: 'preliminary', conclusion: report.conclusion });
    await world.operate('radiologist', 'issue-preliminary', id, { conclusion: 'AVC ischémique' });
    expect(await reportOf(id)).toMatchObject({ status: 'preliminary', conclusion: 'AVC ischémique' });
    expect(world.queued).toHaveLength(queued);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    await world.operate('radiologist', 'phone-exchange', id, { summary: 'Prévenu', with: 'Dr ALIX' });
    await world.operate('radiologist', 'sign', id, { conclusion: 'AVC ischémique sylvien' });
    expect(await reportOf(id)).toMatchObject({ status: 'final', conclusion: 'AVC ischémique sylvien' });
    expect(await reportsFor(id)).toHaveLength(1);
    expect(world.built.at(-1)?.document.version).toBe(1);
  });

  it('is for emergencies', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    await expect(world.operate('radiologist', 'issue-preliminary', id, report)).rejects.toMatchObject(
      refusal('urgent-only'),
    );
  });
});
