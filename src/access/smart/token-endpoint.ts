/** `POST /oauth2/token` (RFC 6749 §3.2): machines with `client_credentials`, apps with `authorization_code` and `refresh_token`. */
import type { FastifyRequest } from 'fastify';
import { issueAppTokens } from './app-token.ts';
import type { ProvenClient } from './client-proof.ts';
import { type Form, required } from './form.ts';
import { type Grant, type Refused, redeemCode, redeemRefreshToken } from './grants.ts';
import { issueMachineToken } from './machine-token.ts';
import { OAuthError } from './oauth-error.ts';
import { clientOf, type OAuthService } from './service.ts';
import type { TokenAnswer } from './token-answer.ts';

const interaction = 'oauth2:token';
/** RFC 7636 §4.1. */
const verifierSyntax = /^[A-Za-z0-9._~-]{43,128}$/;

/** An answer, and who will act with it. */
interface Issued {
  answer: TokenAnswer;
  tenant: string;
  login: string;
}

export async function answerToken(service: OAuthService, request: FastifyRequest, form: Form): Promise<TokenAnswer> {
  const proven = await clientOf(service, request, form, interaction);
  const { client } = proven;
  try {
    const { answer, tenant, login } = await issue(service, proven, form);
    await tell(service, request, proven, { tenant, login, outcome: 'success', scopes: answer.scope.split(' ') });
    return answer;
  } catch (error) {
    if (error instanceof OAuthError) {
      await tell(service, request, proven, {
        ...{ tenant: client.tenant, login: client.id },
        outcome: 'refused',
        reason: error.reason,
      });
    }
    throw error;
  }
}

function issue(service: OAuthService, proven: ProvenClient, form: Form): Promise<Issued> {
  switch (required(form, 'grant_type')) {
    case 'client_credentials':
      return forMachine(service, proven, form);
    case 'authorization_code':
      return forCode(service, proven, form);
    case 'refresh_token':
      return forRefreshToken(service, proven, form);
    default:
      throw new OAuthError('unsupported_grant_type', 'Use client_credentials, authorization_code or refresh_token');
  }
}

async function forMachine({ database, clock }: OAuthService, proven: ProvenClient, form: Form): Promise<Issued> {
  const answer = await issueMachineToken(database, proven, form.get('scope'), clock.now());
  return { answer, tenant: proven.client.tenant, login: proven.client.id };
}

async function forCode(service: OAuthService, proven: ProvenClient, form: Form): Promise<Issued> {
  const { database, clock } = service;
  const now = clock.now();
  const verifier = required(form, 'code_verifier');
  if (!verifierSyntax.test(verifier)) throw new OAuthError('invalid_grant', 'The code verifier is malformed');
  const presented = {
    code: required(form, 'code'),
    clientId: appOf(proven),
    redirectUri: required(form, 'redirect_uri'),
    verifier,
  };
  return accepted(
    service,
    await redeemCode(database, presented, now, async (sql, grant) => ({
      answer: await issueAppTokens(service, sql, proven, grant, { now }),
      ...whoseOf(grant),
    })),
  );
}

async function forRefreshToken(service: OAuthService, proven: ProvenClient, form: Form): Promise<Issued> {
  const { database, clock } = service;
  const now = clock.now();
  const narrowed = form.get('scope');
  const presented = { token: required(form, 'refresh_token'), clientId: appOf(proven) };
  return accepted(
    service,
    await redeemRefreshToken(database, presented, now, async (sql, grant) => ({
      answer: await issueAppTokens(service, sql, proven, grant, {
        now,
        ...(narrowed === undefined ? {} : { narrowed }),
      }),
      ...whoseOf(grant),
    })),
  );
}

function appOf({ client }: ProvenClient): string {
  if (client.kind === 'backend') throw new OAuthError('unauthorized_client', 'A machine acts for itself only');
  return client.id;
}

function whoseOf({ tenant, login }: Grant) {
  return { tenant, login };
}

function accepted(service: OAuthService, result: Issued | Refused): Issued {
  if ('answer' in result) return result;
  if (result.refused === 'reused') service.forgetTokens();
  throw new OAuthError('invalid_grant', 'The code or token is not valid', `${result.refused} code or refresh token`);
}

async function tell(
  { database, trail }: OAuthService,
  request: FastifyRequest,
  { client }: ProvenClient,
  act: { tenant: string; login: string; outcome: 'success' | 'refused'; scopes?: string[]; reason?: string },
): Promise<void> {
  const { tenant, login, ...said } = act;
  const { rows } = await database.query<{
    kind: 'person' | 'machine';
    reference: string;
    display: string;
    roles: string[];
  }>(tenant, 'SELECT kind, reference, display, roles FROM account WHERE tenant = $1 AND login = $2', [tenant, login]);
  const account = rows[0];
  const actor = account && { ...account, account: login };
  await trail.tell(request, { kind: 'token-issue', interaction, tenant, actor, clientId: client.id, ...said });
}
