/** Input parameters of an operation, from a Parameters body or a query alike (https://hl7.org/fhir/R4/operations.html#request). */
import type { Parameters, ParametersParameter, ResourceType } from '@medplum/fhirtypes';
import { FhirError, type OperationCall, parameterNamed } from '../contract.ts';
import { isResourceType } from '../validation/index.ts';

/** Values of a parameter as text: a query has no types, a body has whichever the caller thought right. */
export function textsOf(parameters: Parameters, name: string): string[] {
  return (parameters.parameter ?? [])
    .filter((parameter) => parameter.name === name)
    .flatMap((part) => textOf(part) ?? []);
}

function textOf(part: ParametersParameter): string | undefined {
  const value = Object.entries(part).find(([property]) => property.startsWith('value'))?.[1];
  return typeof value === 'object' || value === undefined ? undefined : String(value);
}

/** @throws FhirError 400 when it is given more than once. */
export function textOnce(parameters: Parameters, name: string): string | undefined {
  const values = textsOf(parameters, name);
  if (values.length > 1) throw refusal(`${name} is given more than once`, name);
  return values[0] === '' ? undefined : values[0];
}

/** @throws FhirError 400 for anything but true and false. */
export function booleanOnce(parameters: Parameters, name: string): boolean | undefined {
  const text = textOnce(parameters, name);
  if (text === undefined) return undefined;
  if (text !== 'true' && text !== 'false') throw refusal(`${name} is true or false`, name);
  return text === 'true';
}

/** A whole number from 1 up; more than `limit` counts as `limit`. @throws FhirError 400. */
export function countOnce(parameters: Parameters, name: string, limit: number): number | undefined {
  const text = textOnce(parameters, name);
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw refusal(`${name} is a whole number from 1 up`, name);
  return Math.min(Number(text), limit);
}

/** Comma separated names of resource types, in any number of parameters. @throws FhirError 400 for a name that is none. */
export function typesOf(parameters: Parameters, name: string): ResourceType[] | undefined {
  const names = textsOf(parameters, name)
    .flatMap((text) => text.split(','))
    .map((type) => type.trim());
  const unknown = names.find((type) => !isResourceType(type));
  if (unknown !== undefined) throw refusal(`${name}: ${unknown.slice(0, 64)} is no resource type`, name);
  return names.length === 0 ? undefined : ([...new Set(names)] as ResourceType[]);
}

/** @throws FhirError 400 naming the first parameter that is not one of `known`: what is not understood would not be honoured. */
export function refuseOthers(parameters: Parameters, known: readonly string[]): void {
  const other = (parameters.parameter ?? []).find(({ name }) => !known.includes(name ?? ''));
  if (!other) return;
  const name = other.name ?? '';
  throw refusal(`Unknown parameter "${name.slice(0, 64)}". Known: ${known.join(', ')}`, name);
}

/** @param name the parameter at fault. */
export function refusal(diagnostics: string, name: string): FhirError {
  return new FhirError(400, 'invalid', diagnostics, parameterNamed(name));
}

/** The resource an operation was given: the body itself, or a parameter of that name. */
export function resourceGiven(call: Pick<OperationCall, 'resource' | 'parameters'>, name: string): unknown {
  return call.resource ?? call.parameters.parameter?.find((parameter) => parameter.name === name)?.resource;
}
