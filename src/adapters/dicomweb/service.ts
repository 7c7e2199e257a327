/** What every route of the service is given. */
import type { ImagingRoom } from '../../imaging/index.ts';
import type { DicomwebAccess } from './access.ts';

export interface Service {
  imaging: ImagingRoom;
  access: DicomwebAccess;
  /** Public address of the service, without a trailing slash. */
  url: () => string;
}
