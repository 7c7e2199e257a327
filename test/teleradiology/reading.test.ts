import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outputs, person, readyCase, report, request, send, stateOf, study, uid } from './support/requests.ts';
import { createWorld, tenant, type Who, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const refusal = (guard: string, status = 422) => ({
  status,
  outcome: { issue: [{ details: { coding: [{ code: guard }] } }] },
});
const legal = async (who: Who, id: string) => {
  const answer = (await world.operate(who, 'transitions', id)) as {
    parameter?: { name: string; valueCode?: string; part?: { valueCode?: string }[] }[];
  };
  return {
    possible: (answer.parameter ?? []).filter((each) => each.name === 'transition').map((each) => each.valueCode),
    blocked: (answer.parameter ?? [])
      .filter((each) => each.name === 'blocked')
      .map((each) =>
        each.part
          ?.map((part) => part.valueCode)
          .slice(0, 2)
          .join(' '),
      ),
  };
};

describe('claiming', () => {
  it('is won by one of fifty callers; the others get 409', async () => {
    const { id } = await readyCase(world);
    const callers = Array.from({ length: 50 }, (_, index) =>
      world.operate(index % 2 ? 'radiologist' : 'other-radiologist', 'claim', id),
    );
    const answers = await Promise.allSettled(callers);
    expect(answers.filter((each) => each.status === 'fulfilled')).toHaveLength(1);
    const lost = answers.flatMap((each) =>
      each.status === 'rejected' ? [(each.reason as { status: number }).status] : [],
    );
    expect(lost).toEqual(Array.from({ length: 49 }, () => 409));
    expect((await world.task(id)).owner?.reference).toMatch(/^Practitioner\/radiologue/);
  });

  it('is not for a requester, nor before the images', async () => {
    const { id } = await readyCase(world);
    await expect(world.operate('requester', 'claim', id)).rejects.toMatchObject(refusal('role', 403));
    const { task } = await send(world, request(person()));
    await expect(world.operate('radiologist', 'claim', task.id)).rejects.toMatchObject(refusal('state'));
  });

  it('that was refused is recorded with the guard and who tried, although nothing else of it is', async () => {
    const { id } = await readyCase(world);
    await world.operate('requester', 'claim', id).catch(() => undefined);
    await world.operate('radiologist', 'sign', id, report).catch(() => undefined);
    await world.room.stop();
    const { rows } = await world.database.query(
      tenant,
      'SELECT event, state, guard, actor FROM case_refusal WHERE tenant = $1 AND case_id = $2 ORDER BY event',
      [tenant, id],
    );
    expect(rows).toEqual([
      { event: 'claim', state: 'ready', guard: 'role', actor: 'Practitioner/demandeur' },
      { event: 'sign', state: 'ready', guard: 'state', actor: 'Practitioner/radiologue' },
    ]);
  });

  it('honours If-Match', async () => {
    const { id } = await readyCase(world);
    const version = (await world.task(id)).meta?.versionId;
    await expect(world.operate('radiologist', 'claim', id, {}, 'W/"1"')).rejects.toMatchObject({ status: 412 });
    expect(stateOf((await world.operate('radiologist', 'claim', id, {}, `W/"${version}"`)) as Task)).toBe('reading');
  });

  it('of a task that is no case is not found', async () => {
    const other = await world.store.transaction(world.as('coordinator'), (tx) =>
      tx.create({ resourceType: 'Task', status: 'requested', intent: 'order' }),
    );
    await expect(world.operate('radiologist', 'claim', other.id)).rejects.toMatchObject({ status: 404 });
  });
});

describe('a case in hand', () => {
  it('is given back by its owner or the coordinator, nobody else, and forgets what was displayed', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'displayed', id, { series: '1.1' });
    await expect(world.operate('other-radiologist', 'release', id)).rejects.toMatchObject(refusal('role', 403));
    const released = (await world.operate('coordinator', 'release', id)) as Task;
    expect(stateOf(released)).toBe('ready');
    expect(released.owner).toBeUndefined();
    expect(outputs(released, 'displayed-series')).toHaveLength(0);
    expect(stateOf((await world.operate('other-radiologist', 'claim', id)) as Task)).toBe('reading');
  });

  it('is suspended with a reason and resumed by its owner', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    await expect(world.operate('radiologist', 'suspend', id)).rejects.toMatchObject(refusal('reason-given'));
    const suspended = (await world.operate('radiologist', 'suspend', id, {
      reason: 'Antériorités manquantes',
    })) as Task;
    expect(suspended).toMatchObject({ status: 'on-hold', statusReason: { text: 'Antériorités manquantes' } });
    await expect(world.operate('radiologist', 'sign', id, report)).rejects.toMatchObject(refusal('state'));
    const resumed = (await world.operate('radiologist', 'resume', id)) as Task;
    expect(stateOf(resumed)).toBe('reading');
    expect(resumed.statusReason).toBeUndefined();
  });

  it('keeps the chapters of a draft that a later draft does not mention', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    const first = await world.operate('radiologist', 'save-draft', id, { results: 'Ligne 1\nLigne 2' });
    const second = await world.operate('radiologist', 'save-draft', id, { conclusion: 'Normal' });
    expect(second.id).toBe(first.id);
    const text = (second as { extension?: { url: string; extension?: { url: string; valueString?: string }[] }[] })
      .extension?.[0]?.extension;
    expect(text).toEqual([
      { url: 'results', valueString: 'Ligne 1\nLigne 2' },
      { url: 'conclusion', valueString: 'Normal' },
    ]);
    await expect(world.operate('other-radiologist', 'save-draft', id, { results: 'x' })).rejects.toMatchObject({
      status: 403,
    });
  });
});

describe('a draft', () => {
  it('forgets a conclusion that was emptied', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    const saved = await world.operate('radiologist', 'save-draft', id, report);
    expect(saved).toMatchObject({ conclusion: report.conclusion });
    const emptied = await world.operate('radiologist', 'save-draft', id, {
      indication: '',
      technique: '',
      results: '',
      conclusion: '',
    });
    expect(emptied).not.toHaveProperty('conclusion');
    expect(emptied).not.toHaveProperty('extension');
  });
});

describe('signing', () => {
  it('is refused guard after guard until each is met, then happens once', async () => {
    const { id } = await readyCase(world);
    await expect(world.operate('radiologist', 'sign', id, report)).rejects.toMatchObject(refusal('state'));
    await world.operate('radiologist', 'claim', id);
    await expect(world.operate('other-radiologist', 'sign', id, report)).rejects.toMatchObject(refusal('role', 403));
    await expect(world.operate('radiologist', 'sign', id, report)).rejects.toMatchObject(refusal('phone-exchange'));
    await expect(world.operate('radiologist', 'phone-exchange', id)).rejects.toMatchObject(refusal('summary-given'));
    await world.operate('radiologist', 'phone-exchange', id, { summary: 'Appelé', with: 'Dr ALIX' });
    await expect(world.operate('radiologist', 'sign', id, report)).rejects.toMatchObject(
      refusal('every-series-displayed'),
    );
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    const { results: _results, ...incomplete } = report;
    const fault = await world.operate('radiologist', 'sign', id, incomplete).catch((error) => error);
    expect(fault.status).toBe(422);
    expect(fault.outcome.issue[0].details.coding[0].code).toBe('report-complete');
    expect(fault.outcome.issue[1].diagnostics).toBe('Chapitre manquant : results.');
    expect(stateOf((await world.operate('radiologist', 'sign', id, report)) as Task)).toBe('delivering');
    await expect(world.operate('radiologist', 'sign', id, report)).rejects.toMatchObject(refusal('state'));
    expect(world.queued.filter((item) => item.focus === `Task/${id}` && item.kind === 'report-mdm')).toHaveLength(1);
  });

  it('takes a reason for series that were not displayed', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    const signed = await world.operate('radiologist', 'sign', id, {
      ...report,
      'not-displayed-reason': 'Série de repérage',
    });
    expect(stateOf(signed as Task)).toBe('delivering');
  });

  it('waits for a provisional attachment to be confirmed', async () => {
    const who = person();
    const { task } = await send(world, request(who, { encounterClass: 'O' }));
    await world.operate('radiologist', 'protocol', task.id, { text: 'TDM' });
    await world.images(study(who, uid()), { '1': 2 });
    await world.operate('technologist', 'complete-images', task.id);
    await world.operate('radiologist', 'claim', task.id);
    await world.operate('radiologist', 'displayed', task.id, { series: '1' });
    await expect(world.operate('radiologist', 'sign', task.id, report)).rejects.toMatchObject(
      refusal('attachment-confirmed'),
    );
    await world.operate('radiologist', 'confirm-images', task.id);
    expect(stateOf((await world.operate('radiologist', 'sign', task.id, report)) as Task)).toBe('delivering');
  });

  it('twice at once signs once', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    const answers = await Promise.allSettled([1, 2, 3].map(() => world.operate('radiologist', 'sign', id, report)));
    expect(answers.filter((each) => each.status === 'fulfilled')).toHaveLength(1);
    expect(await world.store.search(tenant, 'DocumentReference', `related=Task/${id}`)).toHaveLength(2);
  });

  it('goes on when the case, not the report, changed while the documents were made', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    world.whileBuilding = async () => {
      await world.operate('radiologist', 'phone-exchange', id, { summary: 'Appelé', with: 'Dr ALIX' });
    };
    const signed = (await world.operate('radiologist', 'sign', id, report)) as Task;
    expect(stateOf(signed)).toBe('delivering');
    expect(outputs(signed, 'phone-exchange')).toHaveLength(1);
    expect(await world.store.search(tenant, 'DocumentReference', `related=Task/${id}`)).toHaveLength(2);
  });

  it.each(['ServiceRequest', 'Patient', 'Organization'] as const)(
    'says what is stored when the %s changed while the documents were made',
    async (type) => {
      const { id } = await readyCase(world, { encounterClass: 'O' });
      const task = await world.operate('radiologist', 'claim', id);
      await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
      const { focus, for: subject, requester } = task as Task;
      const reference = { ServiceRequest: focus, Patient: subject, Organization: requester }[type]?.reference ?? '';
      const changed = 'Corrigé pendant la signature';
      const already = world.built.length;
      world.whileBuilding = async () => {
        await world.store.transaction(
          world.as(type === 'Organization' ? 'administrator' : 'ris', 'update'),
          async (tx) => {
            const stored = await tx.read(type, reference.split('/')[1] ?? '');
            const added = {
              ServiceRequest: { patientInstruction: changed },
              Patient: { address: [{ text: changed }] },
              Organization: { alias: [changed] },
            }[type];
            await tx.update({ ...stored, ...added } as typeof stored & { id: string });
          },
        );
      };
      expect(stateOf((await world.operate('radiologist', 'sign', id, report)) as Task)).toBe('delivering');
      const built = world.built.slice(already);
      expect(built.map((model) => JSON.stringify(model).includes(changed))).toEqual([false, true]);
      const documents = await world.store.search(tenant, 'DocumentReference', `related=Task/${id}`);
      expect(documents).toHaveLength(2);
      const pdf = documents.find((each) => each.content[0]?.attachment.contentType === 'application/pdf');
      const binary = await world.store.read(tenant, 'Binary', pdf?.content[0]?.attachment.url?.split('/')[1] ?? '');
      expect(Buffer.from(binary.data ?? '', 'base64').toString()).toContain(built[1]?.document.oid);
    },
  );

  it('is made once when nothing it says changed', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    const already = world.built.length;
    await world.operate('radiologist', 'sign', id, report);
    expect(world.built.length - already).toBe(1);
  });

  it('is refused when the report changed while the documents were made', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'displayed', id, { series: ['1.1', '1.2'] });
    await world.operate('radiologist', 'save-draft', id, report);
    world.whileBuilding = async () => {
      await world.operate('radiologist', 'save-draft', id, { ...report, conclusion: 'Autre conclusion.' });
    };
    await expect(world.operate('radiologist', 'sign', id, report)).rejects.toMatchObject({ status: 409 });
    expect(await world.store.search(tenant, 'DocumentReference', `related=Task/${id}`)).toHaveLength(0);
  });

  it('sends the report as ORU where the establishment asks for it', async () => {
    const oru = await createWorld('2026-05-12T06:10:00Z', [{ url: 'reportFormat', valueCode: 'report-oru' }]);
    try {
      const { id } = await readyCase(oru, { encounterClass: 'O' });
      await oru.operate('radiologist', 'claim', id);
      await oru.operate('radiologist', 'sign', id, { ...report, 'not-displayed-reason': 'Repérage' });
      expect(oru.queued.at(-1)?.kind).toBe('report-oru');
    } finally {
      await oru.close();
    }
  });
});

describe('a delivery that fails', () => {
  it('shows on its task and is told to the coordinators; a replay that passes delivers', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'sign', id, { ...report, 'not-displayed-reason': 'Repérage' });
    const item = world.queued.at(-1)!;
    await world.outcome(item, { status: 'failed', reason: 'AE 207', evidence: 'MSA|AE' });
    expect(await world.task(item.task!.slice(5))).toMatchObject({ status: 'failed', statusReason: { text: 'AE 207' } });
    expect(stateOf(await world.task(id))).toBe('delivering');
    const told = await world.store.search(tenant, 'Communication', 'category=delivery-failed');
    expect(told.filter((each) => each.about?.[0]?.reference === `Task/${id}`)).toMatchObject([
      { recipient: [{ reference: 'Organization/passerelle-exemple' }] },
    ]);
    await world.outcome(item, { status: 'delivered', evidence: 'MSA|AA' });
    await world.outcome(item, { status: 'delivered', evidence: 'MSA|AA' });
    expect(stateOf(await world.task(id))).toBe('delivered');
  });
});

describe('$transitions', () => {
  it('says to each what is possible now, and what a guard holds back', async () => {
    const { id } = await readyCase(world);
    const anybody = ['declare-error'];
    expect((await legal('radiologist', id)).possible).toEqual(['ask', 'claim', 'phone-exchange', ...anybody]);
    expect((await legal('technologist', id)).possible).toEqual(['complete-images', ...anybody]);
    expect((await legal('coordinator', id)).possible).toEqual([
      'ask',
      'ask-cancellation',
      'complete-images',
      'assign',
      'interrupt',
      ...anybody,
    ]);
    expect((await legal('administrator', id)).possible).toEqual([]);
    await world.operate('radiologist', 'claim', id);
    const { possible, blocked } = await legal('radiologist', id);
    expect(possible).toEqual([
      'ask',
      'release',
      'hand-over',
      'suspend',
      'ask-imaging',
      'phone-exchange',
      'displayed',
      'save-draft',
      'issue-preliminary',
      'request-second-reading',
      'declare-critical',
      'interrupt',
      ...anybody,
    ]);
    expect(blocked).toEqual([
      'decline-cancellation cancellation-asked',
      'confirm-images attachment-provisional',
      'sign phone-exchange',
      'acknowledge-critical critical-open',
    ]);
  });
});
