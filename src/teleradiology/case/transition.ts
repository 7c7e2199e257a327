/** The words the table of transitions is written in: events, effects, who, and one row. */
import type { Milestone, Origin, Role } from './facts.ts';
import type { ConditionName, GuardName } from './guards.ts';
import type { CaseState } from './states.ts';

export type CaseEvent =
  | 'save'
  | 'submit'
  | 'acknowledge'
  | 'advance'
  | 'hold-identity'
  | 'lift-identity-hold'
  | 'ask'
  | 'answer'
  | 'protocol'
  | 'refuse'
  | 'cancel'
  | 'ask-cancellation'
  | 'decline-cancellation'
  | 'images'
  | 'images-quiet'
  | 'complete-exam'
  | 'complete-images'
  | 'confirm-images'
  | 'triage'
  | 'assign'
  | 'claim'
  | 'hand-over'
  | 'release'
  | 'suspend'
  | 'resume'
  | 'ask-imaging'
  | 'phone-exchange'
  | 'displayed'
  | 'save-draft'
  | 'issue-preliminary'
  | 'request-second-reading'
  | 'claim-second-reading'
  | 'release-second-reading'
  | 'complete-second-reading'
  | 'sign'
  | 'declare-critical'
  | 'acknowledge-critical'
  | 'report-received'
  | 'request-rereading'
  | 'open-addendum'
  | 'claim-addendum'
  | 'release-addendum'
  | 'sign-addendum'
  | 'close-addendum'
  | 'interrupt'
  | 'declare-error'
  | 'withdraw-error'
  | 'enter-in-error'
  | 'expire';

/** What the shell must do in the same transaction. */
export type Effect =
  | 'record-consent'
  | 'answer-accepted'
  | 'answer-refused'
  | 'note-skipped-protocol'
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
  | 'ask-missing'
  | 'ask-question'
  | 'ask-imaging'
  | 'keep-answer'
  | 'drop-question'
  | 'keep-cancellation-request'
  | 'decline-cancellation'
  | 'set-assigned'
  | 'publish-preliminary'
  | 'publish-report'
  | 'queue-report'
  | 'keep-acknowledgement'
  | 'charge-act'
  | 'reverse-charge'
  | 'withdraw-report'
  | 'queue-withdrawal'
  | 'keep-error-declaration'
  | 'drop-error-declaration'
  | 'open-second-reading'
  | 'take-second-reading'
  | 'release-second-reading'
  | 'close-second-reading'
  | 'drop-second-reading'
  | 'keep-second-displayed'
  | 'open-addendum'
  | 'open-rereading'
  | 'take-addendum'
  | 'release-addendum'
  | 'close-addendum'
  | 'drop-addendum'
  | 'start-alert'
  | 'acknowledge-alert'
  | 'revoke-request'
  | 'tell-site'
  | 'tell-late-images';

/** A role; whoever may read this kind of case; whoever holds the reading, the second reading, the addendum; who declared the error. */
export type Who = Role | 'reader' | 'owner' | 'second-reader' | 'addendum-reader' | 'declarer';

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
