/** `$transitions`: what the caller may do with this case now, and what a guard holds back. */
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { FhirError, type Operation } from '../../fhir/index.ts';
import { guards, offered } from '../case/index.ts';
import { type CaseTask, isTaskOf, stateOf } from '../shell/case-task.ts';
import { gatherFacts } from '../shell/gather-facts.ts';
import { actorOf } from '../shell/perform.ts';

export const transitionsOperation: Operation = {
  name: 'transitions',
  type: 'Task',
  level: 'instance',
  seesWhole: true,
  affectsState: false,
  async run({ tx, id = '' }): Promise<Parameters> {
    const task = (await tx.read('Task', id)) as CaseTask;
    const state = isTaskOf(task, 'teleradiology-case') ? stateOf(task) : undefined;
    if (state === undefined)
      throw new FhirError(404, 'not-found', `Task/${id} n'est pas un dossier de téléradiologie.`);
    const { facts } = await gatherFacts(tx, task, tx.context.now());
    const operations = offered(state, actorOf(tx), facts).filter(({ via }) => via.includes('operation'));
    const parameter = operations.map(
      ({ event, blockedBy }): ParametersParameter =>
        blockedBy === undefined
          ? { name: 'transition', valueCode: event }
          : {
              name: 'blocked',
              part: [
                { name: 'transition', valueCode: event },
                { name: 'guard', valueCode: blockedBy },
                { name: 'reason', valueString: guards[blockedBy].text },
              ],
            },
    );
    return { resourceType: 'Parameters', ...(parameter.length > 0 ? { parameter } : {}) };
  },
};
