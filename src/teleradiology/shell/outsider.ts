/**
 * Whoever sees a case only because it was opened in an emergency reads it and does nothing more with it: a claim, say, would make them take
 * part, and keep the case in their sight after the emergency (SE-4).
 */
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import type { CaseTask } from './case-task.ts';

/** @throws FhirError 403 for people whose establishments do not include the case's, unless they own it. */
export function refuseOutsider({ context }: Pick<FhirTransaction, 'context'>, task: CaseTask): void {
  const { actor, establishments = [] } = context;
  const establishment = /^Organization\/(.+)$/.exec(task.requester?.reference ?? '')?.[1];
  if (actor.kind !== 'person' || establishments.length === 0 || establishment === undefined) return;
  if (establishments.includes(establishment) || task.owner?.reference === actor.reference) return;
  throw FhirError.of(403, [
    {
      severity: 'error',
      code: 'forbidden',
      details: { text: "Ce dossier est d'un établissement qui ne vous a pas accepté : vous ne pouvez que le lire." },
      diagnostics: 'The case is of an establishment that did not accept this person: it can only be read',
      expression: ['Task.requester'],
    },
  ]);
}
