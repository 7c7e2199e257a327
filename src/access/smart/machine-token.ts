/** Access tokens of machines (RFC 6749 §4.4; SMART Backend Services, https://hl7.org/fhir/smart-app-launch/backend-services.html). */
import type { Database } from '../../db/index.ts';
import type { ProvenClient } from './client-proof.ts';
import { OAuthError } from './oauth-error.ts';
import { commonScopes, readScopes, writeScope } from './scopes.ts';
import type { TokenAnswer } from './token-answer.ts';
import { issueToken } from './tokens.ts';

/** Scopes asked for at once; nobody needs one per type and right. */
export const longestScopeList = 4_000;

/** @throws OAuthError unauthorized_client, invalid_scope. */
export async function issueMachineToken(
  database: Database,
  { client, thumbprint }: ProvenClient,
  asked: string | undefined,
  now: Date,
): Promise<TokenAnswer> {
  if (client.kind !== 'backend') throw new OAuthError('unauthorized_client', 'This client acts for people only');
  if (asked !== undefined && asked.length > longestScopeList) {
    throw new OAuthError('invalid_scope', 'The list of scopes is too long');
  }
  const granted = readScopes(client.scopes);
  const wanted = asked === undefined ? granted : readScopes(asked.split(' '));
  const scopes = commonScopes(wanted, granted, ['system']).map(writeScope);
  if (scopes.length === 0) throw new OAuthError('invalid_scope', 'None of these scopes is granted to the client');
  const { tenant, id, accessSeconds } = client;
  const token = await database.transaction(tenant, (sql) =>
    issueToken(sql, client, { tenant, login: id, scopes, launch: {}, ...(thumbprint ? { thumbprint } : {}) }, now),
  );
  return { access_token: token, token_type: 'Bearer', expires_in: accessSeconds, scope: scopes.join(' ') };
}
