import type { QuestionnaireResponse, QuestionnaireResponseItem, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fresh, person, request, send } from '../support/requests.ts';
import { createWorld, type Who, type World } from '../support/world.ts';

let world: World;
let task: Task;
beforeAll(async () => {
  world = await createWorld();
  task = (await send(world, request(person(), {}, `DEM-${fresh()}`))).task;
});
afterAll(() => world.close());

const yes = (linkId: string): QuestionnaireResponseItem => ({ linkId, answer: [{ valueBoolean: true }] });
const owed: QuestionnaireResponseItem[] = [
  {
    linkId: 'prescriber',
    item: [
      yes('prescriber-told'),
      yes('report-withheld'),
      { linkId: 'announcer', answer: [{ valueString: 'Dr ALIX' }] },
    ],
  },
  { linkId: 'meeting', item: [yes('in-private'), yes('accompanied')] },
];
const checklist = (more: Partial<QuestionnaireResponse> = {}): QuestionnaireResponse => ({
  resourceType: 'QuestionnaireResponse',
  questionnaire: 'https://fhir.passerelle.example/Questionnaire/serious-announcement',
  status: 'in-progress',
  subject: task.for as QuestionnaireResponse['subject'],
  basedOn: [task.focus as NonNullable<QuestionnaireResponse['basedOn']>[number]],
  item: [yes('prescriber-told')],
  ...more,
});
const create = (who: Who, response: QuestionnaireResponse) =>
  world.store.transaction(world.as(who, 'create'), (tx) => tx.create(response));
const update = (who: Who, response: QuestionnaireResponse) =>
  world.store.transaction(world.as(who, 'update'), (tx) => tx.update(response));

describe('the checklist of a serious diagnosis', () => {
  it('is filled in by one after the other, each named by the server, and closed', async () => {
    const begun = await create('radiologist', checklist({ author: { reference: 'Practitioner/demandeur' } }));
    expect(begun).toMatchObject({
      author: { reference: 'Practitioner/radiologue' },
      authored: world.clock.now().toISOString(),
    });
    const closed = await update('requester', { ...begun, status: 'completed', item: owed });
    expect(closed).toMatchObject({ author: { reference: 'Practitioner/demandeur' }, status: 'completed' });
    for (const change of [
      { item: [yes('in-private')] },
      { status: 'in-progress' as const },
      { status: 'entered-in-error' as const },
    ])
      await expect(update('requester', { ...closed, ...change })).rejects.toMatchObject({ status: 422 });
    await expect(
      world.store.transaction(world.as('requester', 'delete'), (tx) => tx.delete('QuestionnaireResponse', closed.id)),
    ).rejects.toMatchObject({ status: 422 });
  });

  it('says all that is owed when it is closed too early; a box left open is owed', async () => {
    const left = create(
      'radiologist',
      checklist({ status: 'completed', item: [{ linkId: 'prescriber-told', answer: [{ valueBoolean: false }] }] }),
    );
    const { outcome } = (await left.catch((error: unknown) => error)) as {
      outcome: { issue: { details?: { text?: string } }[] };
    };
    expect(outcome.issue).toHaveLength(5);
    expect(outcome.issue.every(({ details }) => details?.text?.includes('reste à faire'))).toBe(true);
  });

  it('is of one case and its patient, and answers the questions of the list', async () => {
    const wrong: Partial<QuestionnaireResponse>[] = [
      { basedOn: undefined },
      { subject: { reference: 'Patient/somebody-else' } },
      { status: 'stopped' },
      { item: [yes('unknown')] },
      { item: [yes('announcer')] },
      { item: [yes('in-private'), yes('in-private')] },
      { item: [{ linkId: 'announcer', answer: [{ valueString: 'x'.repeat(201) }] }] },
    ];
    for (const change of wrong)
      await expect(create('radiologist', checklist(change)), JSON.stringify(change)).rejects.toMatchObject({
        status: 422,
      });
  });

  it('says nothing of other questionnaires', async () => {
    const other = await create('radiologist', {
      resourceType: 'QuestionnaireResponse',
      status: 'stopped',
      questionnaire: 'https://other.example/q',
    });
    expect(other.author).toBeUndefined();
  });
});
