/**
 * Effect of `acknowledge-critical`: somebody of the site has said the result back, signed in themselves; or on the telephone, which the reader or
 * a coordinator records with the name of who answered (WF-9, workflow §7).
 */
import type { Communication } from '@medplum/fhirtypes';
import { FhirError } from '../../fhir/index.ts';
import { type CaseTask, outputsOf, withOutputReference } from '../shell/case-task.ts';
import { communication } from '../shell/communication.ts';
import { latestChild } from '../shell/latest-child.ts';
import type { EffectScene } from '../shell/scene.ts';
import { byTelephone, callOf } from '../talk/phone-exchange.ts';
import { alertOf, isOpenAlert } from './alert-task.ts';
import { areReadBack } from './read-back.ts';
import { endRounds } from './rounds.ts';

/** Roles of the site: who acknowledges for themselves. */
const ofTheSite: readonly string[] = ['requester', 'technologist'];

/** @throws FhirError 422 when the result is not said back, or when nobody is named who answered the telephone. */
export async function acknowledgeAlert(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, now, actor, input, writes } = scene;
  const child = await latestChild(tx, task, 'alert');
  const alert = child && isOpenAlert(child) ? alertOf(child) : undefined;
  if (child === undefined || alert === undefined) throw new Error('an acknowledgement without an open alert');
  const said = input.readBack?.trim() ?? '';
  if (!areReadBack(alert.findings, said)) throw notReadBack();
  // Who declared it has heard nobody: they name who answered, whatever else they are.
  const isOfSite =
    actor.reference !== child.requester?.reference && actor.roles.some((role) => ofTheSite.includes(role));
  const call = isOfSite ? undefined : callOf(task, { ...input, summary: said }, now);
  const who = call ? `${call.with} (par téléphone${call.number ? `, ${call.number}` : ''})` : actor.display;
  const stored = await tx.create<Communication>({
    ...communication(task, {
      category: 'critical-acknowledgement',
      text: `Résultat critique redit par ${who} : ${said}`,
      recipients: child.requester ? [child.requester] : [],
      sent: call?.at ?? now,
      sender: { reference: actor.reference, display: actor.display },
      urgent: true,
    }),
    received: now.toISOString(),
    partOf: [{ reference: `Task/${child.id}` }],
    inResponseTo: outputsOf(child, 'told')
      .flatMap(({ valueReference }) => valueReference?.reference ?? [])
      .map((reference) => ({ reference })),
    ...(call ? byTelephone(call) : {}),
  });
  await endRounds(tx, child, call?.at ?? now);
  await writes.update(tx, {
    ...withOutputReference(child, 'acknowledgement', `Communication/${stored.id}`),
    status: 'completed',
    executionPeriod: { ...child.executionPeriod, end: now.toISOString() },
    lastModified: now.toISOString(),
  });
  await tx.sql.query(`DELETE FROM due_time WHERE tenant = $1 AND case_id = $2 AND kind = 'alert' AND key = $3`, [
    tx.context.tenant,
    task.id,
    child.id,
  ]);
  return task;
}

function notReadBack(): FhirError {
  const text =
    'Redites le résultat avec ses mots (ce qui est trouvé, et où), ou confirmez la phrase telle qu’elle est : « vu » ne suffit pas.';
  return FhirError.of(422, [
    {
      severity: 'error',
      code: 'business-rule',
      details: { text },
      diagnostics: 'the critical result was not read back',
      expression: ["Parameters.parameter.where(name = 'read-back')"],
    },
  ]);
}
