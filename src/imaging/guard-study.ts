/** Writes of an ImagingStudy whose images are in this archive, by whoever makes them. */
import type { ImagingStudy } from '@medplum/fhirtypes';
import { type Change, FhirError, type FhirTransaction } from '../fhir/index.ts';

/**
 * Deleting it would leave images that are listed, served to nobody and refused when they come again: they are put in quarantine, or purged
 * with the rest of what is due (docs/guide-exploitation.md).
 * @returns the Study Instance UID where the images are said to be another patient's, or somebody's at all.
 * @throws FhirError 409 for a deletion while there are images.
 */
export async function guardStudy({ id, before, after }: Change, tx: FhirTransaction): Promise<string | undefined> {
  if (after !== undefined) return uidOfOther(before as ImagingStudy | undefined, after as ImagingStudy);
  const { rows } = await tx.sql.query('SELECT FROM dicom_study WHERE tenant = $1 AND imaging_study = $2 LIMIT 1', [
    tx.context.tenant,
    id,
  ]);
  if (rows.length === 0) return undefined;
  throw new FhirError(
    409,
    'conflict',
    "Les images de cette étude sont à l'archive : elle ne se supprime pas. Mettez-les en quarantaine en signalant le problème, ou laissez la purge les détruire à leur terme.",
    'ImagingStudy',
  );
}

function uidOfOther(before: ImagingStudy | undefined, after: ImagingStudy): string | undefined {
  if (before === undefined || before.subject.reference === after.subject.reference) return undefined;
  const value = before.identifier?.find(({ system }) => system === 'urn:dicom:uid')?.value;
  return value?.replace(/^urn:oid:/, '');
}
