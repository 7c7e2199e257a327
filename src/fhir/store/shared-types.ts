/** What of the platform's tenant every other one may refer to, and so may read: directories, definitions, templates (design §5 rule 8). */
import type { ResourceType } from '@medplum/fhirtypes';

const directories = [
  'HealthcareService',
  'Location',
  'Organization',
  'OrganizationAffiliation',
  'Practitioner',
  'PractitionerRole',
] as const satisfies readonly ResourceType[];
const definitions = [
  'CodeSystem',
  'ConceptMap',
  'NamingSystem',
  'SearchParameter',
  'StructureDefinition',
  'ValueSet',
] as const satisfies readonly ResourceType[];
const templates = ['ActivityDefinition', 'PlanDefinition', 'Questionnaire'] as const satisfies readonly ResourceType[];

const shared: ReadonlySet<string> = new Set([...directories, ...definitions, ...templates]);

export function isSharedType(type: string): boolean {
  return shared.has(type);
}
