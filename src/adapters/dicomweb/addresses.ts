/** PS3.18 §10.1: the addresses of studies, series, instances. */
import { isUid, type Target } from '../../imaging/index.ts';
import { DicomwebError } from './errors.ts';

/** Parameters of a route as Fastify names them. */
export interface RouteParameters {
  study?: string;
  series?: string;
  instance?: string;
  frames?: string;
  '*'?: string;
}

/** @throws DicomwebError 400 when a part of the address is not a UID. */
export function targetOf({ study = '', series, instance }: RouteParameters): Target {
  for (const uid of [study, series, instance]) {
    if (uid !== undefined && !isUid(uid))
      throw new DicomwebError(400, "L'adresse contient un identifiant qui n'est pas un UID DICOM.");
  }
  return { studyUid: study, ...(series ? { seriesUid: series } : {}), ...(instance ? { sopUid: instance } : {}) };
}

/** An instance's target, of a route that names all three levels. */
export function instanceTarget(parameters: RouteParameters): Required<Target> {
  const { studyUid, seriesUid = '', sopUid = '' } = targetOf(parameters);
  return { studyUid, seriesUid, sopUid };
}

/** Public address of an instance. */
export function instanceUrl(serviceUrl: string, { studyUid, seriesUid, sopUid }: Required<Target>): string {
  return `${serviceUrl}/studies/${studyUid}/series/${seriesUid}/instances/${sopUid}`;
}
