/** Reads the parameters of a terminology operation, from a body or from an address (https://hl7.org/fhir/R4/operations.html#request). */
import type { CodeableConcept, Coding, Parameters, ParametersParameter, Resource } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction, type OperationCall } from '../../contract.ts';
import { validateResource } from '../../validation/index.ts';
import type { LibraryScope } from '../library.ts';
import { invalid, shown, tooCostly } from '../problems.ts';
import type { TerminologyResource, TerminologyType } from '../r4.ts';

export interface Input {
  text(name: string): string | undefined;
  texts(name: string): string[];
  flag(name: string): boolean | undefined;
  /** Not negative. */
  whole(name: string): number | undefined;
  coding(name: string): Coding | undefined;
  codings(name: string): Coding[];
  concept(name: string): CodeableConcept | undefined;
  resource<T extends TerminologyResource>(type: T['resourceType']): T | undefined;
  parts(name: string): ParametersParameter[][];
}

/**
 * @param known names the OperationDefinition gives; those beginning with `_` belong to every request.
 * @throws FhirError 400 for any other: what is not understood is not ignored.
 */
export function readInput(call: OperationCall, known: readonly string[]): Input {
  const list = call.parameters.parameter ?? [];
  const unknown = list.find(({ name }) => !known.includes(name) && !name.startsWith('_'));
  if (unknown)
    throw invalid(`Parameter ${shown(unknown.name)} is not supported here; known: ${known.join(', ')}`, unknown.name);
  const named = (name: string) => list.filter((parameter) => parameter.name === name);
  const one = (name: string) => {
    const found = named(name);
    if (found.length > 1) throw invalid(`Parameter ${name} is there ${found.length} times`, name);
    return found[0];
  };
  const codings = (name: string) =>
    named(name).map((parameter) => {
      if (!parameter.valueCoding) throw invalid(`Parameter ${name} is a Coding: send Parameters by POST`, name);
      return parameter.valueCoding;
    });
  return {
    text: (name) => primitiveOf(one(name)),
    texts: (name) => named(name).flatMap((parameter) => primitiveOf(parameter) ?? []),
    flag(name) {
      const text = primitiveOf(one(name));
      if (text === undefined) return undefined;
      if (text !== 'true' && text !== 'false') throw invalid(`Parameter ${name} is true or false`, name);
      return text === 'true';
    },
    whole(name) {
      const text = primitiveOf(one(name));
      if (text === undefined) return undefined;
      if (!/^\d{1,9}$/.test(text)) throw invalid(`Parameter ${name} is a whole number from 0`, name);
      return Number(text);
    },
    coding: (name) => (one(name) ? codings(name)[0] : undefined),
    codings,
    concept(name) {
      const parameter = one(name);
      if (parameter && !parameter.valueCodeableConcept)
        throw invalid(`Parameter ${name} is a CodeableConcept: send Parameters by POST`, name);
      return parameter?.valueCodeableConcept;
    },
    resource<T extends TerminologyResource>(type: T['resourceType']) {
      const name = type.charAt(0).toLowerCase() + type.slice(1);
      // A body that is no Parameters is the resource itself.
      const sent = call.resource ?? one(name)?.resource;
      if (sent && sent.resourceType !== type) throw invalid(`Parameter ${name} is a ${type}`, name);
      // Parameters came through validation, with what is in them; a body of its own did not.
      const issues = call.resource ? validateResource(call.resource) : [];
      if (issues.length > 0) throw FhirError.of(400, issues);
      return sent as T | undefined;
    },
    parts: (name) => named(name).map(({ part }) => part ?? []),
  };
}

function primitiveOf(parameter: ParametersParameter | undefined): string | undefined {
  if (!parameter) return undefined;
  const value = Object.entries(parameter).find(([key]) => key.startsWith('value'))?.[1] as unknown;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw invalid(`Parameter ${shown(parameter.name)} has no simple value`, parameter.name);
}

/** Codings of one CodeableConcept that are asked about: each is a search of its own. */
const questionsAtMost = 100;

/** @throws FhirError 422 `too-costly` for more codings than a concept is ever coded by. */
export function fewEnough<T>(questions: T[]): T[] {
  if (questions.length > questionsAtMost)
    throw tooCostly(`A concept with more than ${questionsAtMost} codings is not asked about`, 'codeableConcept');
  return questions;
}

/** Where an operation looks: the tenant of the call, over the connection of its transaction. */
export function scopeOf(
  tx: FhirTransaction,
  input: Input,
  ...given: (TerminologyResource | undefined)[]
): LibraryScope {
  const date = input.text('date');
  const asOf = date === undefined ? undefined : endOf(date);
  return {
    tenant: tx.context.tenant,
    sql: tx.sql,
    ...(asOf ? { asOf } : {}),
    given: given.filter((resource) => resource !== undefined),
  };
}

/** The last instant of a date of any precision. */
function endOf(date: string): Date {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(date);
  const instant = match
    ? new Date(
        match[3] === undefined
          ? Date.UTC(Number(match[1]), match[2] === undefined ? 12 : Number(match[2]), 1) - 1
          : Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]) + 1) - 1,
      )
    : new Date(date);
  if (Number.isNaN(instant.getTime())) throw invalid('Parameter date is no date', 'date');
  return instant;
}

/**
 * The resource an instance-level call is about: stored by the tenant, or one of our own definitions.
 * @throws FhirError 404, 410.
 */
export async function instanceOf<K extends TerminologyType>(
  call: OperationCall,
  type: K,
  own: (type: K, id: string) => Resource | undefined,
): Promise<Extract<TerminologyResource, { resourceType: K }> | undefined> {
  if (call.id === undefined) return undefined;
  type Found = Extract<TerminologyResource, { resourceType: K }>;
  const stored = (await call.tx.find(type, call.id)) as Found | undefined;
  return (
    stored ?? (own(type, call.id) as Found | undefined) ?? ((await call.tx.read(type, call.id)) as unknown as Found)
  );
}

/** An answer, without the parameters that say nothing. */
export function answer(...parameter: (ParametersParameter | undefined)[]): Parameters {
  return { resourceType: 'Parameters', parameter: parameter.filter((item) => item !== undefined) };
}
