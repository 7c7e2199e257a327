/** PS3.18 §10.4 (bulk data): values that the metadata only points to, whole or by range. */
import type { FastifyInstance } from 'fastify';
import { findBulkValue, type ReadableFile, readRange, transferSyntaxOf } from '../../imaging/index.ts';
import { instanceTarget, instanceUrl, type RouteParameters } from './addresses.ts';
import { DicomwebError } from './errors.ts';
import { covers } from './media-type.ts';
import { multipartWriter } from './multipart-writer.ts';
import { acceptedBy, notAcceptable, octetStream } from './negotiation.ts';
import { sendBytes } from './send-bytes.ts';
import type { Service } from './service.ts';

const pathPattern = /^[0-9A-F]{8}(\/\d{1,6}\/[0-9A-F]{8}){0,64}$/;

export function bulkDataRoutes(app: FastifyInstance, { imaging, access, url }: Service): void {
  app.get<{ Params: RouteParameters }>(
    '/studies/:study/series/:series/instances/:instance/bulkdata/*',
    async (request, reply) => {
      const context = await access.identify(request, 'dicomweb:wado');
      const target = instanceTarget(request.params);
      const path = (request.params['*'] ?? '').toUpperCase();
      if (!pathPattern.test(path)) throw new DicomwebError(400, "L'adresse ne désigne pas un élément DICOM.");
      await access.mayRead(context, target.studyUid);
      const instance = await access.instance(context, target);
      const form = bulkForm(acceptedBy(request));
      const inflated = transferSyntaxOf(instance.transferSyntax)?.deflated === true;
      const file = await imaging.open(context.tenant, instance, inflated);
      try {
        const value = await findBulkValue(file, instance, inflated, path);
        if (!value) throw new DicomwebError(404, "Cet élément n'est pas une donnée volumineuse de cette instance.");
        if (value.fragments)
          throw notAcceptable('Ces pixels sont compressés : demandez-les image par image (/frames).');
        const location = `${instanceUrl(url(request), target)}/bulkdata/${path}`;
        const bytes = (from: number, length: number) =>
          value.bigEndian && value.vr === 'OW' && value.length % 2 === 0
            ? swappedRange(file, value.offset, from, length)
            : readRange(file, value.offset + from, length);
        if (form === 'multipart') {
          const writer = multipartWriter(octetStream);
          const part = {
            contentType: octetStream,
            contentLocation: location,
            length: value.length,
            body: bytes(0, value.length),
          };
          return await sendBytes(reply.type(writer.contentType), file, writer.length([part]), writer.write([part]));
        }
        reply.type(octetStream).header('content-location', location).header('accept-ranges', 'bytes');
        const range = byteRange(request.headers.range, value.length);
        if (range) reply.code(206).header('content-range', `bytes ${range.from}-${range.to}/${value.length}`);
        const { from, to } = range ?? { from: 0, to: value.length - 1 };
        return await sendBytes(reply, file, to - from + 1, bytes(from, to - from + 1));
      } catch (error) {
        await file.close().catch(() => undefined);
        throw error;
      }
    },
  );
}

function bulkForm(accepted: ReturnType<typeof acceptedBy>): 'multipart' | 'single' {
  for (const { type, parameters } of accepted) {
    if (type === 'multipart/related' && covers(parameters.type?.toLowerCase() ?? '*/*', octetStream))
      return 'multipart';
    if (covers(type, octetStream)) return 'single';
  }
  throw notAcceptable(`Cette donnée est servie en ${octetStream}.`);
}

/** 16-bit words are served in little endian order, whatever the file's; a range may begin or end inside one. */
async function* swappedRange(file: ReadableFile, start: number, from: number, length: number): AsyncGenerator<Buffer> {
  const first = from - (from % 2);
  const end = from + length + ((from + length) % 2);
  let position = first;
  for await (const chunk of readRange(file, start + first, end - first)) {
    const swapped = chunk.swap16();
    yield swapped.subarray(Math.max(0, from - position), Math.min(swapped.length, from + length - position));
    position += chunk.length;
  }
}

/** RFC 9110 §14.2, one range; several, or none that can be read, mean the whole value. @throws DicomwebError 416. */
function byteRange(header: string | undefined, length: number): { from: number; to: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const suffix = match[1] === '';
  const from = suffix ? Math.max(0, length - Number(match[2])) : Number(match[1]);
  const to = suffix || match[2] === '' ? length - 1 : Math.min(length - 1, Number(match[2]));
  if (from > to)
    throw new DicomwebError(416, 'La plage demandée est hors de la donnée.', { 'content-range': `bytes */${length}` });
  return { from, to };
}
