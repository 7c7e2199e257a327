/** What a request lacks is asked of whoever sent it, by name and at once (IN-6); an urgent case goes on beside the question. */
import type { CaseTask } from '../shell/case-task.ts';
import type { EffectScene } from '../shell/scene.ts';
import { askQuestion } from '../talk/question.ts';
import { missingText } from './required-items.ts';

/** It is the platform that asks, whoever sent the request. */
const platform = { reference: 'Device/passerelle', display: 'Passerelle', kind: 'system', roles: [] } as const;

export async function askMissing(task: CaseTask, scene: Pick<EffectScene, 'room' | 'tx' | 'view'>): Promise<CaseTask> {
  const { missing, urgent } = scene.view.facts;
  const text = missingText(missing);
  const told = await askQuestion(task, { ...scene, actor: platform }, text);
  return urgent ? told : { ...told, statusReason: { text } };
}
