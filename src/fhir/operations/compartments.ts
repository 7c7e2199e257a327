/**
 * Which resources belong to a patient or an encounter, by the search parameters that make the link
 * (https://hl7.org/fhir/R4/compartmentdefinition-patient.html, https://hl7.org/fhir/R4/compartmentdefinition-encounter.html).
 */
import type { ResourceType } from '@medplum/fhirtypes';

export type CompartmentName = 'Patient' | 'Encounter';

const patient: Partial<Record<ResourceType, string>> = {
  Account: 'subject',
  AdverseEvent: 'subject',
  AllergyIntolerance: 'patient recorder asserter',
  Appointment: 'actor',
  AppointmentResponse: 'actor',
  AuditEvent: 'patient',
  Basic: 'patient author',
  BodyStructure: 'patient',
  CarePlan: 'patient performer',
  CareTeam: 'patient participant',
  ChargeItem: 'subject',
  Claim: 'patient payee',
  ClaimResponse: 'patient',
  ClinicalImpression: 'subject',
  Communication: 'subject sender recipient',
  CommunicationRequest: 'subject sender recipient requester',
  Composition: 'subject author attester',
  Condition: 'patient asserter',
  Consent: 'patient',
  Coverage: 'policy-holder subscriber beneficiary payor',
  CoverageEligibilityRequest: 'patient',
  CoverageEligibilityResponse: 'patient',
  DetectedIssue: 'patient',
  DeviceRequest: 'subject performer',
  DeviceUseStatement: 'subject',
  DiagnosticReport: 'subject',
  DocumentManifest: 'subject author recipient',
  DocumentReference: 'subject author',
  Encounter: 'patient',
  EnrollmentRequest: 'subject',
  EpisodeOfCare: 'patient',
  ExplanationOfBenefit: 'patient payee',
  FamilyMemberHistory: 'patient',
  Flag: 'patient',
  Goal: 'patient',
  Group: 'member',
  ImagingStudy: 'patient',
  Immunization: 'patient',
  ImmunizationEvaluation: 'patient',
  ImmunizationRecommendation: 'patient',
  Invoice: 'subject patient recipient',
  List: 'subject source',
  MeasureReport: 'patient',
  Media: 'subject',
  MedicationAdministration: 'patient performer subject',
  MedicationDispense: 'subject patient receiver',
  MedicationRequest: 'subject',
  MedicationStatement: 'subject',
  MolecularSequence: 'patient',
  NutritionOrder: 'patient',
  Observation: 'subject performer',
  Patient: 'link',
  Person: 'patient',
  Procedure: 'patient performer',
  Provenance: 'patient',
  QuestionnaireResponse: 'subject author',
  RelatedPerson: 'patient',
  RequestGroup: 'subject participant',
  ResearchSubject: 'individual',
  RiskAssessment: 'subject',
  Schedule: 'actor',
  ServiceRequest: 'subject performer',
  Specimen: 'subject',
  SupplyDelivery: 'patient',
  SupplyRequest: 'subject',
  VisionPrescription: 'patient',
};

const encounter: Partial<Record<ResourceType, string>> = {
  CarePlan: 'encounter',
  CareTeam: 'encounter',
  ChargeItem: 'context',
  Claim: 'encounter',
  ClinicalImpression: 'encounter',
  Communication: 'encounter',
  CommunicationRequest: 'encounter',
  Composition: 'encounter',
  Condition: 'encounter',
  DeviceRequest: 'encounter',
  DiagnosticReport: 'encounter',
  DocumentManifest: 'related-ref',
  DocumentReference: 'encounter',
  ExplanationOfBenefit: 'encounter',
  Media: 'encounter',
  MedicationAdministration: 'context',
  MedicationRequest: 'encounter',
  NutritionOrder: 'encounter',
  Observation: 'encounter',
  Procedure: 'encounter',
  QuestionnaireResponse: 'encounter',
  RequestGroup: 'encounter',
  ServiceRequest: 'encounter',
  VisionPrescription: 'encounter',
};

const compartments = { Patient: patient, Encounter: encounter };

/** Beyond the definitions, because the record would be torn without them: the case and its images. */
const related: Record<CompartmentName, Partial<Record<ResourceType, string>>> = {
  Patient: { Task: 'patient' },
  Encounter: { Task: 'encounter', ImagingStudy: 'encounter' },
};

/** Types with members in the compartment, sorted; the patient's or encounter's own type is apart. */
export function compartmentTypes(name: CompartmentName): ResourceType[] {
  return (Object.keys({ ...compartments[name], ...related[name] }) as ResourceType[]).sort();
}

/** Search parameters that make a resource of the type a member; none when the type has no members. */
export function membershipParameters(name: CompartmentName, type: ResourceType): string[] {
  return (compartments[name][type] ?? related[name][type])?.split(' ') ?? [];
}
