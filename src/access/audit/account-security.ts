/** What changes or endangers the means of signing in (DICOM PS3.15 A.5.3.10 "Security Alert", CID 401): passwords, factors, lock-outs. */
import type { AuditEvent, AuditEventEntity, Coding } from '@medplum/fhirtypes';
import { entityKind, eventType, interactionSystem } from './codes.ts';

export type AccountAct =
  | 'password-changed'
  | 'temporary-password'
  | 'factor-added'
  | 'factor-removed'
  | 'recovery-codes-made'
  | 'recovery-code-used'
  | 'session-ended'
  /** A first proof was right and another step is asked for: `reason` says which. */
  | 'sign-in-begun'
  | 'locked-out';

export interface AccountSecurityEvent {
  kind: AccountAct;
  /** The account it happened to. */
  account: { reference: string; login: string };
  outcome: 'success' | 'refused';
  /** Category of what happened, in English: `totp`, `wrong password`; never anything typed. */
  reason?: string;
}

const attributesChanged: Coding = {
  system: eventType.securityAlert.system,
  code: '110137',
  display: 'User Security Attributes Changed',
};
const securityUser: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/object-role',
  code: '11',
  display: 'Security User Entity',
};

/** The part of the AuditEvent that says what happened, and to which account. */
export function accountSecurityEvent({ kind, account, outcome, reason }: AccountSecurityEvent): Pick<
  AuditEvent,
  'type' | 'subtype' | 'action' | 'outcome' | 'outcomeDesc'
> & {
  entity: AuditEventEntity[];
} {
  const own: Coding = { system: interactionSystem, code: kind };
  const isChange = !['locked-out', 'session-ended', 'sign-in-begun'].includes(kind);
  return {
    type: eventType.securityAlert,
    subtype: isChange ? [attributesChanged, own] : [own],
    action: 'E',
    outcome: outcome === 'success' ? '0' : '4',
    ...(reason ? { outcomeDesc: reason } : {}),
    entity: [
      {
        ...(account.reference ? { what: { reference: account.reference } } : {}),
        type: entityKind.person,
        role: securityUser,
        ...(account.login ? { name: account.login } : {}),
      },
    ],
  };
}
