/** Design §5 rule 5: a study kept out of every answer until a person decided. Nothing of it is lost. */
import { FhirError, type FhirTransaction } from '../fhir/index.ts';
import { studyLock } from './contract.ts';

/** @throws FhirError 404 when the study is not stored. */
export async function setQuarantine(tx: FhirTransaction, studyUid: string, reason: string | null): Promise<void> {
  await tx.lock(studyLock(studyUid));
  const { rowCount } = await tx.sql.query(
    `UPDATE dicom_study
     SET quarantine = $3, revision = revision + 1
     WHERE tenant = $1 AND study_uid = $2 AND lot = 0`,
    [tx.context.tenant, studyUid, reason],
  );
  if (!rowCount) throw new FhirError(404, 'not-found', 'No images are stored under this Study Instance UID.');
}
