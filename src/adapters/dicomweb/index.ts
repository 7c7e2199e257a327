/** DICOMweb (PS3.18): STOW-RS, QIDO-RS and WADO-RS over the imaging room. See docs/dicomweb.md for what is supported. */
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../config/index.ts';
import type { FhirGuards } from '../../fhir/index.ts';
import type { ImagingRoom } from '../../imaging/index.ts';
import { dicomwebAccess } from './access.ts';
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
  guards: FhirGuards;
  clock: Clock;
  /** Public address of the server, without a trailing slash; the service is below it at the plugin's prefix. */
  baseUrl: () => string;
}

/** Fastify plugin; register it under `/dicomweb`. */
export async function dicomwebRoutes(
  app: FastifyInstance,
  { imaging, guards, clock, baseUrl }: DicomwebOptions,
): Promise<void> {
  const service: Service = {
    imaging,
    access: dicomwebAccess(imaging, guards, clock),
    url: () => `${baseUrl()}${app.prefix}`,
  };
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(() => {
    throw new DicomwebError(404, "Cette adresse n'est pas celle d'une ressource DICOMweb.");
  });
  // Bodies go to their reader as they come: nothing is collected in memory.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  storeRoutes(app, service);
  searchRoutes(app, service);
  metadataRoutes(app, service);
  frameRoutes(app, service);
  bulkDataRoutes(app, service);
  renderedRoutes(app, service);
  instanceRoutes(app, service);
}
