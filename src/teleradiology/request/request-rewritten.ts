/**
 * A request written by a plain update while its case is open: it is not cancelled that way, which nobody would hear of, and what it says now is
 * told to whoever reads (WF-1, WF-10).
 */
import type { ServiceRequest } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { signedStates, stateDefinition } from '../case/index.ts';
import { caseOf } from '../identity/shared-number.ts';
import { stateOf } from '../shell/case-task.ts';
import { perform, type Shell } from '../shell/perform.ts';
import { isPlainWrite } from '../talk/index.ts';
import { tellRewritten } from './changed-request.ts';

/** @throws FhirError 422 for a request put out of force under an open case. */
export async function requestRewritten(
  shell: Shell,
  tx: FhirTransaction,
  before: ServiceRequest,
  after: ServiceRequest,
): Promise<void> {
  if (!isPlainWrite(tx.context.interaction) || before.id === undefined) return;
  const task = await caseOf(tx, before.id);
  const state = task && stateOf(task);
  if (task === undefined || state === undefined || state === 'draft' || stateDefinition(state)?.final) return;
  // A case cancelled by a plain update takes its request along.
  const withCase = tx.changes.some(({ type, id }) => type === 'Task' && id === task.id);
  if (before.status !== after.status && outOfForce.includes(after.status) && !withCase)
    throw FhirError.of(422, [
      {
        severity: 'error',
        code: 'business-rule',
        details: {
          text: 'Une demande s’annule par son dossier ($cancel, $ask-cancellation) : ceux qui y travaillent l’apprennent.',
        },
        diagnostics: 'a request with an open case is cancelled by the operations of the case',
        expression: ['ServiceRequest.status'],
      },
    ]);
  await tellRewritten(tx, task, before, after);
  // What the act owes is looked up again at the signature; of a signed report it is asked for now (WF-8).
  if (signedStates.includes(state)) await perform(shell, tx, task.id, { event: 'settle', bySystem: true });
}

const outOfForce: readonly ServiceRequest['status'][] = ['revoked', 'entered-in-error', 'on-hold', 'completed'];
