/** What the case machine knows of the world when it decides: plain values, gathered by the shell. */
import type { CaseState } from './states.ts';

/** Roles of accounts (docs/fhir-conventions.md); `system` is the platform acting by itself. */
export type Role =
  | 'radiologist'
  | 'requester'
  | 'technologist'
  | 'coordinator'
  | 'quality'
  | 'auditor'
  | 'administrator'
  | 'ris'
  | 'conformance'
  | 'system';

export const roles: readonly Role[] = [
  'radiologist',
  'requester',
  'technologist',
  'coordinator',
  'quality',
  'auditor',
  'administrator',
  'ris',
  'conformance',
  'system',
];

/** Milestones of the case (WF-2); the eight timestamps of the contract are among them. */
export type Milestone =
  | 'requested'
  | 'transmitted'
  | 'received'
  | 'protocol-requested'
  | 'protocoled'
  | 'first-image'
  | 'images-received'
  | 'ready'
  | 'reading-started'
  | 'signed'
  | 'report-sent'
  | 'report-received';

/** Who asks for the transition. */
export interface CaseActor {
  /** Literal reference, compared with the owner. */
  reference: string;
  roles: readonly string[];
  kind: 'person' | 'machine' | 'system';
}

export interface Facts {
  /** The establishment's contract is open on this day (IN-9). */
  live: boolean;
  /** The establishment sends flow 4 for every exam. */
  flow4Expected: boolean;
  /** The contract asks for a protocol before the images. */
  protocolRequired: boolean;
  /** Emergency, in-patient, or urgency unknown. */
  urgent: boolean;
  /** Literal reference of who reads. */
  owner?: string;
  placerNumber: boolean;
  consent: 'given' | 'emergency' | 'missing' | 'refused';
  protocolGiven: boolean;
  /** Flow 4 was received: the exam was performed. */
  flow4: boolean;
  /** An identity problem is open on the request or on its images. */
  identityProblem: boolean;
  /** Images of the case are kept out of view. */
  quarantined: boolean;
  images: {
    instances: number;
    /** No instance arrived during the establishment's quiet time. */
    quiet: boolean;
    /** At least one series saw no new instance during the quiet time. */
    firstSeriesQuiet: boolean;
    /** Studies announced by flow 4 of which no image is there. */
    missingStudies: number;
    /** A technologist or a coordinator said that the exam is complete. */
    declaredComplete: boolean;
    /** The attachment is a guess that nobody confirmed. */
    provisional: boolean;
    /** Series that the owner did not display. */
    notDisplayed: number;
  };
  phoneExchange: boolean;
  report: 'none' | 'draft' | 'final';
  /** The establishment acknowledged the report. */
  reportAcknowledged: boolean;
  clockStarted: boolean;
  milestones: readonly Milestone[];
  /** What this call brings. */
  input: {
    reason?: string;
    protocols?: readonly string[];
    summary?: string;
    /** The report's model has no error that blocks signature (chapters, laterality…). */
    reportComplete?: boolean;
    notDisplayedReason?: string;
    /** A second person who vouches for the same fact. */
    secondPerson?: string;
  };
}

/** Images are complete when a person says so, or when all announced studies are there, quiet, with flow 4 if it is due. */
export function imagesComplete(facts: Facts): boolean {
  const { images } = facts;
  if (images.instances === 0) return false;
  if (images.declaredComplete) return true;
  return images.quiet && images.missingStudies === 0 && (facts.flow4 || !facts.flow4Expected);
}

/** An urgent case may be read from its first complete series on; any other waits for the whole study. */
export function imagesReadable(facts: Facts): boolean {
  return imagesComplete(facts) || (facts.urgent && facts.images.instances > 0 && facts.images.firstSeriesQuiet);
}

/** A case as the machine sees it; `none` before it exists. */
export type Origin = CaseState | 'none';
