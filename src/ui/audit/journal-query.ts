/** The journal's fields as a FHIR search over AuditEvent. */
export interface JournalFields {
  /** `Patient/id`, `Task/id` or the id of a patient. */
  about: string;
  /** Literal reference of a person or machine. */
  actor: string;
  /** Key of `journalKinds`; empty for everything. */
  kind: string;
  /** Only what was refused or failed. */
  problems: boolean;
  /** `YYYY-MM-DD`, both included. */
  from: string;
  to: string;
}

/** Events asked for at once. */
const journalPageSize = 500;

/** What an auditor looks for by its nature: a search parameter with its value, under its French name. */
export const journalKinds: Readonly<Record<string, { label: string; parameter: 'type' | 'subtype'; value: string }>> = {
  signIns: { label: 'Connexions', parameter: 'type', value: '110114' },
  signatures: { label: 'Signatures', parameter: 'subtype', value: 'attest' },
  searches: { label: 'Recherches', parameter: 'subtype', value: 'search-type' },
  images: { label: 'Images', parameter: 'type', value: '110104' },
  exchanges: { label: 'Échanges et exports', parameter: 'type', value: '110106,110107' },
  security: { label: 'Sécurité et bris de glace', parameter: 'type', value: '110113' },
  operators: { label: 'Commandes d’exploitation', parameter: 'subtype', value: '110132,110139,110140,110101' },
  destroyed: { label: 'Destructions', parameter: 'type', value: 'destroy' },
};

export function journalQuery(fields: JournalFields): string {
  const parameters = new URLSearchParams();
  const about = fields.about.trim();
  if (about.startsWith('Patient/')) parameters.append('patient', about);
  else if (about.includes('/')) parameters.append('entity', about);
  else if (about !== '') parameters.append('patient', `Patient/${about}`);
  if (fields.actor !== '') parameters.append('agent', fields.actor);
  const kind = journalKinds[fields.kind];
  if (kind) parameters.append(kind.parameter, kind.value);
  if (fields.problems) parameters.append('outcome', '4,8,12');
  if (fields.from !== '') parameters.append('date', `ge${fields.from}`);
  if (fields.to !== '') parameters.append('date', `le${fields.to}`);
  parameters.append('_sort', '-date');
  parameters.append('_count', String(journalPageSize));
  return parameters.toString();
}
