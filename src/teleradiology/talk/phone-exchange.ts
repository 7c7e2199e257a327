/** A telephone call about a case, recorded (WF-5): who called whom, when, at which number, what was said. */
import type { Communication } from '@medplum/fhirtypes';
import { FhirError } from '../../fhir/index.ts';
import { concept, structureDefinition } from '../codes.ts';
import { type CaseTask, inputsOf, withOutputReference } from '../shell/case-task.ts';
import { communication } from '../shell/communication.ts';
import type { EffectScene } from '../shell/scene.ts';

const participationMode = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode';

/** Hours a call may lie behind when it is recorded: the night it was made in. */
const oldestHours = 24;
const longestName = 200;
/** Digits as people write them, with an extension. */
const telephone = /^\+?[0-9][0-9 ().#*/-]{1,38}$/;

/** One call as whoever made it tells it. */
export interface Call {
  with: string;
  /** The call-back number of the request when absent. */
  number?: string;
  summary: string;
  /** Now when absent. */
  at?: Date;
}

/** @throws FhirError 422 without a name, with a number that is none, with a time to come or long past. */
export function callOf(task: CaseTask, given: Partial<Call>, now: Date): Call & { at: Date } {
  const name = given.with?.trim() ?? '';
  const number = given.number?.trim() || inputsOf(task, 'callback')[0]?.valueString?.trim();
  const at = given.at ?? now;
  if (name === '') throw wrong('with', 'Dites avec qui vous avez parlé.');
  if (name.length > longestName) throw wrong('with', 'Le nom de l’interlocuteur est trop long.');
  if (given.number?.trim() && !telephone.test(given.number.trim()))
    throw wrong('number', 'Le numéro de téléphone n’en est pas un.');
  if (at.getTime() > now.getTime() || now.getTime() - at.getTime() > oldestHours * 3_600_000)
    throw wrong('at', 'L’heure de l’échange est à venir, ou date de plus d’un jour.');
  return { with: name, summary: given.summary?.trim() ?? '', at, ...(number ? { number } : {}) };
}

function wrong(parameter: string, text: string): FhirError {
  return FhirError.of(422, [
    {
      severity: 'error',
      code: 'invalid',
      details: { text },
      diagnostics: `the call cannot be recorded: ${parameter}`,
      expression: [`Parameters.parameter.where(name = '${parameter}')`],
    },
  ]);
}

/** What makes a Communication one by telephone. */
export function byTelephone(call: Call): Pick<Communication, 'medium' | 'extension'> {
  return {
    medium: [concept(participationMode, 'PHONE')],
    extension: [
      {
        url: structureDefinition.phoneExchange,
        extension: [
          { url: 'with', valueString: call.with },
          ...(call.number ? [{ url: 'number', valueString: call.number }] : []),
        ],
      },
    ],
  };
}

export async function keepPhoneExchange(
  task: CaseTask,
  scene: Pick<EffectScene, 'tx' | 'actor' | 'now' | 'input'>,
): Promise<CaseTask> {
  const { tx, actor, input, now } = scene;
  const call = callOf(task, input, now);
  const number = call.number ? ` (${call.number})` : '';
  const stored = await tx.create({
    ...communication(task, {
      category: 'phone-exchange',
      text: `Interlocuteur : ${call.with}${number}. ${call.summary}`,
      recipients: task.requester ? [task.requester] : [],
      sent: call.at,
      sender: { reference: actor.reference, display: actor.display },
    }),
    received: call.at.toISOString(),
    ...byTelephone(call),
  });
  return withOutputReference(task, 'phone-exchange', `Communication/${stored.id}`);
}
