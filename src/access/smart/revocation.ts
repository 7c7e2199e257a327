/** `POST /oauth2/revoke` (RFC 7009): a client gives up a token of its own. What it does not have is answered alike. */
import type { FastifyRequest } from 'fastify';
import { type Form, required } from './form.ts';
import { revokeRefreshToken } from './grants.ts';
import { clientOf, type OAuthService } from './service.ts';
import { revokeToken } from './tokens.ts';

const interaction = 'oauth2:revoke';

export async function answerRevocation(service: OAuthService, request: FastifyRequest, form: Form): Promise<void> {
  const { client } = await clientOf(service, request, form, interaction);
  const secret = required(form, 'token');
  const { database, trail } = service;
  const ended =
    (await revokeToken(database, secret, client.id)) ?? (await revokeRefreshToken(database, secret, client.id));
  if (!ended) return;
  service.forgetTokens();
  const { tenant, login } = ended;
  const actor = { reference: '', display: login, account: login, kind: 'person', roles: [] } as const;
  await trail.tell(request, { kind: 'token-end', interaction, outcome: 'success', tenant, actor, clientId: client.id });
}
