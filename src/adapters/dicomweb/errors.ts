/** PS3.18 §8.5: what goes wrong, as an HTTP status and a JSON body that a person can read; never a stack, never patient data. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { DatabaseAway, isShortOfMeans, OutcomeUnknown } from '../../db/index.ts';
import { FhirError } from '../../fhir/index.ts';
import { QueryError } from '../../imaging/index.ts';

/** A request that is answered by a status and a French sentence. */
export class DicomwebError extends Error {
  override name = 'DicomwebError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

const retryAfterSeconds = '30';
/** The disk is full, or over quota: the sender keeps the images and comes back. */
const fullDisk: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);

/** Answers any error thrown by a handler. */
export function answerError(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): void {
  const { status, message, headers } = described(error);
  if (status >= 500) request.log.error({ err: error }, 'dicomweb request failed');
  for (const [name, value] of Object.entries(headers)) reply.header(name, value);
  reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify({ status, message }));
}

function described(error: FastifyError | Error): {
  status: number;
  message: string;
  headers: Readonly<Record<string, string>>;
} {
  if (error instanceof DicomwebError) return error;
  if (error instanceof QueryError) return { status: 400, message: error.message, headers: {} };
  if (error instanceof FhirError) {
    if (error.status === 409) return { status: 503, message: error.message, headers: { 'retry-after': '1' } };
    return {
      status: error.status,
      message: error.message,
      headers: error.status === 401 ? { 'www-authenticate': 'Bearer' } : {},
    };
  }
  if (fullDisk.has((error as NodeJS.ErrnoException).code)) {
    return {
      status: 503,
      message: "L'espace de stockage est épuisé : rien n'a été enregistré, renvoyez plus tard.",
      headers: { 'retry-after': retryAfterSeconds },
    };
  }
  // Sending the same again is safe in every case: what is stored already is known by its bytes.
  if (error instanceof OutcomeUnknown)
    return {
      status: 503,
      message: "La base de données a été perdue pendant l'enregistrement : on ne sait pas s'il a eu lieu. Renvoyez.",
      headers: { 'retry-after': retryAfterSeconds },
    };
  if (error instanceof DatabaseAway || isShortOfMeans(error))
    return {
      status: 503,
      message: "La base de données ne répond pas : rien n'a été enregistré, renvoyez plus tard.",
      headers: { 'retry-after': retryAfterSeconds },
    };
  const status = (error as FastifyError).statusCode;
  if (status !== undefined && status >= 400 && status < 500) return { status, message: error.message, headers: {} };
  return { status: 500, message: 'Erreur interne : la requête a été consignée.', headers: {} };
}
