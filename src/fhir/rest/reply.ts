/** An `Answer` or a failure as an HTTP response (https://hl7.org/fhir/R4/http.html#general). */
import type { FastifyReply } from 'fastify';
import { parseJson, stringifyJson } from '../json/index.ts';
import { rawAnswerOf } from './binary.ts';
import type { Answer, Call } from './call.ts';
import { etagOf } from './conditions.ts';
import type { Failure } from './errors.ts';
import { fhirJsonUtf8 } from './negotiation.ts';

export interface Presentation {
  isRaw: boolean;
  isPretty: boolean;
}

/** Below this, compressing costs more than it saves. */
const compressedFromBytes = 4096;

export function sendAnswer(
  reply: FastifyReply,
  answer: Answer,
  call: Call,
  { isRaw, isPretty }: Presentation,
): FastifyReply {
  const { status, version, isWrite } = answer;
  if (version) {
    reply.header('ETag', etagOf(version.versionId)).header('Last-Modified', version.updated.toUTCString());
    if (isWrite) reply.header('Location', `${call.base}/${version.type}/${version.id}/_history/${version.versionId}`);
  }
  // Kept by the caller alone, and only to be asked about again.
  reply.header('Cache-Control', 'private, no-cache');
  if (answer.headers) reply.headers(answer.headers);
  if (answer.content) return reply.code(status).type(answer.content.type).send(answer.content.body);
  const raw = isRaw ? rawAnswerOf(answer) : undefined;
  if (raw) return reply.code(status).headers(raw.headers).type(raw.contentType).send(raw.data);
  const body = status === 304 ? undefined : bodyOf(answer, call);
  if (body === undefined) return reply.code(status).send();
  return sendJson(reply.code(status), isPretty ? stringifyJson(parseJson(body) as object, 2) : body);
}

/** `Prefer: return` decides what a write answers; the resource when nothing is preferred. */
function bodyOf({ body, isWrite, status }: Answer, { prefer }: Call): string | undefined {
  if (!isWrite || prefer.return === undefined || prefer.return === 'representation') return body;
  if (prefer.return === 'minimal') return undefined;
  const diagnostics = status === 201 ? 'created' : 'stored';
  return JSON.stringify({
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'informational', diagnostics }],
  });
}

export function sendFailure(reply: FastifyReply, { status, outcome }: Failure): FastifyReply {
  if (status === 401) reply.header('WWW-Authenticate', 'Bearer');
  reply.header('Cache-Control', 'no-store');
  return sendJson(reply.code(status), JSON.stringify(outcome));
}

function sendJson(reply: FastifyReply, body: string): FastifyReply {
  reply.type(fhirJsonUtf8);
  // The application may have registered compression; alone, this plugin does without.
  if (body.length < compressedFromBytes || typeof reply.compress !== 'function') return reply.send(body);
  reply.compress(body);
  return reply;
}
