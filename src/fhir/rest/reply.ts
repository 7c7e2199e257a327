/** An `Answer` or a failure as an HTTP response (https://hl7.org/fhir/R4/http.html#general). */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { OperationAnswer } from '../contract.ts';
import { parseJson, stringifyJson } from '../json/index.ts';
import { stringifyXml } from '../xml/index.ts';
import { rawAnswerOf } from './binary.ts';
import type { Answer, Call } from './call.ts';
import { etagOf } from './conditions.ts';
import { acceptedEncoding, compress, compressedFromBytes, compressStream } from './content-encoding.ts';
import type { Failure } from './errors.ts';
import { contentTypes, type Format, mediaType } from './negotiation.ts';

/**
 * What a handler returns: the text to send, or the reply itself where something was sent already. A reply is waited for until its last byte is
 * gone, and listens for that; a text is not.
 */
export type Sent = FastifyReply | string | Buffer;

export interface Presentation {
  format: Format | 'raw';
  isPretty: boolean;
  /** A browser asks, which saves XML of a type it does not know instead of showing it. */
  isBrowser: boolean;
  /** Makes the page of a resource, JSON text given, or of an answer without one. */
  page(status: number, body: string | undefined): string;
}

/** What is worth compressing; images and PDF are compressed already. */
const compressible = /^(?:text\/|application\/(?:.*\+)?(?:json|xml|ndjson)$)/;

/** A text of the usual size at once: nothing has to be waited for. */
export function sendAnswer(
  reply: FastifyReply,
  answer: Answer,
  call: Call,
  presentation: Presentation,
): Sent | Promise<Sent> {
  const { format, page } = presentation;
  const { status, version, isWrite } = answer;
  reply.code(status);
  if (version && format !== 'html') {
    reply.header('ETag', etagOf(version.versionId)).header('Last-Modified', version.updated.toUTCString());
    if (isWrite) reply.header('Location', `${call.base}/${version.type}/${version.id}/_history/${version.versionId}`);
  }
  // Kept by the caller alone, and only to be asked about again; a page is for the moment.
  reply.header('Cache-Control', format === 'html' ? 'no-store' : 'private, no-cache').header('Vary', 'Accept');
  if (answer.headers) reply.headers(answer.headers);
  if (answer.content) return sendContent(reply, answer.content);
  const raw = format === 'raw' ? rawAnswerOf(answer) : undefined;
  if (raw) return reply.headers(raw.headers).type(raw.contentType).send(raw.data);
  const body = status === 304 ? undefined : bodyOf(answer, call);
  if (format === 'html') return sendText(reply, contentTypes.html, page(status, body));
  if (body === undefined) return reply.send();
  return sendWritten(reply, body, presentation);
}

export function sendFailure(
  reply: FastifyReply,
  { status, outcome }: Failure,
  presentation: Presentation,
): Sent | Promise<Sent> {
  if (status === 401) reply.header('WWW-Authenticate', 'Bearer');
  reply.code(status).header('Cache-Control', 'no-store').header('Vary', 'Accept');
  const body = JSON.stringify(outcome);
  if (presentation.format === 'html') return sendText(reply, contentTypes.html, presentation.page(status, body));
  return sendWritten(reply, body, presentation);
}

export function sendPage(reply: FastifyReply, page: string): Sent | Promise<Sent> {
  return sendText(reply.header('Cache-Control', 'no-store').header('Vary', 'Accept'), contentTypes.html, page);
}

/** JSON text in the format asked for: as it is stored, where that will do. */
function sendWritten(
  reply: FastifyReply,
  body: string,
  { format, isPretty, isBrowser }: Presentation,
): Sent | Promise<Sent> {
  if (format === 'xml') {
    const type = isBrowser ? 'text/plain; charset=utf-8' : contentTypes.xml;
    return sendText(reply, type, stringifyXml(parseJson(body), isPretty));
  }
  return sendText(reply, contentTypes.json, isPretty ? stringifyJson(parseJson(body) as object, 2) : body);
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

function sendText(reply: FastifyReply, contentType: string, text: string): Sent | Promise<Sent> {
  reply.type(contentType);
  return text.length < compressedFromBytes ? text : encoded(reply, text);
}

async function sendContent(
  reply: FastifyReply,
  { type, body }: NonNullable<OperationAnswer['content']>,
): Promise<Sent> {
  reply.type(type);
  if (!compressible.test(mediaType(type) ?? '')) return reply.send(body);
  if (!(body instanceof Readable))
    return reply.send(body.length < compressedFromBytes ? body : await encoded(reply, body));
  const encoding = encodingFor(reply);
  return reply.send(encoding ? compressStream(body, encoding) : body);
}

async function encoded(reply: FastifyReply, data: string | Buffer): Promise<string | Buffer> {
  const encoding = encodingFor(reply);
  return encoding ? compress(data, encoding) : data;
}

/** Tells in the headers that the answer depends on what the caller takes, and which coding it is in. */
function encodingFor(reply: FastifyReply): 'br' | 'gzip' | undefined {
  reply.header('Vary', 'Accept, Accept-Encoding');
  const encoding =
    reply.request.method === 'HEAD' ? undefined : acceptedEncoding(reply.request.headers['accept-encoding']);
  if (encoding) reply.header('Content-Encoding', encoding);
  return encoding;
}
