/**
 * $validate: https://hl7.org/fhir/R4/resource-operation-validate.html, against the base definitions of R4, the profiles the program
 * brings and those the tenant has stored.
 */
import type { OperationOutcome, OperationOutcomeIssue, Resource, ResourceType } from '@medplum/fhirtypes';
import { FhirError, type Operation, type OperationCall, parameterNamed } from '../contract.ts';
import type { RestTransaction } from '../store/contract.ts';
import { inspectInTenant } from '../validation/tenant.ts';

const modes = ['create', 'update', 'delete', 'profile'];

/** Offered on every type; an instance without a resource in the request is validated as it is stored. */
export function validateOperations(type: ResourceType): readonly Operation[] {
  const run = (call: OperationCall) => validate(type, call);
  return [
    { name: 'validate', type, level: 'type', affectsState: false, run },
    { name: 'validate', type, level: 'instance', affectsState: false, run },
  ];
}

async function validate(type: ResourceType, call: OperationCall): Promise<OperationOutcome> {
  const parameters = call.parameters.parameter ?? [];
  const texts = (name: string) => parameters.filter((each) => each.name === name).flatMap((each) => textOf(each) ?? []);
  const [mode] = texts('mode');
  if (mode !== undefined && !modes.includes(mode))
    throw new FhirError(400, 'code-invalid', `mode must be one of ${modes.join(', ')}`, parameterNamed('mode'));
  if (mode === 'delete') return outcome(await deletionIssues(type, call));
  const profiles = texts('profile');
  if (mode === 'profile' && profiles.length === 0)
    throw new FhirError(400, 'required', 'mode profile needs the parameter profile', parameterNamed('profile'));
  const given = call.resource ?? parameters.find(({ name }) => name === 'resource')?.resource;
  if (!given && !call.id)
    throw new FhirError(400, 'required', 'the parameter resource is required', parameterNamed('resource'));
  const resource = given ?? (await call.tx.read(type, call.id!));
  // Every transaction of the store is one; another may know no terminology.
  const terminology = (call.tx as Partial<RestTransaction>).terminology?.();
  return outcome([
    ...typeIssues(type, resource),
    ...idIssues(type, resource, mode, call.id),
    ...(await inspectInTenant(call.tx, resource, { profiles, terminology })),
  ]);
}

function textOf(parameter: {
  valueCode?: string;
  valueUri?: string;
  valueString?: string;
  valueCanonical?: string;
}): string | undefined {
  return parameter.valueCode ?? parameter.valueUri ?? parameter.valueCanonical ?? parameter.valueString;
}

function issue(code: OperationOutcomeIssue['code'], diagnostics: string, expression?: string): OperationOutcomeIssue {
  return { severity: 'error', code, diagnostics, ...(expression ? { expression: [expression] } : {}) };
}

function typeIssues(type: string, resource: Resource): OperationOutcomeIssue[] {
  return resource.resourceType === type ? [] : [issue('invalid', `the resource must be a ${type}`, 'resourceType')];
}

/** An update names the instance it is about. */
function idIssues(
  type: string,
  resource: Resource,
  mode: string | undefined,
  id: string | undefined,
): OperationOutcomeIssue[] {
  if (mode !== 'update') return [];
  if (resource.id === undefined) return [issue('required', 'an update needs an id', `${type}.id`)];
  if (id !== undefined && resource.id !== id) return [issue('value', 'must be the id of the instance', `${type}.id`)];
  return [];
}

/** Deleting needs nothing to be valid, but something to delete. */
async function deletionIssues(type: ResourceType, call: OperationCall): Promise<OperationOutcomeIssue[]> {
  if (type === 'AuditEvent') return [issue('not-supported', 'AuditEvent is append-only')];
  if (call.id === undefined || (await call.tx.find(type, call.id))) return [];
  return [issue('not-found', `there is no ${type} of this id`)];
}

function outcome(issues: OperationOutcomeIssue[]): OperationOutcome {
  const fine: OperationOutcomeIssue = {
    severity: 'information',
    code: 'informational',
    diagnostics: 'the resource is valid',
  };
  const isValid = issues.every(({ severity }) => severity !== 'error');
  return { resourceType: 'OperationOutcome', issue: isValid ? [fine, ...issues] : issues };
}
