/** Who must give a second factor to sign in, beside administrators and support, who always do (SE-2). */
import { ConfigError } from './config-error.ts';

const roleSyntax = /^[a-z][a-z-]{1,40}$/;

/**
 * `SECOND_FACTOR_ROLES`: names of roles separated by commas, or `all`; nobody else when empty.
 * @throws ConfigError
 */
export function secondFactorRoles(env: Record<string, string | undefined>): readonly string[] | 'all' {
  const value = env.SECOND_FACTOR_ROLES?.trim() ?? '';
  if (value === 'all') return 'all';
  const roles = value.split(',').flatMap((role) => role.trim() || []);
  const wrong = roles.find((role) => !roleSyntax.test(role));
  if (wrong !== undefined) {
    throw new ConfigError(
      `SECOND_FACTOR_ROLES : « ${wrong} » n’est pas un rôle ; donnez des noms séparés par des virgules, ou all.`,
    );
  }
  return roles;
}
