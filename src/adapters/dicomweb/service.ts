/** What every route of the service is given. */
import type { FastifyRequest } from 'fastify';
import type { ImagingRoom } from '../../imaging/index.ts';
import type { DicomwebAccess } from './access.ts';

export interface Service {
  imaging: ImagingRoom;
  access: DicomwebAccess;
  /** Public address of the service as the request named it, without a trailing slash. */
  url: (request: FastifyRequest) => string;
}
