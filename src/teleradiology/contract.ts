/** What the domain promises the adapters: they translate, it decides. */
import type {
  Device,
  Identifier,
  MedicationAdministration,
  Observation,
  Organization,
  Patient,
  Practitioner,
  ServiceRequest,
  Task,
} from '@medplum/fhirtypes';
import type { FhirTransaction } from '../fhir/index.ts';

/**
 * A request as an adapter translated it (flow 1): resources without ids nor references between them; the domain finds or makes
 * the stored ones by identifier, checks identity and opens the case.
 */
export interface IncomingRequest {
  patient: Patient;
  /** Requesting structure (ORC-21): found by FINESS, else by the sender's registration. */
  organization: Organization;
  /** Professional responsible in the imaging structure (ORC-12). */
  requester: Practitioner;
  /** Wanted remote radiologist (ORC-11). */
  wantedPerformer?: Practitioner;
  /** identifier PLAC, code, bodySite, orderDetail, reasonCode, note, authoredOn; `subject` and `requester` are filled here. */
  serviceRequest: Omit<ServiceRequest, 'subject'>;
  /** Height, weight, pregnancy, history; `subject` is filled here. */
  observations: Observation[];
  /** PV1-2: E, I, O, R, N; undefined when not said. */
  encounterClass?: string;
  /** PV1-19 of the teleradiology volume: the appointment's identifier. */
  appointment?: Identifier;
  /** Call-back number. */
  callback?: string;
  /** When the sender says it sent (MSH-7). */
  transmittedAt?: Date;
}

/** Cancellation of a request (flow 2). */
export interface IncomingCancellation {
  placer: Identifier;
  patient: Patient;
  organization: Organization;
  requester: Practitioner;
  cancelledAt?: Date;
  reason?: string;
}

/** What came of a cancellation. */
export interface Cancelled {
  task: Task;
  /**
   * French: why the request was not cancelled although the transaction is to be committed, because it keeps that the establishment
   * asked. The adapter refuses the message in its own protocol.
   */
  refused?: string;
}

/** Complement after the exam (flow 4): one per ORDER group, i.e. one imaging exam. */
export interface ExamComplement {
  placer: Identifier;
  patient: Patient;
  studyInstanceUid: string;
  accessionNumber: Identifier;
  /** LOINC act done. */
  act: { system: string; code: string; display?: string };
  /** Region and topographic modifier as CodeableConcepts. */
  bodySite?: ServiceRequest['bodySite'];
  modality?: { system: string; code: string; display?: string };
  examDate?: Date;
  retentionDays?: number;
  /** Byte for byte as sent. */
  partialViewerUrl?: string;
  products: Omit<MedicationAdministration, 'subject'>[];
  device?: Device;
  transmittedAt?: Date;
}

/** The part of the domain that adapters call, each inside the transaction that stores their message. */
export interface Teleradiology {
  /**
   * Opens a case, or answers the open one of the same placer number (idempotent). `notice`: what the sender is to be told with the
   * acknowledgement, French. @throws FhirError 422 with the reason.
   */
  receiveRequest(
    tx: FhirTransaction,
    request: IncomingRequest,
    establishmentId: string,
  ): Promise<{ task: Task; created: boolean; notice?: string }>;
  /** @throws FhirError 404 unknown request, 422 neither to be cancelled nor to be asked for (signed, closed…). */
  cancelRequest(tx: FhirTransaction, cancellation: IncomingCancellation, establishmentId: string): Promise<Cancelled>;
  completeExam(tx: FhirTransaction, exams: ExamComplement[], establishmentId: string): Promise<Task>;
}
