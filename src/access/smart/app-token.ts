/** Access tokens of apps: what a person consented to, in that person's name (RFC 6749 §4.1.3, §6; SMART App Launch 2.2). */
import type { Sql } from '../../db/index.ts';
import type { Actor } from '../../fhir/index.ts';
import type { ProvenClient } from './client-proof.ts';
import { type Grant, issueRefreshToken } from './grants.ts';
import { type IdTokenRooms, idToken } from './id-token.ts';
import { OAuthError } from './oauth-error.ts';
import { commonScopes, readScopes, writeScope } from './scopes.ts';
import type { TokenAnswer } from './token-answer.ts';
import { issueToken } from './tokens.ts';

/**
 * Issues the tokens of a consent; runs in the transaction that used the code or the refresh token.
 * @param narrowed scopes asked for at a refresh: what is left of the consent, never more.
 * @throws OAuthError invalid_grant when the account is shut off, invalid_scope.
 */
export async function issueAppTokens(
  rooms: IdTokenRooms,
  sql: Sql,
  { client, thumbprint }: ProvenClient,
  grant: Grant,
  options: { now: Date; narrowed?: string },
): Promise<TokenAnswer> {
  const { now, narrowed } = options;
  const { tenant, launch, grantId, login } = grant;
  const actor = await actorOf(sql, tenant, login);
  if (!actor) throw new OAuthError('invalid_grant', 'The person cannot sign in any more', 'the account is shut off');
  // The operator may have taken scopes from the client since the consent.
  const consented = commonScopes(readScopes(grant.scopes), readScopes(client.scopes), ['user', 'patient']);
  const scopes = narrowed === undefined ? consented : narrow(consented, narrowed);
  if (scopes.length === 0) throw new OAuthError('invalid_scope', 'Nothing is left of what was consented to');
  const list = scopes.map(writeScope);
  const seconds = client.accessSeconds;
  const token = await issueToken(
    sql,
    client,
    { tenant, login, scopes: list, launch, grantId, ...(thumbprint ? { thumbprint } : {}) },
    now,
  );
  return {
    access_token: token,
    token_type: 'Bearer',
    expires_in: seconds,
    scope: list.join(' '),
    ...(scopes.includes('offline_access') ? { refresh_token: await issueRefreshToken(sql, grant, now) } : {}),
    ...(scopes.includes('openid') ? { id_token: await idToken(rooms, grant, actor, now, seconds) } : {}),
    ...(launch.patient === undefined ? {} : { patient: launch.patient, need_patient_banner: true }),
    ...(launch.task === undefined ? {} : { fhirContext: [{ reference: `Task/${launch.task}` }] }),
    ...(launch.intent === undefined ? {} : { intent: launch.intent }),
  };
}

/** RFC 6749 §6: a scope that was not granted before is refused, not left out. */
function narrow(consented: ReturnType<typeof readScopes>, asked: string) {
  const names = new Set(consented.map(writeScope));
  const wanted = readScopes(asked.split(' '));
  const isWithin = wanted.every((scope) => {
    const [common, ...more] = commonScopes([scope], consented, ['user', 'patient']);
    return (
      common !== undefined &&
      more.length === 0 &&
      (names.has(writeScope(scope)) || writeScope(common) === writeScope(scope))
    );
  });
  if (!isWithin || wanted.length < new Set(asked.split(' ')).size) {
    throw new OAuthError('invalid_scope', 'A refresh cannot ask for more than was consented to');
  }
  // What keeps the consent alive stays: the successor of a refresh token is not the app's to give up by silence.
  return consented.includes('offline_access') && !wanted.includes('offline_access')
    ? [...wanted, 'offline_access' as const]
    : wanted;
}

async function actorOf(sql: Sql, tenant: string, login: string): Promise<Actor | undefined> {
  const { rows } = await sql.query<{ kind: Actor['kind']; reference: string; display: string; roles: string[] }>(
    'SELECT kind, reference, display, roles FROM account WHERE tenant = $1 AND login = $2 AND NOT disabled',
    [tenant, login],
  );
  return rows[0] && { ...rows[0], account: login };
}
