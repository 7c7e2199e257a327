/** Who must give a second factor to sign in, beside administrators and support, who always do (SE-2). */
import { ConfigError } from './config-error.ts';
import { type Environment, given, listed } from './variables.ts';

const roleSyntax = /^[a-z][a-z-]{1,40}$/;

/**
 * `SECOND_FACTOR_ROLES`: names of roles separated by commas, or `all`; nobody else when empty.
 * @throws ConfigError
 */
export function secondFactorRoles(env: Environment): readonly string[] | 'all' {
  if (given(env, 'SECOND_FACTOR_ROLES') === 'all') return 'all';
  const roles = listed(env, 'SECOND_FACTOR_ROLES');
  const wrong = roles.find((role) => !roleSyntax.test(role));
  if (wrong !== undefined) {
    throw new ConfigError(
      `SECOND_FACTOR_ROLES : « ${wrong} » n’est pas un rôle ; donnez des noms séparés par des virgules, ou all.`,
    );
  }
  return roles;
}
