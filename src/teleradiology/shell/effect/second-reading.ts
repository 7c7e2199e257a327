/** Second readings as child Tasks `second-read`: asked, taken, given back, closed with an opinion, dropped with the first reading (WF-8). */
import type { Communication, Reference } from '@medplum/fhirtypes';
import { type CaseTask, withOutput, withoutOutputs } from '../case-task.ts';
import { changeChild, ended, givenBack, openChild, taken } from '../child-tasks.ts';
import { communication, coordinators, responsible } from '../communication.ts';
import { latestChild } from '../latest-child.ts';
import type { EffectScene } from '../scene.ts';

const demandedByAct = 'Cet acte se lit deux fois.';

export async function openSecondReading(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { reason, blind } = scene.input;
  return openChild(scene, task, {
    code: 'second-read',
    item: 'second-reading',
    title: 'Deuxième lecture',
    reason: reason ?? demandedByAct,
    inputs: blind === true ? [['blind', { valueBoolean: true }]] : [],
  });
}

export async function takeSecondReading(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  await changeChild(scene, task, 'second-reading', (child) => taken(child, scene));
  return task;
}

/** Whoever takes it next looks at the images anew. */
export async function releaseSecondReading(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  await changeChild(scene, task, 'second-reading', (child) =>
    child.status === 'in-progress' ? withoutOutputs(givenBack(child), 'displayed-series') : child,
  );
  return task;
}

/**
 * Keeps the opinion, and tells the first reader; one that disagrees with a signed report also
 * whoever else can act on it: the first reader may be gone. Said of a report that is not signed, it is between readers: the site sees neither the
 * draft nor what is said of it (migrations/0184), so that the child Task, which it sees, only names the message.
 */
export async function closeSecondReading(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, input, actor, now, view } = scene;
  const opinion = input.opinion ?? '';
  const isSigned = view.facts.report === 'final';
  const told = await tx.create<Communication>(
    communication(task, {
      category: isSigned ? 'second-opinion' : 'draft-opinion',
      text: `Deuxième lecture, avis ${input.agrees === true ? 'concordant' : 'discordant'} : ${opinion}`,
      recipients: await toldOf(task, scene),
      sent: now,
      urgent: input.agrees !== true,
      sender: { reference: actor.reference, display: actor.display },
    }),
  );
  await changeChild(scene, task, 'second-reading', (child) => {
    const done = ended(child, 'completed', scene);
    if (!isSigned) return withOutput(done, 'opinion', { valueReference: { reference: `Communication/${told.id}` } });
    const said = withOutput(done, 'agreement', { valueBoolean: input.agrees === true });
    return withOutput(said, 'opinion', { valueString: opinion });
  });
  return task;
}

async function toldOf(task: CaseTask, { tx, input, view }: EffectScene): Promise<Reference[]> {
  const first = await responsible(tx, task, view.settings);
  const { addendumReader, report } = view.facts;
  if (input.agrees === true || report !== 'final') return first;
  const others = [
    ...(addendumReader === undefined ? [] : [{ reference: addendumReader }]),
    ...(await coordinators(tx, task, view.settings)),
  ];
  return [...new Map([...first, ...others].map((each) => [each.reference, each])).values()];
}

/** The first reading is given up: nobody waits for an opinion on it any more. One that was given stays. */
export async function dropSecondReading(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const child = await latestChild(scene.tx, task, 'second-reading');
  if (child?.status !== 'requested' && child?.status !== 'in-progress') return task;
  await changeChild(scene, task, 'second-reading', (open) => ended(open, 'cancelled', scene));
  return task;
}

/** Series that somebody displayed, once each. */
function withDisplayed<T extends CaseTask>(task: T, series: readonly string[] = []): T {
  return series.reduce(
    (kept, uid) =>
      withOutput(
        withoutOutputs(kept, 'displayed-series', (each) => each.valueString !== uid),
        'displayed-series',
        { valueString: uid },
      ),
    task,
  );
}

/** Viewing evidence belongs to who looked: the first reader's is on the case, another's on the Task of what they do. */
export async function keepDisplayed(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { actor, view, input } = scene;
  const { owner, secondReader, addendumReader } = view.facts;
  const is = (reference: string | undefined): boolean => reference === actor.reference;
  if (is(secondReader) && view.facts.secondReading === 'taken')
    await changeChild(scene, task, 'second-reading', (child) => withDisplayed(child, input.displayed));
  if (is(addendumReader)) await changeChild(scene, task, 'addendum', (child) => withDisplayed(child, input.displayed));
  return is(owner) && view.facts.report !== 'final' ? withDisplayed(task, input.displayed) : task;
}
