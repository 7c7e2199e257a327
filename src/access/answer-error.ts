/** Errors of the routes for people as their browsers get them: a code and a French sentence, nothing of the inside. */
import type { FastifyReply } from 'fastify';
import { FhirError } from '../fhir/index.ts';

/** An answer for people: a code for programs and a French sentence. */
export function answer(reply: FastifyReply, status: number, error: string, message: string): FastifyReply {
  return reply.code(status).send({ error, message });
}

/** A guess comes too soon after those that failed. */
export function answerTooEarly(reply: FastifyReply, retryAfterSeconds: number): FastifyReply {
  reply.header('retry-after', String(retryAfterSeconds));
  return answer(reply, 429, 'too_many_attempts', `Trop de tentatives : réessayez dans ${retryAfterSeconds} s.`);
}

const sentences: Readonly<Record<number, readonly [code: string, sentence: string]>> = {
  404: ['not_found', 'Cet élément n’existe pas.'],
  409: ['conflict', 'Impossible dans l’état actuel du compte.'],
};

export function answerError(
  error: unknown,
  request: { log: { error(object: object, message: string): void } },
  reply: FastifyReply,
): FastifyReply {
  if (error instanceof FhirError) {
    if (error.status === 429) return answer(reply, 429, 'too_many_requests', 'Trop de demandes : réessayez.');
    if (error.status === 401) {
      reply.header('www-authenticate', 'Bearer');
      return answer(reply, 401, 'login_required', 'Connectez-vous.');
    }
    const said = error.outcome.issue[0]?.details?.text;
    if (error.status === 403) return answer(reply, 403, 'refused', said ?? 'Action refusée.');
    const known = sentences[error.status];
    if (known) return answer(reply, error.status, known[0], said ?? known[1]);
  }
  const { statusCode, name } = error as { statusCode?: number; name?: string };
  if (statusCode && statusCode >= 400 && statusCode < 500) {
    return answer(reply, statusCode, 'invalid_request', 'La demande n’a pas la forme attendue.');
  }
  request.log.error(
    { error: name, ...(error instanceof FhirError ? { status: error.status } : {}) },
    'sign-in routes failed',
  );
  return answer(reply, 503, 'unavailable', 'Service momentanément indisponible.');
}
