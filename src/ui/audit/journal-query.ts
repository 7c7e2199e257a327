/** The journal's fields as a FHIR search over AuditEvent. */
export interface JournalFields {
  /** `Patient/id`, `Task/id` or the id of a patient. */
  about: string;
  /** Literal reference of a person or machine. */
  actor: string;
  /** `YYYY-MM-DD`, both included. */
  from: string;
  to: string;
}

/** Events asked for at once. */
export const journalPageSize = 500;

export function journalQuery(fields: JournalFields): string {
  const parameters = new URLSearchParams();
  const about = fields.about.trim();
  if (about.startsWith('Patient/')) parameters.append('patient', about);
  else if (about.includes('/')) parameters.append('entity', about);
  else if (about !== '') parameters.append('patient', `Patient/${about}`);
  if (fields.actor !== '') parameters.append('agent', fields.actor);
  if (fields.from !== '') parameters.append('date', `ge${fields.from}`);
  if (fields.to !== '') parameters.append('date', `le${fields.to}`);
  parameters.append('_sort', '-date');
  parameters.append('_count', String(journalPageSize));
  return parameters.toString();
}
