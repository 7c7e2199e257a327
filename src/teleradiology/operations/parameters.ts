/** Reads the parameters of an operation; every text has a limit. */
import type { Coding, Parameters } from '@medplum/fhirtypes';
import { FhirError } from '../../fhir/index.ts';

/** One chapter of a report. */
export const maxChapterLength = 100_000;
/** Reasons, summaries, names. */
const maxLineLength = 4_000;
const maxReferenceLength = 128;
const maxRepetitions = 2_000;

/** Names the parameter at fault, wherever it stands. Names are ours: none has a quote. */
function expressionOf(name: string): string {
  return `Parameters.parameter.where(name = '${name}')`;
}

/** Values of a repeated text parameter. @throws FhirError 400 when a value is no text, too long, or one of too many. */
export function texts(parameters: Parameters, name: string, maxLength = maxLineLength): string[] {
  const found = (parameters.parameter ?? []).filter((parameter) => parameter.name === name);
  if (found.length > maxRepetitions)
    throw new FhirError(400, 'too-long', `Le paramètre « ${name} » est répété trop souvent.`, expressionOf(name));
  return found.map((parameter) => {
    const value =
      parameter.valueString ??
      parameter.valueCode ??
      parameter.valueMarkdown ??
      parameter.valueId ??
      parameter.valueUri ??
      parameter.valueOid;
    if (value === undefined)
      throw new FhirError(400, 'invalid', `Le paramètre « ${name} » doit être un texte.`, expressionOf(name));
    if (value.length > maxLength)
      throw new FhirError(
        400,
        'too-long',
        `Le paramètre « ${name} » dépasse ${maxLength} caractères.`,
        expressionOf(name),
      );
    return value;
  });
}

/** Value of a text parameter that occurs once at most. */
export function text(parameters: Parameters, name: string, maxLength = maxLineLength): string | undefined {
  const values = texts(parameters, name, maxLength);
  if (values.length > 1)
    throw new FhirError(400, 'invalid', `Le paramètre « ${name} » ne se répète pas.`, expressionOf(name));
  return values[0];
}

/** Value of a coding parameter. */
export function coding(parameters: Parameters, name: string): Coding | undefined {
  const found = parameters.parameter?.find((parameter) => parameter.name === name);
  if (found === undefined) return undefined;
  const value = found.valueCoding ?? found.valueCodeableConcept?.coding?.[0];
  if (value?.code === undefined)
    throw new FhirError(400, 'invalid', `Le paramètre « ${name} » doit être un code.`, expressionOf(name));
  return value;
}

/** Literal reference of a reference parameter, or of one given as text. */
export function reference(parameters: Parameters, name: string): string | undefined {
  const found = parameters.parameter?.find((parameter) => parameter.name === name);
  if (found?.valueReference === undefined) return text(parameters, name, maxReferenceLength);
  const value = found.valueReference.reference;
  if (value === undefined || value.length > maxReferenceLength)
    throw new FhirError(400, 'invalid', `Le paramètre « ${name} » doit être une référence.`, expressionOf(name));
  return value;
}

/** Value of a yes-or-no parameter; a form's text will do. */
export function flag(parameters: Parameters, name: string): boolean | undefined {
  const found = parameters.parameter?.find((parameter) => parameter.name === name);
  if (found === undefined) return undefined;
  if (found.valueBoolean !== undefined) return found.valueBoolean;
  if (found.valueString === 'true' || found.valueCode === 'true') return true;
  if (found.valueString === 'false' || found.valueCode === 'false') return false;
  throw new FhirError(400, 'invalid', `Le paramètre « ${name} » doit être vrai ou faux.`, expressionOf(name));
}

/** Value of a parameter that is a moment. @throws FhirError 400 when it is none, or a mere day. */
export function instant(parameters: Parameters, name: string): Date | undefined {
  const found = parameters.parameter?.find((parameter) => parameter.name === name);
  if (found === undefined) return undefined;
  const value = found.valueDateTime ?? found.valueInstant ?? found.valueString ?? '';
  const moment = new Date(value);
  if (!/T\d\d:\d\d.*(Z|[+-]\d\d:\d\d)$/.test(value) || Number.isNaN(moment.getTime()))
    throw new FhirError(400, 'invalid', `Le paramètre « ${name} » doit être un instant.`, expressionOf(name));
  return moment;
}
