/** Which kind a request asks for, and where a case keeps it: a second coding of `Task.code`, and the plan it follows. */
import type { CodeableConcept, ServiceRequest, Task } from '@medplum/fhirtypes';
import { FhirError } from '../../fhir/index.ts';
import { codeOf, codeSystem, passerelle } from '../codes.ts';
import { type CaseKind, type KindDefinition, kindDefinition, ordinary } from './kind.ts';

/** Canonical address of the definition published of a kind. */
export const activityUrl = (kind: CaseKind): string => `${passerelle}/ActivityDefinition/${kind}`;

/** By `ServiceRequest.category`; teleradiology where it says nothing. @throws FhirError 422 for a kind there is not. */
export function kindAsked(request: Pick<ServiceRequest, 'category'>): KindDefinition {
  const code = request.category?.map((each) => codeOf(each, codeSystem.caseKind)).find((each) => each !== undefined);
  if (code === undefined) return ordinary;
  const kind = kindDefinition(code);
  if (kind === undefined)
    throw new FhirError(
      422,
      'code-invalid',
      `« ${code.slice(0, 64)} » n’est pas une sorte d’acte à distance.`,
      'ServiceRequest.category',
    );
  return kind;
}

/** The kind a case was opened as: a request that changes afterwards does not change it. */
export function kindOf(task: Pick<Task, 'code'>): KindDefinition {
  return kindDefinition(codeOf(task.code, codeSystem.caseKind) ?? '') ?? ordinary;
}

/** Elements of the Task of a new case that say its kind. */
export function kindElements(
  kind: KindDefinition,
  code: CodeableConcept,
): Pick<Task, 'code' | 'instantiatesCanonical'> {
  return {
    code: {
      ...code,
      coding: [...(code.coding ?? []), { system: codeSystem.caseKind, code: kind.code, display: kind.display }],
    },
    instantiatesCanonical: activityUrl(kind.code),
  };
}
