/** Every identity problem the platform names (ID-2): what it blocks, how it may be decided, by whom. CodeSystem `detected-issue-code`. */
import type { DetectedIssue } from '@medplum/fhirtypes';
import type { Facts, Role } from '../case/index.ts';
import { codeOf, codeSystem } from '../codes.ts';

export type IssueCode =
  /** Traits of the request, of the images or of a feed differ from the patient's. */
  | 'identity-mismatch'
  /** Two INS on one IPP, or one INS on two. */
  | 'ins-collision'
  /** Two IPP of one domain for one patient. */
  | 'duplicate-patient'
  /** One Study Instance UID, images of two patients. */
  | 'uid-collision'
  /** One accession number, requests of two patients. */
  | 'accession-collision'
  /** Images a person confirmed, that the hospital's complement does not announce. */
  | 'exam-unannounced'
  /** An exam announced for one request while it is another one's, or held. */
  | 'study-claimed'
  /** The same, and the other request is signed already. */
  | 'study-reported'
  /** Images older than the request: a prior shown as today's exam. */
  | 'prior-as-current'
  /** The side of the images is not the side asked for. */
  | 'laterality-mismatch'
  /** The patient of a case was merged into another, or put out of use. */
  | 'patient-merged'
  /** INS or traits of the patient of a case changed. */
  | 'identity-changed'
  /** The same act for the same patient on the same day, asked twice. */
  | 'duplicate-request'
  /** Another patient of the establishment is nearly the same. */
  | 'homonym';

/** Code of CodeSystem `detected-issue-mitigation`. */
export type Decision =
  | 'identity-confirmed'
  | 'images-rejected'
  | 'images-reattached'
  | 'merge-recorded'
  | 'verified'
  /** Two people of nearly the same traits, and whose exam it is was verified. */
  | 'distinct-persons'
  /** Written by the platform itself: every case concerned has ended. */
  | 'case-ended';

/** What waits until it is decided: the reading and all that follows, or the signature and delivery alone. */
export type Blocking = 'reading' | 'signature';

/** What undecided problems make true of a case. */
export type IdentityFacts = Pick<Facts, 'identityProblem' | 'identityDoubt'>;

export interface IssueKind {
  severity: NonNullable<DetectedIssue['severity']>;
  blocks: Blocking;
  decisions: readonly Decision[];
  /** Those where it names no images: another establishment's are not named, and there is what was announced to verify. */
  withoutImages?: readonly Decision[];
  /** Who decides beside identity vigilance. */
  also?: readonly Role[];
  /** The establishment is told as soon as it is found: whoever stands beside the patient verifies it best. */
  tellsSite?: true;
}

const images: readonly Decision[] = ['identity-confirmed', 'images-rejected', 'images-reattached'];
const checked: readonly Decision[] = ['verified', 'images-rejected', 'images-reattached'];

export const issueKinds: Readonly<Record<IssueCode, IssueKind>> = {
  'identity-mismatch': { severity: 'high', blocks: 'reading', decisions: images },
  'ins-collision': { severity: 'high', blocks: 'reading', decisions: images },
  'duplicate-patient': { severity: 'high', blocks: 'reading', decisions: images },
  'uid-collision': { severity: 'high', blocks: 'reading', decisions: images },
  'accession-collision': { severity: 'high', blocks: 'reading', decisions: ['verified'] },
  'exam-unannounced': { severity: 'high', blocks: 'reading', decisions: images },
  'study-claimed': { severity: 'high', blocks: 'reading', decisions: images, withoutImages: ['verified'] },
  'study-reported': { severity: 'high', blocks: 'reading', decisions: images, withoutImages: ['verified'] },
  'prior-as-current': { severity: 'high', blocks: 'signature', decisions: checked },
  'laterality-mismatch': { severity: 'high', blocks: 'signature', decisions: checked },
  'patient-merged': { severity: 'high', blocks: 'reading', decisions: ['merge-recorded', 'identity-confirmed'] },
  'identity-changed': { severity: 'high', blocks: 'reading', decisions: ['identity-confirmed'] },
  // A control exam on the same day is no mistake, and its reader knows.
  'duplicate-request': {
    severity: 'moderate',
    blocks: 'signature',
    decisions: ['verified'],
    also: ['radiologist', 'coordinator'],
  },
  homonym: {
    severity: 'high',
    blocks: 'signature',
    decisions: ['distinct-persons'],
    // Nights have no identity vigilance at the desk, and the exam is read meanwhile (docs/decisions/0027).
    also: ['radiologist', 'expert', 'coordinator', 'technologist'],
    tellsSite: true,
  },
};

/** Code of a problem of ours; undefined for somebody else's DetectedIssue. One without a known code of ours blocks everything. */
export function kindOf(issue: DetectedIssue): { code: string; kind: IssueKind } | undefined {
  const code = codeOf(issue.code, codeSystem.detectedIssue);
  if (code === undefined) return undefined;
  const kind = Object.hasOwn(issueKinds, code) ? issueKinds[code as IssueCode] : issueKinds['identity-mismatch'];
  return { code, kind };
}

/** A problem of ours without a decision. */
export function isUndecided(issue: DetectedIssue): boolean {
  return kindOf(issue) !== undefined && !issue.mitigation?.length && issue.status !== 'entered-in-error';
}

/** What an undecided problem blocks; undefined once it is decided. */
export function blockedBy(issue: DetectedIssue): Blocking | undefined {
  return isUndecided(issue) ? kindOf(issue)?.kind.blocks : undefined;
}
