/** Who may write the register of readers and the rotas, beyond what the policy of their role says. */
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';

/** Somebody bound to establishments decides for these only. @throws FhirError 403 */
export function requireMember({ context }: Pick<FhirTransaction, 'context'>, establishmentId: string): void {
  const { actor, establishments = [] } = context;
  if (actor.kind === 'system' || establishments.length === 0 || establishments.includes(establishmentId)) return;
  throw refusal(
    403,
    'forbidden',
    'Not an establishment of this account',
    'Cet établissement n’est pas l’un des vôtres.',
  );
}

/** Keeps the register: who recorded a certificate or excluded a reader must be answerable for it. */
const keepers: readonly string[] = ['administrator', 'coordinator', 'conformance', 'system'];

export function keepsRegister({ context: { actor } }: Pick<FhirTransaction, 'context'>): boolean {
  return actor.kind === 'system' || actor.roles.some((role) => keepers.includes(role));
}

/** A refusal with its English reason and its French sentence. */
export function refusal(
  status: 403 | 404 | 409 | 422,
  code: 'forbidden' | 'not-found' | 'conflict' | 'business-rule' | 'invalid',
  diagnostics: string,
  text: string,
  expression?: string,
): FhirError {
  return FhirError.of(status, [
    { severity: 'error', code, diagnostics, details: { text }, ...(expression ? { expression: [expression] } : {}) },
  ]);
}
