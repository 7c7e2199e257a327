/** The journal's three fields as a FHIR search over AuditEvent. */
export interface JournalFields {
  /** Name, IPP, INS or reference. */
  patient: string;
  /** Beginning of the actor's name. */
  actor: string;
  /** `YYYY-MM-DD`, Paris days, both included. */
  from: string;
  to: string;
}

/** Events asked for at once. */
export const journalPageSize = 100;

export function journalQuery(fields: JournalFields): string {
  const parameters = new URLSearchParams();
  const patient = fields.patient.trim();
  if (/^(Patient\/)?[A-Za-z0-9.-]*-[A-Za-z0-9.-]+$/.test(patient) || patient.startsWith('Patient/')) {
    parameters.append('patient', patient.startsWith('Patient/') ? patient : `Patient/${patient}`);
  } else if (/^[\d ]+[A-B]?[\d ]*$/.test(patient) && patient !== '')
    parameters.append('patient.identifier', patient.replaceAll(' ', ''));
  else if (patient !== '') parameters.append('patient.name', patient);
  if (fields.actor.trim() !== '') parameters.append('agent-name:contains', fields.actor.trim());
  if (fields.from !== '') parameters.append('date', `ge${fields.from}`);
  if (fields.to !== '') parameters.append('date', `le${fields.to}`);
  parameters.append('_sort', '-date');
  parameters.append('_count', String(journalPageSize));
  return parameters.toString();
}
