/** Why data were used: what the role of the caller implies, unless the circumstances say otherwise (v3 PurposeOfUse). */
import type { CodeableConcept } from '@medplum/fhirtypes';

const system = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';

/** First match; a person may have several roles, and care comes first. */
const byRole: readonly (readonly [roles: readonly string[], code: string])[] = [
  [['radiologist', 'expert', 'requester', 'technologist', 'secretary', 'coordinator', 'ris', 'pacs'], 'TREAT'],
  [['quality'], 'HQUALIMP'],
  [['auditor'], 'HCOMPL'],
  [['administrator', 'support', 'system'], 'HSYSADMIN'],
];

/** Undefined when nothing is known: an invented purpose would be worse than none. */
export function purposeOf(roles: readonly string[], said: string | undefined): CodeableConcept[] | undefined {
  const code = said ?? byRole.find(([known]) => roles.some((role) => known.includes(role)))?.[1];
  return code === undefined ? undefined : [{ coding: [{ system, code }] }];
}
