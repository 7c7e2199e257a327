/**
 * Dates kept in columns of their own (`d1_lo`, `d1_hi`, …), because work lists sort by them; every other date parameter lives
 * in `fhir.date_key`. The order is that of the columns; migrations/0010_fhir_resources.sql makes them. Single-valued ones only.
 */
export const dateColumns: Readonly<Record<string, readonly string[]>> = {
  Appointment: ['date'],
  AuditEvent: ['date'],
  Communication: ['sent'],
  DiagnosticReport: ['date', 'issued'],
  DocumentReference: ['date'],
  Encounter: ['date'],
  Flag: ['date'],
  ImagingStudy: ['started'],
  Observation: ['date'],
  Patient: ['birthdate'],
  Procedure: ['date'],
  Provenance: ['recorded'],
  ServiceRequest: ['authored', 'occurrence'],
  Task: ['authored-on', 'modified'],
};
