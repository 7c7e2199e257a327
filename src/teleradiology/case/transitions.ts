/**
 * The case machine as one table (WF-1, design §5 rule 4). Every row is one legal transition; what is not here is refused.
 * docs/workflow.md is rendered from it, and test/teleradiology explores it.
 *
 * What the sources leave open, decided here (each reason in docs/decisions/0007-case-machine.md):
 * - Rows of one event are tried in order; `when` chooses the row, `guards` refuse it by name.
 * - After every transition the machine settles: the system's rows `acknowledge` and `advance` are taken as long as one applies,
 *   so that facts that arrive in an unusual order (images before the protocol, flow 4 before the images) lead to the same state.
 * - Cancellation is legal until flow 4 is received, whatever images are there; after it only `interrupt` ends the case.
 * - The clock starts when the images are transmitted, whatever the state; an urgent case's with its first complete series.
 * - A phone exchange of an urgent case is a guard of `sign` (WF-5); consent is a guard of `claim` and again of `sign`.
 * - `claim` of a case in hand is a lost race (409), for its owner too: a claim is never silently repeated.
 * - `via` says how a row is reached: an operation on Task, a guarded plain update of Task, a message, the platform itself. A row
 *   without it belongs to the machine but nothing offers it yet.
 */
import type { Milestone, Origin, Role } from './facts.ts';
import type { ConditionName, GuardName } from './guards.ts';
import { type CaseState, openStates } from './states.ts';

export type CaseEvent =
  | 'save'
  | 'submit'
  | 'acknowledge'
  | 'advance'
  | 'hold-identity'
  | 'lift-identity-hold'
  | 'ask-information'
  | 'answer-information'
  | 'protocol'
  | 'refuse'
  | 'cancel'
  | 'images'
  | 'images-quiet'
  | 'complete-exam'
  | 'complete-images'
  | 'confirm-images'
  | 'triage'
  | 'claim'
  | 'release'
  | 'suspend'
  | 'resume'
  | 'phone-exchange'
  | 'displayed'
  | 'save-draft'
  | 'issue-preliminary'
  | 'request-second-reading'
  | 'complete-second-reading'
  | 'sign'
  | 'report-received'
  | 'open-addendum'
  | 'close-addendum'
  | 'sign-addendum'
  | 'interrupt'
  | 'enter-in-error'
  | 'expire';

/** What the shell must do in the same transaction. */
export type Effect =
  | 'record-consent'
  | 'answer-accepted'
  | 'answer-refused'
  | 'note-skipped-protocol'
  | 'start-clock'
  | 'restart-clock'
  | 'stop-clock'
  | 'watch-expiry'
  | 'forget-due-times'
  | 'set-owner'
  | 'clear-owner'
  | 'forget-displayed'
  | 'keep-protocol'
  | 'keep-phone-exchange'
  | 'keep-reason'
  | 'clear-reason'
  | 'keep-displayed'
  | 'declare-images-complete'
  | 'confirm-attachment'
  | 'publish-report'
  | 'queue-report'
  | 'revoke-request'
  | 'tell-site'
  | 'tell-late-images';

/** Role, or the radiologist who owns the case. */
export type Who = Role | 'owner';

export type Via = 'operation' | 'update' | 'message' | 'system';

export interface Transition {
  event: CaseEvent;
  from: readonly Origin[];
  to: CaseState | 'same';
  who: readonly Who[];
  via: readonly Via[];
  when?: readonly ConditionName[];
  guards?: readonly GuardName[];
  effects?: readonly Effect[];
  milestones?: readonly Milestone[];
}

/** Sites' side: who sends a request and completes it. */
const site: readonly Who[] = ['requester', 'technologist', 'ris', 'coordinator'];
const beforeImages: readonly CaseState[] = ['received', 'information-wanted', 'protocol-wanted', 'protocoled'];
const beforeReading: readonly CaseState[] = [...beforeImages, 'identity-hold', 'acquiring', 'ready'];
const inHand: readonly CaseState[] = ['reading', 'suspended', 'preliminary', 'second-reading'];
const afterSignature: readonly CaseState[] = ['signed', 'delivering', 'delivered', 'addendum'];

export const transitions: readonly Transition[] = [
  // The request comes in.
  { event: 'save', from: ['none'], to: 'draft', who: site, via: ['update'] },
  {
    event: 'submit',
    from: ['none', 'draft'],
    to: 'sent',
    who: site,
    via: ['message', 'update'],
    guards: ['site-live', 'placer-number'],
    effects: ['record-consent'],
    milestones: ['requested', 'transmitted'],
  },
  {
    event: 'acknowledge',
    from: ['sent'],
    to: 'identity-hold',
    who: ['system'],
    via: ['system'],
    when: ['identity problem open'],
    milestones: ['received'],
  },
  {
    event: 'acknowledge',
    from: ['sent'],
    to: 'received',
    who: ['system'],
    via: ['system'],
    when: ['no identity problem'],
    milestones: ['received'],
  },
  {
    event: 'hold-identity',
    from: [...beforeImages, 'acquiring', 'ready'],
    to: 'identity-hold',
    who: ['system', 'quality'],
    via: ['system', 'update'],
  },
  {
    event: 'lift-identity-hold',
    from: ['identity-hold'],
    to: 'received',
    who: ['quality'],
    via: ['update'],
    guards: ['identity-clear'],
  },
  {
    event: 'ask-information',
    from: ['received', 'protocol-wanted', 'protocoled', 'acquiring', 'ready'],
    to: 'information-wanted',
    who: ['radiologist', 'coordinator'],
    via: ['update'],
    guards: ['reason-given'],
    effects: ['keep-reason'],
  },
  {
    event: 'answer-information',
    from: ['information-wanted'],
    to: 'received',
    who: site,
    via: ['update'],
    effects: ['clear-reason'],
  },
  // Triage: where a received request goes.
  {
    event: 'advance',
    from: ['received'],
    to: 'protocoled',
    who: ['system'],
    via: ['system'],
    when: ['protocol given'],
    effects: ['watch-expiry'],
  },
  {
    event: 'advance',
    from: ['received'],
    to: 'protocol-wanted',
    who: ['system'],
    via: ['system'],
    when: ['protocol required'],
    milestones: ['protocol-requested'],
  },
  {
    event: 'advance',
    from: ['received'],
    to: 'protocoled',
    who: ['system'],
    via: ['system'],
    when: ['protocol not required'],
    effects: ['note-skipped-protocol', 'watch-expiry'],
  },
  {
    event: 'protocol',
    from: ['protocol-wanted'],
    to: 'protocoled',
    who: ['radiologist'],
    via: ['operation'],
    guards: ['protocol-given'],
    effects: ['keep-protocol', 'answer-accepted', 'watch-expiry'],
    milestones: ['protocoled'],
  },
  {
    event: 'refuse',
    from: ['information-wanted', 'protocol-wanted'],
    to: 'refused',
    who: ['radiologist'],
    via: ['operation'],
    guards: ['reason-given'],
    effects: ['keep-reason', 'answer-refused', 'forget-due-times'],
  },
  {
    event: 'cancel',
    from: ['draft', 'sent', ...beforeImages, 'identity-hold', 'acquiring'],
    to: 'cancelled',
    who: ['requester', 'coordinator', 'ris'],
    via: ['operation', 'message'],
    guards: ['flow-4-not-received'],
    effects: ['keep-reason', 'revoke-request', 'forget-due-times'],
  },
  // Images.
  {
    event: 'images',
    from: [...beforeReading, ...inHand],
    to: 'same',
    who: ['system'],
    via: ['system'],
    milestones: ['first-image'],
  },
  {
    event: 'images',
    from: afterSignature,
    to: 'same',
    who: ['system'],
    via: ['system'],
    effects: ['tell-late-images'],
  },
  { event: 'images-quiet', from: [...beforeReading, ...inHand], to: 'same', who: ['system'], via: ['system'] },
  {
    event: 'complete-exam',
    from: [...beforeReading, ...inHand, ...afterSignature],
    to: 'same',
    who: ['ris', 'technologist'],
    via: ['message'],
  },
  {
    event: 'complete-images',
    from: [...beforeReading, ...inHand],
    to: 'same',
    who: ['technologist', 'coordinator'],
    via: ['operation'],
    guards: ['images-present'],
    effects: ['declare-images-complete'],
  },
  {
    event: 'confirm-images',
    from: [...beforeReading, ...inHand],
    to: 'same',
    who: ['technologist', 'coordinator', 'radiologist'],
    via: ['operation'],
    guards: ['attachment-provisional'],
    effects: ['confirm-attachment'],
  },
  {
    event: 'advance',
    from: ['protocoled'],
    to: 'acquiring',
    who: ['system'],
    via: ['system'],
    when: ['image or flow 4 there'],
  },
  {
    event: 'advance',
    from: ['acquiring'],
    to: 'ready',
    who: ['system'],
    via: ['system'],
    when: ['images readable', 'no identity problem', 'images not quarantined'],
    milestones: ['ready'],
  },
  // Reading.
  {
    event: 'triage',
    from: [...beforeReading, ...inHand],
    to: 'same',
    who: ['coordinator', 'radiologist'],
    via: ['update'],
    effects: ['restart-clock'],
  },
  {
    event: 'claim',
    from: ['ready'],
    to: 'reading',
    who: ['radiologist'],
    via: ['operation'],
    guards: ['no-owner', 'images-present', 'consent', 'not-quarantined', 'identity-clear'],
    effects: ['set-owner'],
    milestones: ['reading-started'],
  },
  {
    event: 'release',
    from: inHand,
    to: 'ready',
    who: ['owner', 'coordinator'],
    via: ['operation'],
    effects: ['clear-owner', 'forget-displayed', 'clear-reason'],
  },
  {
    event: 'suspend',
    from: ['reading'],
    to: 'suspended',
    who: ['owner'],
    via: ['operation'],
    guards: ['reason-given'],
    effects: ['keep-reason'],
  },
  {
    event: 'resume',
    from: ['suspended'],
    to: 'reading',
    who: ['owner'],
    via: ['operation'],
    effects: ['clear-reason'],
  },
  {
    event: 'phone-exchange',
    from: [...beforeReading, ...inHand],
    to: 'same',
    who: ['radiologist'],
    via: ['operation'],
    guards: ['summary-given'],
    effects: ['keep-phone-exchange'],
  },
  {
    event: 'displayed',
    from: inHand,
    to: 'same',
    who: ['owner'],
    via: ['operation'],
    guards: ['not-quarantined'],
    effects: ['keep-displayed'],
  },
  { event: 'save-draft', from: inHand, to: 'same', who: ['owner'], via: ['operation'] },
  {
    event: 'issue-preliminary',
    from: ['reading'],
    to: 'preliminary',
    who: ['owner'],
    via: [],
    guards: ['urgent-only', 'report-complete'],
  },
  {
    event: 'request-second-reading',
    from: ['reading', 'preliminary'],
    to: 'second-reading',
    who: ['owner'],
    via: [],
  },
  {
    event: 'complete-second-reading',
    from: ['second-reading'],
    to: 'reading',
    who: ['radiologist'],
    via: [],
    guards: ['other-reader'],
  },
  // Signature and delivery.
  {
    event: 'sign',
    from: ['reading', 'preliminary'],
    to: 'signed',
    who: ['owner'],
    via: ['operation'],
    guards: [
      'human',
      'images-present',
      'consent',
      'identity-clear',
      'not-quarantined',
      'attachment-confirmed',
      'phone-exchange',
      'report-complete',
      'whole-study',
      'every-series-displayed',
    ],
    effects: ['stop-clock', 'publish-report', 'queue-report'],
    milestones: ['signed'],
  },
  {
    event: 'advance',
    from: ['signed'],
    to: 'delivering',
    who: ['system'],
    via: ['system'],
    milestones: ['report-sent'],
  },
  {
    event: 'report-received',
    from: ['delivering'],
    to: 'delivered',
    who: ['system'],
    via: ['system'],
    guards: ['report-signed', 'report-acknowledged'],
    milestones: ['report-received'],
  },
  // After the nominal path, and ways out of it.
  {
    event: 'open-addendum',
    from: ['delivered'],
    to: 'addendum',
    who: ['radiologist', 'requester'],
    via: [],
    guards: ['reason-given'],
    effects: ['keep-reason'],
  },
  { event: 'close-addendum', from: ['addendum'], to: 'delivered', who: ['radiologist'], via: [] },
  {
    event: 'sign-addendum',
    from: ['addendum'],
    to: 'delivering',
    who: ['radiologist'],
    via: [],
    guards: ['human', 'report-signed', 'report-complete'],
    effects: ['publish-report', 'queue-report'],
  },
  {
    event: 'interrupt',
    from: ['acquiring', 'ready', ...inHand],
    to: 'interrupted',
    who: ['owner', 'coordinator'],
    via: ['update'],
    guards: ['reason-given'],
    effects: ['keep-reason', 'tell-site', 'forget-due-times'],
  },
  {
    event: 'enter-in-error',
    from: [...openStates, ...afterSignature],
    to: 'entered-in-error',
    who: ['quality'],
    via: [],
    guards: ['reason-given', 'two-persons'],
    effects: ['keep-reason', 'tell-site', 'forget-due-times'],
  },
  {
    event: 'expire',
    from: ['protocoled', 'acquiring'],
    to: 'expired',
    who: ['system'],
    via: ['system'],
    guards: ['no-image'],
    effects: ['tell-site', 'forget-due-times'],
  },
];
