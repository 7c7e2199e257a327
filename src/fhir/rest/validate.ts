/** $validate: https://hl7.org/fhir/R4/resource-operation-validate.html, against the base definitions of R4. */
import type { OperationOutcome, OperationOutcomeIssue, Resource, ResourceType } from '@medplum/fhirtypes';
import { FhirError, type Operation, type OperationCall } from '../contract.ts';
import { validateResource } from '../validation/index.ts';

const baseProfiles = 'http://hl7.org/fhir/StructureDefinition/';

/** Offered on every type; an instance without a resource in the request is validated as it is stored. */
export function validateOperations(type: ResourceType): readonly Operation[] {
  const run = (call: OperationCall) => validate(type, call);
  return [
    { name: 'validate', type, level: 'type', affectsState: false, run },
    { name: 'validate', type, level: 'instance', affectsState: false, run },
  ];
}

async function validate(type: ResourceType, call: OperationCall): Promise<OperationOutcome> {
  const parameter = (name: string) => call.parameters.parameter?.find((candidate) => candidate.name === name);
  const given = call.resource ?? parameter('resource')?.resource;
  // Deleting needs nothing to be valid.
  if (textOf(parameter('mode')) === 'delete') return outcome([]);
  if (!given && !call.id)
    throw new FhirError(400, 'required', 'the parameter resource is required', 'Parameters.parameter');
  const resource = given ?? (await call.tx.read(type, call.id!));
  return outcome([
    ...typeIssues(type, resource),
    ...validateResource(resource),
    ...profileIssues(type, textOf(parameter('profile'))),
  ]);
}

function textOf(
  parameter: { valueCode?: string; valueUri?: string; valueString?: string; valueCanonical?: string } | undefined,
): string | undefined {
  return parameter?.valueCode ?? parameter?.valueUri ?? parameter?.valueCanonical ?? parameter?.valueString;
}

function typeIssues(type: string, resource: Resource): OperationOutcomeIssue[] {
  if (resource.resourceType === type) return [];
  return [
    { severity: 'error', code: 'invalid', diagnostics: `the resource must be a ${type}`, expression: ['resourceType'] },
  ];
}

function profileIssues(type: string, profile: string | undefined): OperationOutcomeIssue[] {
  if (profile === undefined || profile === `${baseProfiles}${type}`) return [];
  return [
    {
      severity: 'error',
      code: 'not-supported',
      diagnostics: 'only the base definitions of R4 can be validated against',
    },
  ];
}

function outcome(issues: OperationOutcomeIssue[]): OperationOutcome {
  const fine: OperationOutcomeIssue = {
    severity: 'information',
    code: 'informational',
    diagnostics: 'the resource is valid',
  };
  return { resourceType: 'OperationOutcome', issue: issues.length > 0 ? issues : [fine] };
}
