/** PS3.18 §10.5: STOW-RS. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RouteParameters } from './addresses.ts';
import { targetOf } from './addresses.ts';
import { DicomwebError } from './errors.ts';
import { parseMediaTypes } from './media-type.ts';
import { MultipartError, readParts } from './multipart-reader.ts';
import { dicomJson, dicomType, requireJson } from './negotiation.ts';
import type { Service } from './service.ts';
import { storeAnswer } from './store-answer.ts';

/** A sender that stops sending is not waited for longer than this. */
const idleMs = 120_000;

export function storeRoutes(app: FastifyInstance, { imaging, access, url }: Service): void {
  for (const path of ['/studies', '/studies/:study']) {
    app.post<{ Params: RouteParameters }>(path, async (request, reply) => {
      const context = await access.identify(request, 'dicomweb:stow');
      await access.mayStore(context);
      requireJson(request);
      const expected = request.params.study === undefined ? {} : { studyUid: targetOf(request.params).studyUid };
      const parts = partsOf(request);
      const body = request.body as Readable;
      request.raw.setTimeout(idleMs, () => body.destroy(new Error('the sender stopped sending')));
      try {
        const stored = await imaging.store(context, parts, expected);
        if (stored.length === 0) throw new DicomwebError(400, 'Le corps ne contient aucune instance.');
        await access.told(context, stored);
        const { status, body: answer } = storeAnswer(stored, url(request));
        return reply.code(status).type(dicomJson).send(JSON.stringify(answer));
      } catch (error) {
        if (error instanceof MultipartError) {
          throw new DicomwebError(400, `Le corps multipart est illisible, rien n'a été enregistré : ${error.message}.`);
        }
        throw error;
      } finally {
        request.raw.setTimeout(0);
      }
    });
  }
}

/** The DICOM files of a body. @throws DicomwebError 415 for a body of another kind. */
function partsOf(request: FastifyRequest): AsyncIterable<Readable> {
  const contentType = parseMediaTypes(request.headers['content-type'])[0];
  const body = request.body as Readable | undefined;
  if (!body || !contentType) throw new DicomwebError(400, 'Le corps de la requête est vide.');
  // Compressed octets would be refused as unreadable DICOM, which tells the sender to give up instead of sending them plain.
  const coding = request.headers['content-encoding'] ?? 'identity';
  if (coding.trim().toLowerCase() !== 'identity')
    throw new DicomwebError(415, 'Le dépôt attend un corps sans Content-Encoding.', { 'accept-encoding': 'identity' });
  if (contentType.type === dicomType) return single(body);
  if (contentType.type !== 'multipart/related') throw unsupported();
  const type = contentType.parameters.type?.toLowerCase();
  if (type !== undefined && type !== dicomType) throw unsupported();
  const { boundary } = contentType.parameters;
  if (!boundary) throw new DicomwebError(400, 'Content-Type ne donne pas de paramètre boundary.');
  return readables(body, boundary);
}

async function* single(body: Readable): AsyncGenerator<Readable> {
  yield body;
}

async function* readables(body: Readable, boundary: string): AsyncGenerator<Readable> {
  for await (const part of readParts(body, boundary)) yield Readable.from(part.body, { objectMode: false });
}

function unsupported(): DicomwebError {
  return new DicomwebError(
    415,
    `Le dépôt attend multipart/related; type="${dicomType}", ou une seule instance en ${dicomType}.`,
    { accept: `multipart/related; type="${dicomType}", ${dicomType}` },
  );
}
