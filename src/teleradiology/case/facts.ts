/** What the case machine knows of the world when it decides: plain values, gathered by the shell. */
import type { CaseState } from './states.ts';

/** Roles of accounts (docs/fhir-conventions.md); `system` is the platform acting by itself. */
export type Role =
  | 'radiologist'
  | 'expert'
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
  'expert',
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
  | 'preliminary'
  | 'second-read'
  | 'report-sent'
  | 'report-received'
  | 'amended'
  | 'complemented';

/** Who asks for the transition. */
export interface CaseActor {
  /** Literal reference, compared with the owner. */
  reference: string;
  roles: readonly string[];
  kind: 'person' | 'machine' | 'system';
}

/** What the register of readers says of the actor at this establishment (CM-4, CM-5); of anybody else nothing is wrong. */
export interface ReaderStanding {
  credentials: 'valid' | 'expired' | 'missing';
  /** The establishment excluded this reader, with immediate effect. */
  excluded: boolean;
  /** On the rota of the establishment at this instant. */
  onDuty: boolean;
}

/** An account whose standing nobody has to look up: it reads nothing. */
export const unquestioned: ReaderStanding = { credentials: 'valid', excluded: false, onDuty: true };

export interface Facts {
  /** Roles that may read this kind of case: radiologists, or the experts of another remote act (WF-13). */
  readers: readonly Role[];
  /** This kind of case is read from images. */
  imagesExpected: boolean;
  /** The establishment's contract is open on this day (IN-9). */
  live: boolean;
  /** The establishment sends flow 4 for every exam. */
  flow4Expected: boolean;
  /** The contract asks for a protocol before the images. */
  protocolRequired: boolean;
  /** Emergency, in-patient, or urgency unknown. */
  urgent: boolean;
  /** Named items the request lacks (IN-6). */
  missing: readonly string[];
  /** A question to the site is unanswered (WF-10). */
  question: boolean;
  /** The site asked to cancel what can only be interrupted now. */
  cancellationAsked: boolean;
  reader: ReaderStanding;
  /** A reader without qualifications on file may not read here. */
  credentialsRequired: boolean;
  /** Only the readers on the rota read here, unless they say why. */
  dutyRequired: boolean;
  /** Literal reference of the reader the coordinator, or a colleague who handed over, wants. */
  assignedTo?: string;
  /** Literal reference of who reads. */
  owner?: string;
  placerNumber: boolean;
  consent: 'given' | 'emergency' | 'missing' | 'refused';
  protocolGiven: boolean;
  /** Flow 4 was received: the exam was performed. */
  flow4: boolean;
  /** An identity problem is open on the request or on its images: nobody reads. */
  identityProblem: boolean;
  /** A doubt about whose exam it is, or which one (homonym, prior, side, duplicate): it may be read, nothing is concluded from it. */
  identityDoubt: boolean;
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
  /** `final`: a signed version exists, whatever is being written beside it. */
  report: 'none' | 'draft' | 'final';
  /** The establishment acknowledged the last signed version. */
  reportAcknowledged: boolean;
  /** The act is one that must be read twice (WF-8). */
  secondReadingRequired: boolean;
  secondReading: 'none' | 'wanted' | 'taken' | 'done';
  /** Literal reference of who took it, also once it is done. */
  secondReader?: string;
  /** `required`: the act owes a complement after the report, and none is signed yet (WF-8, spectroscopy). */
  complement: 'none' | 'required' | 'done';
  /** An addendum or a re-reading of the signed report is open (WF-7). */
  addendum: 'none' | 'wanted' | 'taken';
  /** What is open is a re-reading somebody asked for, and not an addendum that a reader found necessary. */
  addendumOnRequest: boolean;
  /** Literal reference. */
  addendumReader?: string;
  /** A critical result was announced; `open` until somebody of the site restated it (WF-9). */
  critical: 'none' | 'open' | 'acknowledged';
  /** Who declared the case an error, while nobody confirmed it or took it back. Literal reference. */
  errorDeclaredBy?: string;
  clockStarted: boolean;
  milestones: readonly Milestone[];
  /** What this call brings. */
  input: {
    reason?: string;
    protocols?: readonly string[];
    summary?: string;
    /** What the site is asked, what it answers. */
    question?: string;
    answer?: string;
    /** Literal reference of the reader a case is assigned or handed over to. */
    reader?: string;
    /** Second reader's opinion, and whether it agrees with the report. */
    opinion?: string;
    agrees?: boolean;
    /** Critical finding as it is said, and as whoever acknowledges restates it. */
    finding?: string;
    readBack?: string;
    /** The addendum is the complement the act owes. */
    complement?: boolean;
    /** The report's model has no error that blocks signature (chapters, laterality…). */
    reportComplete?: boolean;
    notDisplayedReason?: string;
    /** The version whose receipt is told is the last one signed. */
    lastVersion?: boolean;
  };
}

/** Images are complete when none are needed, a person says so, or when all announced studies are there, quiet, with flow 4 if it is due. */
export function imagesComplete(facts: Facts): boolean {
  const { images } = facts;
  if (!facts.imagesExpected && images.instances === 0) return true;
  if (images.instances === 0) return false;
  if (images.declaredComplete) return true;
  return images.quiet && images.missingStudies === 0 && (facts.flow4 || !facts.flow4Expected);
}

/** An urgent case may be read from its first complete series on; any other waits for the whole study. */
export function imagesReadable(facts: Facts): boolean {
  return imagesComplete(facts) || (facts.urgent && facts.images.instances > 0 && facts.images.firstSeriesQuiet);
}

/** A second reading counts when somebody else than who reads did it: after a release they may be the same. */
export function readTwice(facts: Facts): boolean {
  return facts.secondReading === 'done' && (facts.secondReader === undefined || facts.secondReader !== facts.owner);
}

/** A case as the machine sees it; `none` before it exists. */
export type Origin = CaseState | 'none';
