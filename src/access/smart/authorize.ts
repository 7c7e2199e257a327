/**
 * `GET` and `POST /oauth2/authorize` (RFC 6749 §3.1): an app sends the browser here. The session cookie does not come along from another
 * site (SameSite=Strict), so nothing is asked of it: the answer is a page of ours that goes on to the consent by itself.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerAddress, type ReturnAddress, readAuthorizationRequest, returnAddress } from './authorization-request.ts';
import { findClient } from './client.ts';
import type { Form } from './form.ts';
import { OAuthError } from './oauth-error.ts';
import { escapeHtml, sendPage } from './page.ts';
import { fhirUrlOf, type OAuthService } from './service.ts';

export const authorizeInteraction = 'oauth2:authorize';

export async function answerAuthorize(
  service: OAuthService,
  request: FastifyRequest,
  reply: FastifyReply,
  form: Form,
): Promise<FastifyReply> {
  const read = await readRequest(service, request, reply, form);
  if (read === undefined) return reply;
  // Nobody is asked anything without a page (OpenID Connect Core §3.1.2.1).
  if (form.get('prompt') === 'none') {
    return sendBack(service, request, reply, read.address, new OAuthError('login_required', 'A person must be asked'));
  }
  const target = `/oauth2/consent?${new URLSearchParams([...form])}`;
  return sendPage(reply, 200, {
    title: 'Autorisation',
    head: `<meta http-equiv="refresh" content="0;url=${escapeHtml(target)}">`,
    body: `<p><a href="${escapeHtml(target)}">Continuer</a></p>`,
  });
}

/** The request as understood; undefined when the answer was sent: to the app, or on a page where no app is certain. */
export async function readRequest(service: OAuthService, request: FastifyRequest, reply: FastifyReply, form: Form) {
  let address: ReturnAddress;
  try {
    address = await returnAddress(form, (id) => findClient(service.database, id));
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    await refuseOnPage(service, request, reply, error);
    return undefined;
  }
  try {
    return { address, wanted: readAuthorizationRequest(form, address, fhirUrlOf(service.baseUrl())) };
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    await sendBack(service, request, reply, address, error);
    return undefined;
  }
}

/** RFC 6749 §4.1.2.1: the app is told, and so is the trail. */
export async function sendBack(
  service: OAuthService,
  request: FastifyRequest,
  reply: FastifyReply,
  address: ReturnAddress,
  error: OAuthError,
): Promise<FastifyReply> {
  const { client } = address;
  await service.trail.tell(request, {
    ...{ kind: 'token-issue', interaction: authorizeInteraction, outcome: 'refused' },
    ...{ tenant: client.tenant, clientId: client.id, reason: error.reason },
  });
  const answer = { error: error.code, error_description: error.message };
  return reply.redirect(answerAddress(address, service.baseUrl(), answer), 303);
}

async function refuseOnPage(
  { trail }: OAuthService,
  request: FastifyRequest,
  reply: FastifyReply,
  { reason }: OAuthError,
): Promise<FastifyReply> {
  await trail.tell(request, { kind: 'token-issue', interaction: authorizeInteraction, outcome: 'refused', reason });
  return sendPage(reply, 400, {
    title: 'Demande refusée',
    body: '<p>Cette application n’est pas enregistrée ici, ou sa demande est incorrecte. Prévenez son éditeur.</p>',
  });
}
