/**
 * Acts that are neither a FHIR interaction nor a sign-in: exports, purges, changes of policy, break-glass, maintenance, operators'
 * commands. One record for all, told apart by its kind (DICOM PS3.16 CID 400, 401; ISO 21089).
 */
import type { AuditEvent, Coding } from '@medplum/fhirtypes';
import {
  dicomCode,
  entityKind,
  entityRole,
  eventSubtype,
  eventType,
  interactionSystem,
  lifecycleCode,
} from './codes.ts';

interface Said {
  type: Coding;
  subtype?: Coding;
  action: NonNullable<AuditEvent['action']>;
}

const alert = (code: string, display: string, action: Said['action'] = 'E'): Said => ({
  type: eventType.securityAlert,
  subtype: dicomCode(code, display),
  action,
});

const kinds = {
  /** Data leave as files. */
  export: { type: eventType.export, action: 'R' },
  /** Data arrive as files. */
  import: { type: eventType.import, action: 'C' },
  /** A message leaves: mail, notification. */
  'message-out': { type: eventType.export, action: 'R' },
  /** Data are destroyed by a rule. */
  purge: { type: lifecycleCode('destroy', 'Destroy/Delete'), action: 'D' },
  'policy-change': alert('110129', 'Security Configuration', 'U'),
  'account-change': alert('110137', 'User Security Attributes Changed', 'U'),
  /** A machine or an application gets a token, or is refused one (RFC 6749). */
  'token-issue': { type: eventType.userAuthentication, subtype: eventSubtype.login, action: 'E' },
  'token-end': { type: eventType.userAuthentication, subtype: eventSubtype.logout, action: 'E' },
  'break-glass-start': alert('110127', 'Emergency Override Started'),
  'break-glass-stop': alert('110138', 'Emergency Override Stopped'),
  'maintenance-start': alert('110139', 'Remote Service Operation Started'),
  'maintenance-stop': alert('110140', 'Remote Service Operation Stopped'),
  /** A DICOM association for images is accepted, and what became of them when it ended (PS3.15 §A.5.3.3, §A.5.3.7). */
  'association-start': { type: dicomCode('110102', 'Begin Transferring DICOM Instances'), action: 'E' },
  'association-end': { type: eventType.instancesTransferred, action: 'C' },
  /** Images refused, or set apart from the study they name (PS3.15 §A.5.3.7). */
  'instances-refused': { type: eventType.instancesTransferred, action: 'C' },
  /** A machine nobody registered, or that speaks for an establishment its certificate is not of. */
  'sender-refused': alert('110126', 'Node Authentication'),
  /** A file was infected, or could not be scanned. */
  malware: { type: eventType.securityAlert, action: 'E' },
  /** A command of the operator, at the machine itself. */
  'operator-command': alert('110132', 'Use of Restricted Function'),
  /** The trail itself was read, proven or copied by a command. */
  'audit-use': { type: dicomCode('110101', 'Audit Log Used'), action: 'R' },
} as const satisfies Record<string, Said>;

export type ActivityKind = keyof typeof kinds;

export const activityKinds = Object.keys(kinds) as readonly ActivityKind[];

export interface Activity {
  kind: ActivityKind;
  outcome?: 'success' | 'refused' | 'failed';
  /** Why, or why not; shown to auditors. Never patient data. */
  reason?: string;
  /** Resources it is about, `Type/[id]`. */
  objects?: readonly string[];
  /** `Patient/[id]`. */
  patients?: readonly string[];
  /** Facts beside: file, number, period. Never patient data. */
  details?: Readonly<Record<string, string>>;
}

const objectsNamed = 50;
const patientsNamed = 1_000;
const textLimit = 1_000;

/** The same, within its limits: what the journal keeps. */
export function keptActivity(activity: Activity): Activity {
  const { reason, objects = [], patients = [], details = {} } = activity;
  const cut = Object.entries(details).map(([name, value]) => [name, value.slice(0, textLimit)] as const);
  return {
    ...activity,
    ...(reason ? { reason: reason.slice(0, textLimit) } : {}),
    objects: objects.slice(0, objectsNamed),
    patients: [...new Set(patients)].slice(0, patientsNamed),
    details: Object.fromEntries(cut.filter((fact) => fact.every((text) => text.trim() !== ''))),
  };
}

/** What the event says of the activity; who and where is said elsewhere. */
export function activityEvent(activity: Activity, interaction: string) {
  const { kind, outcome = 'success', reason, objects = [], patients = [], details = {} } = activity;
  const { type, subtype, action }: Said = kinds[kind];
  const facts = Object.entries(details).map(([name, valueString]) => ({ type: name, valueString }));
  return {
    type,
    subtype: [...(subtype ? [subtype] : []), { system: interactionSystem, code: interaction }],
    action,
    outcome: ({ success: '0', failed: '4', refused: '8' } as const)[outcome],
    ...(reason ? { outcomeDesc: reason } : {}),
    entity: [
      ...objects.map((reference) => ({
        what: { reference },
        type: entityKind.systemObject,
        role: entityRole.domainResource,
      })),
      ...(facts.length > 0
        ? [{ type: entityKind.systemObject, role: entityRole.job, name: interaction, detail: facts }]
        : []),
      ...patients.map((reference) => ({
        what: { reference },
        type: entityKind.person,
        role: entityRole.patient,
      })),
    ],
  };
}
