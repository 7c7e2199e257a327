/** PS3.18 §10.4 (metadata): headers as DICOM JSON, prepared when the instances were stored. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';
import { bulkDataMark, type Target } from '../../imaging/index.ts';
import { instanceUrl, type RouteParameters, targetOf } from './addresses.ts';
import { collected } from './collected.ts';
import { gzipLevel, sendText, takesGzip } from './compressed.ts';
import { DicomwebError } from './errors.ts';
import { dicomJson, requireJson } from './negotiation.ts';
import type { Service } from './service.ts';

/** Up to this many instances the answer is put together in memory, and has a length; larger ones are streamed. */
const inMemoryInstances = 1_000;

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
      const etag = entityTag(study.revision, url());
      reply
        .header('etag', etag)
        .header('cache-control', 'private, no-cache')
        .header('vary', 'accept-encoding')
        .type(dicomJson);
      if (matchesTag(request.headers['if-none-match'], etag)) return reply.code(304).send();
      const texts = metadataTexts(service, context.tenant, target);
      const first = await texts.next();
      if (first.done) throw new DicomwebError(404, "Cette ressource n'est pas disponible.");
      const all = arrayOf(first.value, texts);
      if (study.instances <= inMemoryInstances || target.sopUid)
        return sendText(request, reply, (await collected(all)).join(''));
      const stream = Readable.from(all, { objectMode: false });
      if (!takesGzip(request)) return reply.send(stream);
      return reply.header('content-encoding', 'gzip').send(stream.pipe(createGzip({ level: gzipLevel })));
    });
  }
}

/** The objects of a batch of instances, with the public addresses of their bulk data, joined by commas. */
async function* metadataTexts({ imaging, url }: Service, tenant: string, target: Target): AsyncGenerator<string> {
  // Inside a JSON string the quotes would be escaped: only a real BulkDataURI is met.
  const mark = `"BulkDataURI":"${bulkDataMark}`;
  for await (const batch of imaging.listMetadata(tenant, target)) {
    yield batch
      .map(({ seriesUid, sopUid, json }) => {
        const instance = instanceUrl(url(), { studyUid: target.studyUid, seriesUid, sopUid });
        return json.replaceAll(mark, () => `"BulkDataURI":"${instance}/bulkdata/`);
      })
      .join(',');
  }
}

async function* arrayOf(first: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield `[${first}`;
  for await (const text of rest) yield `,${text}`;
  yield ']';
}

/** Changes with the study and with the address its bulk data is given under. */
function entityTag(revision: number, serviceUrl: string): string {
  return `W/"${revision}-${createHash('sha256').update(serviceUrl).digest('hex').slice(0, 8)}"`;
}

function matchesTag(header: string | undefined, etag: string): boolean {
  return header?.split(',').some((one) => one.trim() === '*' || one.trim() === etag) ?? false;
}
