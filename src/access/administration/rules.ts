/**
 * What an administrator may do to accounts (SE-2, SE-4): manage them without seeing medical data, and without giving themselves more
 * than they have. Pure; the sentences are for the person at the page.
 */
import { FhirError } from '../../fhir/index.ts';
import type { Account } from '../accounts.ts';

/** Roles of machines, of the demonstration and of the platform itself: no person has them. */
const notOfPeople: readonly string[] = ['ris', 'pacs', 'conformance', 'directory-reader'];

export function isRoleOfPeople(role: string): boolean {
  return !notOfPeople.includes(role);
}

/** Why these roles cannot be one person's; undefined when they can. */
export function rolesProblem(roles: readonly string[], isRole: (role: string) => boolean): string | undefined {
  if (roles.length === 0) return 'Un compte a au moins un rôle.';
  const wrong = roles.find((role) => !isRole(role) || !isRoleOfPeople(role));
  if (wrong !== undefined) return `Le rôle « ${wrong.slice(0, 40)} » n’est pas celui d’une personne.`;
  // Who manages accounts neither reads patients' data nor the trail of what they do.
  if (roles.includes('administrator') && new Set(roles).size > 1) {
    return 'Le rôle d’administrateur ne se cumule avec aucun autre.';
  }
  return undefined;
}

/** @throws FhirError 403, 404. */
export function checkTarget(
  caller: Pick<Account, 'tenant' | 'login'>,
  target: Account | undefined,
): asserts target is Account {
  if (!target || target.tenant !== caller.tenant) throw told(404, 'not-found', 'Ce compte n’existe pas.');
  // Nobody raises their own rights, and the last administrator cannot shut themselves out.
  if (target.login === caller.login) {
    throw told(403, 'forbidden', 'Un administrateur ne modifie pas son propre compte : demandez-le à un autre.');
  }
}

/** An error whose sentence the page shows. */
export function told(
  status: number,
  code: 'not-found' | 'forbidden' | 'conflict' | 'invalid',
  text: string,
): FhirError {
  return FhirError.of(status, [{ severity: 'error', code, diagnostics: text, details: { text } }]);
}
