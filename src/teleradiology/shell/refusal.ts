/** Turns a refusal of the machine into the error every adapter understands. */

import { FhirError } from '../../fhir/index.ts';
import { type Origin, type Refusal, stateDefinition } from '../case/index.ts';
import { codeSystem } from '../codes.ts';

/** 403, 409 or 422; the issue carries the guard's code, and names what is legal for this caller now. */
export function refusalError(refusal: Refusal, state: Origin): FhirError {
  const legal = refusal.legal().map((event) => `$${event}`);
  const code = refusal.status === 403 ? 'forbidden' : refusal.status === 409 ? 'conflict' : 'business-rule';
  return FhirError.of(refusal.status, [
    {
      severity: 'error',
      code,
      details: { coding: [{ system: codeSystem.caseGuard, code: refusal.guard }], text: refusal.text },
      diagnostics: `${refusal.text} État : ${stateDefinition(state)?.display ?? 'inexistant'}. Possible maintenant : ${legal.join(', ') || 'aucune'}.`,
      expression: ['Task.businessStatus'],
    },
  ]);
}
