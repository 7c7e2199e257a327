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
