/** PS3.18 §10.4: whole instances, the bytes received with an empty preamble. */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { fileMeta, preambleBytes, type ReadableFile, readRange, type ServedInstance } from '../../imaging/index.ts';
import { instanceUrl, type RouteParameters, targetOf } from './addresses.ts';
import { collected } from './collected.ts';
import { DicomwebError } from './errors.ts';
import { multipartWriter, type OutgoingPart } from './multipart-writer.ts';
import { dicomType, instanceForm } from './negotiation.ts';
import { sendBytes } from './send-bytes.ts';
import type { Service } from './service.ts';

export function instanceRoutes(app: FastifyInstance, { imaging, access, url }: Service): void {
  for (const path of [
    '/studies/:study',
    '/studies/:study/series/:series',
    '/studies/:study/series/:series/instances/:instance',
  ]) {
    app.get<{ Params: RouteParameters }>(path, async (request, reply) => {
      const context = await access.identify(request, 'dicomweb:wado');
      const target = targetOf(request.params);
      await access.mayRead(context, target.studyUid);
      const instances = await collected(imaging.listInstances(context.tenant, target));
      const [only] = instances;
      if (!only) throw new DicomwebError(404, "Cette ressource n'est pas disponible.");
      const form = instanceForm(request, instances, target.sopUid !== undefined);
      const open = (instance: ServedInstance) => imaging.open(context.tenant, instance);
      // Opened before the answer begins: a missing file is an error, not a cut answer.
      const first = await open(only);
      if (form === 'single') {
        reply.type(`${dicomType}; transfer-syntax=${only.transferSyntax}`);
        return sendBytes(reply, first, servedLength(only), servedBytes(first, only));
      }
      // A study over a thin line takes longer than a session, an emergency or a right may last: asked anew before each instance.
      const openWhilePermitted = async (instance: ServedInstance) => {
        await access.mayRead(await access.identify(request, 'dicomweb:wado'), target.studyUid);
        return open(instance);
      };
      const writer = multipartWriter(dicomType);
      const parts = instances.map(
        (instance, index): OutgoingPart => ({
          contentType: `${dicomType}; transfer-syntax=${instance.transferSyntax}`,
          contentLocation: instanceUrl(url(request), instance),
          length: servedLength(instance),
          body: openedBytes(() => (index === 0 ? Promise.resolve(first) : openWhilePermitted(instance)), instance),
        }),
      );
      reply.type(writer.contentType).header('content-length', writer.length(parts));
      const stream = Readable.from(writer.write(parts), { objectMode: false });
      // A client that leaves before the first part was begun would leave its file open.
      stream.once('close', () => void first.close().catch(() => undefined));
      return reply.send(stream);
    });
  }
}

/** Bytes of the file that is sent. */
function servedLength(instance: ServedInstance): number {
  return instance.size + (instance.bare ? fileMeta(instance).length : 0);
}

async function* openedBytes(open: () => Promise<ReadableFile>, instance: ServedInstance): AsyncGenerator<Buffer> {
  const file = await open();
  try {
    yield* servedBytes(file, instance);
  } finally {
    await file.close();
  }
}

/** Nobody vouches for what a sender put before the prefix: a preamble may make the file a program (PS3.10 §7.5). */
async function* servedBytes(file: ReadableFile, instance: ServedInstance): AsyncGenerator<Buffer> {
  if (instance.bare) yield fileMeta(instance);
  let inPreamble = !instance.bare;
  for await (const chunk of readRange(file, 0, instance.size)) {
    yield inPreamble ? chunk.fill(0, 0, preambleBytes) : chunk;
    inPreamble = false;
  }
}
