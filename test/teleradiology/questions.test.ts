import type { Communication, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outputs, person, readyCase, refusal, report, request, send, stateOf } from './support/requests.ts';
import { certify } from './support/staff.ts';
import { createWorld, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

async function said(id: string, category: string): Promise<Communication[]> {
  const found = await world.store.search(tenant, 'Communication', `category=${category}`);
  return found.filter((each) => each.about?.some(({ reference }) => reference === `Task/${id}`));
}

describe('a question to the site', () => {
  it('holds the request until the site answers, which brings it back to where it was', async () => {
    const { task } = await send(world, request(person()));
    await expect(world.operate('radiologist', 'ask', task.id)).rejects.toMatchObject(refusal('question-given'));
    const asked = (await world.operate('radiologist', 'ask', task.id, { question: 'Créatinine ?' })) as Task;
    expect(stateOf(asked)).toBe('information-wanted');
    expect(outputs(asked, 'question')).toHaveLength(1);
    await expect(world.operate('radiologist', 'answer', task.id, { answer: '80' })).rejects.toMatchObject(
      refusal('role', 403),
    );
    await expect(world.operate('technologist', 'answer', task.id)).rejects.toMatchObject(refusal('answer-given'));
    const answered = (await world.operate('technologist', 'answer', task.id, { answer: '80 µmol/L' })) as Task;
    expect(stateOf(answered)).toBe('protocol-wanted');
    expect(outputs(answered, 'question')).toHaveLength(0);
    const [question] = await said(task.id, 'question');
    expect(await said(task.id, 'answer')).toMatchObject([
      {
        inResponseTo: [{ reference: `Communication/${question?.id}` }],
        sender: { reference: 'Practitioner/manipulateur' },
      },
    ]);
    await expect(world.operate('technologist', 'answer', task.id, { answer: 'encore' })).rejects.toMatchObject(
      refusal('question-open'),
    );
  });

  it('suspends a case in hand, and the answer resumes it with its draft', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'save-draft', id, report);
    expect(stateOf((await world.operate('radiologist', 'ask', id, { question: 'Antécédents ?' })) as Task)).toBe(
      'suspended',
    );
    await expect(world.operate('radiologist', 'sign', id, report)).rejects.toMatchObject(refusal('state'));
    const answered = (await world.operate('requester', 'answer', id, { answer: 'Aucun' })) as Task;
    expect(stateOf(answered)).toBe('reading');
    expect(answered.owner?.reference).toBe('Practitioner/radiologue');
  });

  it('about further images says what is needed, and is of the reader in charge only', async () => {
    const { id } = await readyCase(world, { encounterClass: 'O' });
    await world.operate('radiologist', 'claim', id);
    await expect(
      world.operate('other-radiologist', 'ask-imaging', id, { question: 'Séquence T2' }),
    ).rejects.toMatchObject(refusal('role', 403));
    const asked = (await world.operate('radiologist', 'ask-imaging', id, { question: 'Temps portal' })) as Task;
    expect(stateOf(asked)).toBe('suspended');
    const [question] = await said(id, 'question');
    expect(question?.payload?.[0]?.contentString).toContain('Temps portal');
    expect(stateOf((await world.operate('technologist', 'answer', id, { answer: 'Envoyé' })) as Task)).toBe('reading');
  });
});

describe('assignment', () => {
  it('reserves a case: another reader takes it only with a reason, the wanted one without', async () => {
    const first = await readyCase(world);
    await expect(world.operate('radiologist', 'assign', first.id, { reader: 'x' })).rejects.toMatchObject(
      refusal('role', 403),
    );
    await expect(world.operate('coordinator', 'assign', first.id)).rejects.toMatchObject(refusal('reader-named'));
    await expect(
      world.operate('coordinator', 'assign', first.id, { reader: 'Practitioner/personne' }),
    ).rejects.toMatchObject({ status: 422 });
    const assigned = (await world.operate('coordinator', 'assign', first.id, {
      reader: 'Practitioner/radiologue-2',
    })) as Task;
    expect(assigned.restriction?.recipient).toMatchObject([{ reference: 'Practitioner/radiologue-2' }]);
    expect(assigned.restriction?.period?.end).toBeDefined();
    await expect(world.operate('radiologist', 'claim', first.id)).rejects.toMatchObject(
      refusal('assigned-or-reason', 409),
    );
    const taken = (await world.operate('radiologist', 'claim', first.id, { reason: 'Confrère occupé' })) as Task;
    expect(taken.owner?.reference).toBe('Practitioner/radiologue');
    expect(taken.restriction?.recipient).toBeUndefined();
    expect(taken.restriction?.period?.end).toBeDefined();

    const second = await readyCase(world);
    await world.operate('coordinator', 'assign', second.id, { reader: 'Practitioner/radiologue-2' });
    expect(stateOf((await world.operate('other-radiologist', 'claim', second.id)) as Task)).toBe('reading');
  });

  it('is refused for a reader whose certificates have ended', async () => {
    await certify(world, 'radiologue-2', { insurance: { end: '2026-05-11' } });
    const { id } = await readyCase(world);
    await expect(world.operate('coordinator', 'assign', id, { reader: 'Practitioner/radiologue-2' })).rejects.toThrow(
      'attestations',
    );
    await certify(world, 'radiologue-2');
    await world.operate('coordinator', 'assign', id, { reader: 'Practitioner/radiologue-2' });
  });

  it('by hand-over gives the case back to the list for one colleague, without what the first had displayed', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    await world.operate('radiologist', 'displayed', id, { series: '1.1' });
    const handed = (await world.operate('radiologist', 'hand-over', id, {
      reader: 'Practitioner/radiologue-2',
      reason: 'Fin de garde',
    })) as Task;
    expect(stateOf(handed)).toBe('ready');
    expect(handed.owner).toBeUndefined();
    expect(outputs(handed, 'displayed-series')).toHaveLength(0);
    await expect(world.operate('radiologist', 'claim', id)).rejects.toMatchObject(refusal('assigned-or-reason', 409));
    expect(stateOf((await world.operate('other-radiologist', 'claim', id)) as Task)).toBe('reading');
  });
});

describe('a case that will not be read', () => {
  it('is interrupted with a reason, and the site is told', async () => {
    const { id } = await readyCase(world);
    await world.operate('radiologist', 'claim', id);
    await expect(world.operate('radiologist', 'interrupt', id)).rejects.toMatchObject(refusal('reason-given'));
    const ended = (await world.operate('radiologist', 'interrupt', id, { reason: 'Images illisibles' })) as Task;
    expect(stateOf(ended)).toBe('interrupted');
    expect(ended).toMatchObject({ status: 'failed', statusReason: { text: 'Images illisibles' } });
    expect(await said(id, 'case-ended')).toMatchObject([{ recipient: [{ reference: 'Organization/ch-exemple' }] }]);
  });
});
