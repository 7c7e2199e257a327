/**
 * Filters of compose, as far as they mean the same for every kind of system
 * (https://hl7.org/fhir/R4/valueset-filter-operator.html). Here: reading them; memory and tables each evaluate them.
 */
import type { SystemInfo } from './concept.ts';
import { invalid, notSupported, shown } from './problems.ts';
import type { Filter } from './selection.ts';

export type HierarchyOperator = 'is-a' | 'descendent-of' | 'is-not-a' | 'generalizes';

/** What a filter asks for, once understood. */
export type FilterQuestion =
  | { kind: 'hierarchy'; op: HierarchyOperator; code: string }
  /** Concepts directly below (`parent`) or above (`child`) these, or anywhere below them (`ancestor`). */
  | { kind: 'relative'; relative: 'parent' | 'child' | 'ancestor'; codes: readonly string[] }
  | { kind: 'codes'; codes: readonly string[] }
  | { kind: 'flag'; flag: 'inactive' | 'abstract'; values: readonly boolean[] }
  | { kind: 'values'; property: string; values: readonly string[] }
  | { kind: 'exists'; property: string }
  /** The whole of the value matches. `code` and `display` are properties here. */
  | { kind: 'regex'; property: string; pattern: string }
  | { kind: 'not'; of: FilterQuestion };

const ofCode = new Set(['concept', 'code']);
const relatives = new Set(['parent', 'child', 'ancestor']);
const flags: Readonly<Record<string, 'inactive' | 'abstract'>> = {
  inactive: 'inactive',
  notSelectable: 'abstract',
  abstract: 'abstract',
};
/** A pattern longer than this was not written by a person. */
const patternLimit = 500;

/** @throws FhirError 422 for operators and properties the system does not have. */
export function understandFilter(filter: Filter, info: SystemInfo): FilterQuestion {
  const { property, op, value } = filter;
  switch (op) {
    case 'is-a':
    case 'descendent-of':
    case 'is-not-a':
    case 'generalizes':
      if (!ofCode.has(property)) throw notSupported(`Filter ${op} is about codes, not about ${shown(property)}`);
      return { kind: 'hierarchy', op, code: value };
    case '=':
      return oneOf(property, [value], info);
    case 'in':
      return oneOf(property, listOf(value), info);
    case 'not-in':
      return { kind: 'not', of: oneOf(property, listOf(value), info) };
    case 'exists': {
      if (value !== 'true' && value !== 'false') throw invalid('The value of a filter "exists" is true or false');
      const known = ofCode.has(property) || property === 'display' || relatives.has(property);
      if (!known) knownProperty(property, info);
      const question: FilterQuestion = { kind: 'exists', property };
      return value === 'true' ? question : { kind: 'not', of: question };
    }
    case 'regex':
      if (value.length > patternLimit) throw invalid(`A regular expression has ${patternLimit} characters at most`);
      if (!ofCode.has(property) && property !== 'display') knownProperty(property, info);
      return { kind: 'regex', property: ofCode.has(property) ? 'code' : property, pattern: value };
    default:
      throw notSupported(`Filter operator ${shown(String(op))} is not supported`);
  }
}

function oneOf(property: string, values: readonly string[], info: SystemInfo): FilterQuestion {
  if (ofCode.has(property)) return { kind: 'codes', codes: values };
  if (property === 'parent' || property === 'child' || property === 'ancestor')
    return { kind: 'relative', relative: property, codes: values };
  const flag = flags[property];
  if (flag) return { kind: 'flag', flag, values: values.map((value) => value === 'true') };
  if (property !== 'display') knownProperty(property, info);
  return { kind: 'values', property, values };
}

function knownProperty(property: string, info: SystemInfo): void {
  if (!info.properties.some(({ code }) => code === property))
    throw notSupported(`Code system ${info.url} has no property ${shown(property)} here`);
}

function listOf(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
