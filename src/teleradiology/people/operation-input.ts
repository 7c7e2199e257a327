/** Parameters of the operations on people and rotas. */
import type { Parameters, ResourceType } from '@medplum/fhirtypes';
import { FhirError } from '../../fhir/index.ts';
import { text } from '../operations/parameters.ts';

/** Names of parameters are ours: none has a quote. */
const expressionOf = (name: string): string => `Parameters.parameter.where(name = '${name}')`;

/** Id of the one resource of this type a parameter names, as a Reference or as text (of a GET). @throws FhirError 400 */
export function idGiven(parameters: Parameters, name: string, type: ResourceType): string | undefined {
  const given = parameters.parameter?.filter((each) => each.name === name) ?? [];
  if (given.length === 0) return undefined;
  const reference = given[0]?.valueReference?.reference ?? text(parameters, name);
  const match = /^([A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/.exec(reference ?? '');
  if (given.length > 1 || match?.[1] !== type)
    throw new FhirError(400, 'invalid', `The parameter ${name} is one reference to a ${type}`, expressionOf(name));
  return match[2];
}

/** The same for a parameter that must be there. */
export function idRequired(parameters: Parameters, name: string, type: ResourceType): string {
  const id = idGiven(parameters, name, type);
  if (id === undefined)
    throw new FhirError(
      400,
      'required',
      `The parameter ${name} is missing: a reference to a ${type}`,
      expressionOf(name),
    );
  return id;
}

export function textRequired(parameters: Parameters, name: string): string {
  const value = text(parameters, name)?.trim();
  if (!value) throw new FhirError(400, 'required', `The parameter ${name} is missing`, expressionOf(name));
  return value;
}

/** An instant with its offset; undefined when the parameter is not there. @throws FhirError 400 */
export function instantGiven(parameters: Parameters, name: string): Date | undefined {
  const found = parameters.parameter?.find((each) => each.name === name);
  if (found === undefined) return undefined;
  const value = found.valueInstant ?? found.valueDateTime ?? found.valueString ?? '';
  const isInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/.test(value);
  if (!isInstant || Number.isNaN(Date.parse(value)))
    throw new FhirError(400, 'invalid', `The parameter ${name} is an instant with its offset`, expressionOf(name));
  return new Date(value);
}

export function instantRequired(parameters: Parameters, name: string): Date {
  const instant = instantGiven(parameters, name);
  if (instant === undefined)
    throw new FhirError(400, 'required', `The parameter ${name} is missing: an instant`, expressionOf(name));
  return instant;
}
