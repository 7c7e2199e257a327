/** What the domain's shell is given: the rooms it plugs into, by their contracts. */
import type { Practitioner } from '@medplum/fhirtypes';
import type { Clock } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import type { Delivery } from '../delivery/contract.ts';
import type { FhirStore } from '../fhir/index.ts';
import type { Imaging } from '../imaging/contract.ts';
import type { ReportRoom, Signer } from '../report/contract.ts';

/** Structured log: facts first, then a sentence; never patient data. */
export interface Log {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface Room {
  database: Database;
  store: FhirStore;
  imaging: Imaging;
  report: ReportRoom;
  delivery: Delivery;
  /** A mail server is configured: notices leave by e-mail too. */
  mail?: boolean;
  clock: Clock;
  /** Signing identity of a radiologist. */
  signerFor(practitioner: Practitioner): Promise<Signer>;
  log: Log;
}
