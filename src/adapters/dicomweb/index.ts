/** DICOMweb (PS3.18): STOW-RS, QIDO-RS and WADO-RS over the imaging room. See docs/dicomweb.md for what is supported. */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../config/index.ts';
import type { ImagingRoom } from '../../imaging/index.ts';
import { dicomwebAccess, type Guards } from './access.ts';
import { answerError, DicomwebError } from './errors.ts';
import { bulkDataRoutes } from './retrieve-bulk-data.ts';
import { frameRoutes } from './retrieve-frames.ts';
import { instanceRoutes } from './retrieve-instances.ts';
import { metadataRoutes } from './retrieve-metadata.ts';
import { renderedRoutes } from './retrieve-rendered.ts';
import { searchRoutes } from './search.ts';
import type { Service } from './service.ts';
import { storeRoutes } from './store.ts';

export interface DicomwebOptions {
  imaging: ImagingRoom;
  guards: Guards;
  clock: Clock;
  /** Public address of the server, without a trailing slash; the service is below it at the plugin's prefix. */
  baseUrl: () => string;
}

/** Longest part of an address: lists of frames, paths of bulk data inside sequences. For `routerOptions` of the application. */
export const maximumAddressPart = 8 * 1024;

/** Fastify plugin; register it under `/dicomweb` or `/t/:tenant/dicomweb`. */
export async function dicomwebRoutes(
  app: FastifyInstance,
  { imaging, guards, clock, baseUrl }: DicomwebOptions,
): Promise<void> {
  const service: Service = {
    imaging,
    access: dicomwebAccess(imaging, guards, clock),
    url: ({ params }) => `${baseUrl()}${app.prefix.replace(':tenant', (params as { tenant?: string }).tenant ?? '')}`,
  };
  app.setErrorHandler(answerError);
  // Images of patients: nothing stays in a browser but what asks again before it is shown (metadata, renderings).
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
  app.addHook('onSend', async (request, _reply, payload) => withoutBody(request.method, payload));
  app.setNotFoundHandler(() => {
    throw new DicomwebError(404, "Cette adresse n'est pas celle d'une ressource DICOMweb.");
  });
  // Bodies go to their reader as they come: nothing is collected in memory.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ routePath, method }) => {
    methods.set(routePath, new Set([...(methods.get(routePath) ?? []), method].flat()));
  });
  storeRoutes(app, service);
  searchRoutes(app, service);
  metadataRoutes(app, service);
  frameRoutes(app, service);
  bulkDataRoutes(app, service);
  renderedRoutes(app, service);
  instanceRoutes(app, service);
  for (const [path, taken] of [...methods]) methodRoutes(app, path, taken);
}

/** RFC 9110 §9.3.7, §15.5.6: what an address takes, said to who asks and to who asks for something else. */
function methodRoutes(app: FastifyInstance, path: string, taken: ReadonlySet<string>): void {
  const allow = [...taken, 'OPTIONS'].sort().join(', ');
  app.options(path, (_request, reply) => reply.header('allow', allow).code(204).send());
  const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((method) => !taken.has(method));
  app.route({
    method: others,
    url: path,
    handler: () => {
      throw new DicomwebError(405, `Cette adresse accepte ${allow}.`, { allow });
    },
  });
}

/** An answer to HEAD is not read from the disk to be thrown away. */
function withoutBody(method: string, payload: unknown): unknown {
  if (method !== 'HEAD' || !(payload instanceof Readable)) return payload;
  payload.destroy();
  return Readable.from([]);
}
