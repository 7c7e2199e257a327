/** Whether a case is urgent: an unknown urgency is, until somebody triages it. */

/**
 * @param priority `ServiceRequest.priority`; undefined when nobody said.
 * @param encounterClass PV1-2: E emergency, I in-patient, O out-patient, R recurring, N not applicable.
 */
export function urgencyOf(priority: string | undefined, encounterClass: string | undefined): 'urgent' | 'routine' {
  if (priority === 'urgent' || priority === 'asap' || priority === 'stat') return 'urgent';
  if (encounterClass === 'E' || encounterClass === 'I') return 'urgent';
  return priority === 'routine' || encounterClass === 'O' || encounterClass === 'R' ? 'routine' : 'urgent';
}
