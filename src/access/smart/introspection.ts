/**
 * `POST /oauth2/introspect` (RFC 7662): what a token is good for. Only a client asks, and only about its own tokens; a machine also about
 * any of its tenant, since it may serve what others ask for. Everything else is answered as if there were no such token.
 */
import type { FastifyRequest } from 'fastify';
import type { Client } from './client.ts';
import { type Form, required } from './form.ts';
import { findRefreshToken } from './grants.ts';
import { subjectOf } from './id-token.ts';
import { OAuthError } from './oauth-error.ts';
import { clientOf, fhirUrlOf, type OAuthService } from './service.ts';
import { type ActiveToken, findToken } from './tokens.ts';

const interaction = 'oauth2:introspect';
const inactive = { active: false } as const;

export async function answerIntrospection(
  service: OAuthService,
  request: FastifyRequest,
  form: Form,
): Promise<Readonly<Record<string, unknown>>> {
  const { client, method } = await clientOf(service, request, form, interaction);
  // A public client cannot prove who it is: it could be anybody who found a token.
  if (method === 'none') {
    await service.trail.tell(request, {
      ...{ kind: 'token-issue', interaction, outcome: 'refused', reason: 'a public client asks about a token' },
      ...{ tenant: client.tenant, clientId: client.id },
    });
    throw new OAuthError('unauthorized_client', 'A public client cannot ask about tokens');
  }
  const secret = required(form, 'token');
  const now = service.clock.now();
  const token = await findToken(service.database, secret, now);
  if (token) return mayAsk(client, token) ? describe(service, token) : inactive;
  const refresh = await findRefreshToken(service.database, secret, now);
  if (!refresh || refresh.clientId !== client.id) return inactive;
  return {
    active: true,
    client_id: refresh.clientId,
    scope: refresh.scopes.join(' '),
    sub: subjectOf(refresh),
    exp: seconds(refresh.expiresAt),
    token_type: 'refresh_token',
  };
}

function mayAsk(client: Client, token: ActiveToken): boolean {
  return token.clientId === client.id || (client.kind === 'backend' && token.tenant === client.tenant);
}

/** SMART App Launch 2.2 §Token introspection: launch context and `fhirUser` beside what RFC 7662 lists. */
function describe({ baseUrl }: OAuthService, token: ActiveToken): Readonly<Record<string, unknown>> {
  const { clientId, scopes, login, launch, thumbprint, issuedAt, expiresAt, actor } = token;
  return {
    active: true,
    client_id: clientId,
    scope: scopes.join(' '),
    username: login,
    sub: subjectOf(token),
    iss: baseUrl(),
    aud: fhirUrlOf(baseUrl()),
    iat: seconds(issuedAt),
    exp: seconds(expiresAt),
    token_type: 'Bearer',
    ...(launch.patient === undefined ? {} : { patient: launch.patient }),
    ...(launch.intent === undefined ? {} : { intent: launch.intent }),
    ...(scopes.includes('fhirUser') ? { fhirUser: `${fhirUrlOf(baseUrl())}/${actor.reference}` } : {}),
    ...(thumbprint === undefined ? {} : { cnf: { 'x5t#S256': thumbprint.toString('base64url') } }),
  };
}

function seconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}
