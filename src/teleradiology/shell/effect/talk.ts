/** What people say about a case, kept as Communication: phone exchanges, questions to the site and their answers (WF-5, WF-10). */
import { concept } from '../../codes.ts';
import { type CaseTask, outputsOf, withOutputReference, withoutOutputs } from '../case-task.ts';
import { communication, responsible } from '../communication.ts';
import type { EffectScene } from '../scene.ts';

export async function keepPhoneExchange(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, actor, input, now } = scene;
  const partner = input.with?.trim() ? `Interlocuteur : ${input.with.trim()}. ` : '';
  const stored = await tx.create({
    ...communication(task, {
      category: 'phone-exchange',
      text: `${partner}${input.summary ?? ''}`,
      recipients: task.requester ? [task.requester] : [],
      sent: now,
      sender: { reference: actor.reference, display: actor.display },
    }),
    medium: [concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', 'PHONE')],
  });
  return withOutputReference(task, 'phone-exchange', `Communication/${stored.id}`);
}

export async function askQuestion(task: CaseTask, scene: EffectScene, question: string): Promise<CaseTask> {
  const { tx, actor, now } = scene;
  const asked = await tx.create(
    communication(task, {
      category: 'question',
      text: question,
      recipients: task.requester ? [task.requester] : [],
      sent: now,
      sender: { reference: actor.reference, display: actor.display },
    }),
  );
  return withOutputReference(task, 'question', `Communication/${asked.id}`);
}

export async function keepAnswer(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, actor, input, now } = scene;
  const questions = outputsOf(task, 'question').flatMap((each) => each.valueReference?.reference ?? []);
  await tx.create({
    ...communication(task, {
      category: 'answer',
      text: input.answer ?? '',
      recipients: await responsible(tx, task, scene.view.settings),
      sent: now,
      sender: { reference: actor.reference, display: actor.display },
    }),
    inResponseTo: questions.map((reference) => ({ reference })),
  });
  return withoutOutputs(task, 'question');
}
