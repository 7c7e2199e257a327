/** PS3.18 §10.4 (metadata): headers as DICOM JSON, prepared when the instances were stored. */
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { bulkDataMark, type Target } from '../../imaging/index.ts';
import { instanceUrl, type RouteParameters, targetOf } from './addresses.ts';
import { gzipLevel, sendText, takesGzip } from './compressed.ts';
import { entityTag, matchesTag } from './entity-tag.ts';
import { DicomwebError } from './errors.ts';
import { dicomJson, requireJson } from './negotiation.ts';
import type { Service } from './service.ts';

/** Up to this many characters the answer is put together in memory, and has a length; larger ones are streamed. */
const inMemoryCharacters = 16 * 1024 * 1024;
/** Joined into one piece of the answer: the header of a CT image has 4,000, that of an enhanced object millions. */
const batchCharacters = 256 * 1024;

export function metadataRoutes(app: FastifyInstance, service: Service): void {
  for (const path of [
    '/studies/:study/metadata',
    '/studies/:study/series/:series/metadata',
    '/studies/:study/series/:series/instances/:instance/metadata',
  ]) {
    app.get<{ Params: RouteParameters }>(path, async (request, reply) => {
      const { access, url } = service;
      const context = await access.identify(request, 'dicomweb:wado');
      requireJson(request);
      const target = targetOf(request.params);
      const study = await access.mayRead(context, target.studyUid);
      // Changes with the study and with the address its bulk data is given under.
      const etag = entityTag(study.imagingStudyId, study.revision, url(request));
      reply
        .header('etag', etag)
        .header('cache-control', 'private, no-cache')
        .header('vary', 'accept-encoding')
        .type(dicomJson);
      if (matchesTag(request.headers['if-none-match'], etag)) return reply.code(304).send();
      const texts = metadataTexts(service, url(request), context.tenant, target);
      const first = await texts.next();
      if (first.done) throw new DicomwebError(404, "Cette ressource n'est pas disponible.");
      const all = arrayOf(first.value, texts);
      const gathered = await gather(all, inMemoryCharacters);
      if (gathered.whole) return sendText(request, reply, gathered.texts.join(''));
      const stream = Readable.from(afterThat(gathered.texts, all), { objectMode: false });
      if (!takesGzip(request)) return reply.send(stream);
      // Not `pipe`: a database that fails in the middle must end this answer, not the process.
      const gzip = pipeline(stream, createGzip({ level: gzipLevel }), () => undefined);
      return reply.header('content-encoding', 'gzip').send(gzip);
    });
  }
}

/** The objects of a few instances at a time, with the public addresses of their bulk data, joined by commas. */
async function* metadataTexts(
  { imaging }: Service,
  serviceUrl: string,
  tenant: string,
  target: Target,
): AsyncGenerator<string> {
  // Inside a JSON string the quotes would be escaped: only a real BulkDataURI is met.
  const mark = `"BulkDataURI":"${bulkDataMark}`;
  let texts: string[] = [];
  let length = 0;
  for await (const { seriesUid, sopUid, json } of imaging.listMetadata(tenant, target)) {
    const instance = instanceUrl(serviceUrl, { studyUid: target.studyUid, seriesUid, sopUid });
    const text = json.replaceAll(mark, () => `"BulkDataURI":"${instance}/bulkdata/`);
    texts.push(text);
    length += text.length;
    if (length < batchCharacters) continue;
    yield texts.join(',');
    texts = [];
    length = 0;
  }
  if (texts.length > 0) yield texts.join(',');
}

/** The beginning of a sequence of texts: all of it, or as much as reaches the limit. */
async function gather(all: AsyncGenerator<string>, limit: number): Promise<{ texts: string[]; whole: boolean }> {
  const texts: string[] = [];
  for (let length = 0; length < limit; length += texts.at(-1)?.length ?? 0) {
    const { value, done } = await all.next();
    if (done) return { texts, whole: true };
    texts.push(value);
  }
  return { texts, whole: false };
}

async function* afterThat(begun: readonly string[], rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield* begun;
  yield* rest;
}

async function* arrayOf(first: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield `[${first}`;
  for await (const text of rest) yield `,${text}`;
  yield ']';
}
