/** What the imaging room promises: DICOM instances stored byte for byte, indexed, and shown as ImagingStudy. */
import type { Readable } from 'node:stream';
import type { Context, FhirTransaction } from '../fhir/index.ts';

/** Identity of a study as its images state it. Empty strings never appear: absent is undefined. */
export interface StudyIdentity {
  studyInstanceUid: string;
  /** (0010,0020), the IPP where the PACS is well kept. */
  patientId?: string;
  /** (0010,0021) */
  issuerOfPatientId?: string;
  /** (0010,0010) alphabetic representation, e.g. `TEST-MOREAU^CAMILLE`. */
  patientName?: string;
  /** (0010,0030), YYYY-MM-DD. */
  birthDate?: string;
  /** (0010,0040) */
  sex?: string;
  /** (0008,0050) */
  accessionNumber?: string;
  /** (0008,0051).(0040,0032) Universal Entity ID, when sent. */
  accessionIssuer?: string;
  /** (0040,2016) Placer Order Number / Imaging Service Request. */
  placerOrderNumber?: string;
  modalities: string[];
  description?: string;
}

/**
 * Lock under which a study is stored, attached to a case, put in or out of quarantine. It is taken before the lock of a case; of several
 * studies in the order of their UIDs: so nobody waits for who waits for them.
 */
export const studyLock = (studyUid: string): string => `dicom-study:${studyUid}`;

/** A study after instances of it were stored. */
export interface StudyEvent {
  identity: StudyIdentity;
  /** Id of the ImagingStudy kept true by the imaging room. */
  imagingStudyId: string;
  instances: number;
  series: number;
  /** True the first time this study is seen. */
  first: boolean;
  /** Set when the images contradict themselves (one Study Instance UID, two patients): named reason. */
  quarantine?: string;
}

/** Called in the ingest transaction, once per study and request: the domain attaches the study to its case here. */
export type StudyHook = (event: StudyEvent, tx: FhirTransaction) => Promise<void>;

/** Outcome of one instance, in the terms of PS3.18 §10.5 (STOW-RS). */
export type StoredInstance =
  | {
      status: 'stored' | 'duplicate';
      studyUid: string;
      seriesUid: string;
      sopUid: string;
      sopClassUid: string;
      /** Why it was stored apart from the study of that UID (another patient) and is not served. */
      setApart?: string;
    }
  | {
      status: 'failed';
      /** As far as it could be read. */
      studyUid?: string;
      sopUid?: string;
      sopClassUid?: string;
      /** Failure Reason (0008,1197), PS3.4 Annex B. */
      failureReason: number;
      /** What is wrong, for ErrorComment: names the element, never the patient. */
      comment: string;
    };

/** What is known of instances before they come; one that says otherwise is not stored (0xA900). */
export interface Expected {
  /** Of STOW-RS to /studies/{uid}. */
  studyUid?: string;
  /** Of C-STORE-RQ. */
  sopClassUid?: string;
  sopUid?: string;
}

/** The imaging room as the other rooms see it. */
export interface Imaging {
  /**
   * Stores DICOM Part 10 streams one after the other (bounded memory), then commits their index, the ImagingStudy resources and
   * the hooks' effects in one transaction. Resolves after the commit.
   * @param expected what every instance must say of itself.
   */
  store(context: Context, parts: AsyncIterable<Readable>, expected?: Expected): Promise<StoredInstance[]>;
  onStudy(hook: StudyHook): void;
  /** Keeps a study out of every answer until it is lifted; the reason is shown. */
  quarantine(tx: FhirTransaction, studyUid: string, reason: string): Promise<void>;
  liftQuarantine(tx: FhirTransaction, studyUid: string): Promise<void>;
}
