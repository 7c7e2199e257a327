/** Questions to the site and their answers (WF-10): messages of the same chat, that the case machine sends and waits for. */
import type { Communication, Reference } from '@medplum/fhirtypes';
import { codeSystem, concept } from '../codes.ts';
import { type CaseTask, idOf, outputsOf, withOutputReference, withoutOutputs } from '../shell/case-task.ts';
import type { EffectScene } from '../shell/scene.ts';
import { sendNotice } from './send-notice.ts';
import { sentMessage } from './write-message.ts';

/** What asking and answering need of the scene of an effect. */
export type TalkScene = Pick<EffectScene, 'room' | 'tx' | 'actor'>;

/** Asks the establishment, and whoever asked for the exam; the case keeps the question until it is answered. */
export async function askQuestion(task: CaseTask, scene: TalkScene, text: string): Promise<CaseTask> {
  const { room, tx } = scene;
  const stored = await say(task, scene, 'question', text);
  const requestId = idOf(task.focus, 'ServiceRequest');
  const request = requestId === undefined ? undefined : await tx.find('ServiceRequest', requestId);
  const to = [task.requester, request?.requester].flatMap((each) => each ?? []);
  await sendNotice(room, tx, { template: 'question', to, about: `Task/${task.id}`, values: {} });
  return withOutputReference(task, 'question', `Communication/${stored.id}`);
}

/** Answers every open question of the case: the first one's thread goes on with it. */
export async function keepAnswer(task: CaseTask, scene: TalkScene, text: string): Promise<CaseTask> {
  const { room, tx } = scene;
  const questions = outputsOf(task, 'question').flatMap((each) => idOf(each.valueReference, 'Communication') ?? []);
  await say(task, scene, 'answer', text, questions[0]);
  const asked = await Promise.all(questions.map((id) => tx.find('Communication', id)));
  const to = asked.flatMap((question): Reference[] => (question?.sender ? [question.sender] : []));
  await sendNotice(room, tx, { template: 'answer', to, about: `Task/${task.id}`, values: {} });
  return withoutOutputs(task, 'question');
}

async function say(
  task: CaseTask,
  { tx, actor }: TalkScene,
  category: 'question' | 'answer',
  text: string,
  answers?: string,
): Promise<Communication & { id: string }> {
  const said: Communication = {
    resourceType: 'Communication',
    status: 'completed',
    category: [concept(codeSystem.communicationCategory, category)],
    priority: task.priority === 'routine' ? 'routine' : 'urgent',
    ...(answers === undefined ? {} : { inResponseTo: [{ reference: `Communication/${answers}` }] }),
    payload: [{ contentString: text }],
  };
  return tx.create(await sentMessage(tx, task, said, actor));
}
