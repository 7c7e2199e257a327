/** A search as data: written as a query for the server, and read as it is by the evaluator in memory. */
import type { SearchParameterDefinition } from '../../../../src/fhir/definitions/search-parameters.ts';

export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';

export type Value =
  /** `code`, `system|code`, `|code` (empty system) or `system|`. */
  | { kind: 'token'; system?: string; code?: string }
  | { kind: 'identifier-of-type'; system: string; code: string; value: string }
  | { kind: 'text'; text: string }
  | { kind: 'ordered'; prefix: Prefix; text: string; system?: string; code?: string }
  | { kind: 'composite'; parts: Value[] }
  | { kind: 'missing'; missing: boolean };

export type Condition =
  | { kind: 'parameter'; parameter: SearchParameterDefinition; modifier?: string; values: Value[] }
  | { kind: 'chain'; parameter: SearchParameterDefinition; target: string; of: Condition }
  | { kind: 'has'; type: string; parameter: SearchParameterDefinition; of: Condition };

export type FilterNode =
  | { kind: 'and' | 'or'; left: FilterNode; right: FilterNode }
  | { kind: 'not'; of: FilterNode }
  | { kind: 'test'; parameter: SearchParameterDefinition; operator: string; value: Value };

export interface Search {
  type: string;
  conditions: Condition[];
  filter?: FilterNode;
  sort: { parameter: SearchParameterDefinition; descending: boolean }[];
  include?: Include;
}

/** Resources of `type` point by the parameter: forward it is what they point to that comes along, in reverse they themselves do. */
export interface Include {
  reverse: boolean;
  type: string;
  parameter: SearchParameterDefinition;
  target?: string;
}

const escaped = (text: string) => text.replace(/[\\,|$]/g, '\\$&');

export function writeSearch({ conditions, filter, sort, include }: Search): string {
  const pairs = conditions.map((condition) => {
    const { name, value } = writeCondition(condition);
    return `${encodeURIComponent(name)}=${encodeURIComponent(value)}`;
  });
  if (filter) pairs.push(`_filter=${encodeURIComponent(writeFilter(filter))}`);
  if (sort.length > 0) {
    pairs.push(`_sort=${sort.map(({ parameter, descending }) => (descending ? '-' : '') + parameter.code).join(',')}`);
  }
  if (include) {
    const { reverse, type, parameter, target } = include;
    pairs.push(`${reverse ? '_revinclude' : '_include'}=${[type, parameter.code, target].filter(Boolean).join(':')}`);
  }
  return pairs.join('&');
}

function writeCondition(condition: Condition): { name: string; value: string } {
  const { code } = condition.parameter;
  switch (condition.kind) {
    case 'parameter': {
      const { modifier, values } = condition;
      return { name: modifier ? `${code}:${modifier}` : code, value: values.map(writeValue).join(',') };
    }
    case 'chain': {
      const inner = writeCondition(condition.of);
      return { name: `${code}:${condition.target}.${inner.name}`, value: inner.value };
    }
    case 'has': {
      const inner = writeCondition(condition.of);
      return { name: `_has:${condition.type}:${code}:${inner.name}`, value: inner.value };
    }
  }
}

function writeValue(value: Value): string {
  switch (value.kind) {
    case 'token':
      if (value.system === undefined) return escaped(value.code!);
      return `${escaped(value.system)}|${escaped(value.code ?? '')}`;
    case 'identifier-of-type':
      return [value.system, value.code, value.value].map(escaped).join('|');
    case 'text':
      return escaped(value.text);
    case 'ordered': {
      const { prefix, text, system, code } = value;
      const number = (prefix === 'eq' ? '' : prefix) + text;
      return code === undefined ? number : `${number}|${escaped(system ?? '')}|${escaped(code)}`;
    }
    case 'composite':
      return value.parts.map(writeValue).join('$');
    case 'missing':
      return String(value.missing);
  }
}

function writeFilter(filter: FilterNode): string {
  switch (filter.kind) {
    case 'not':
      return `not (${writeFilter(filter.of)})`;
    case 'test':
      return `${filter.parameter.code} ${filter.operator} ${JSON.stringify(filterText(filter.value))}`;
    default:
      return `(${writeFilter(filter.left)}) ${filter.kind} (${writeFilter(filter.right)})`;
  }
}

/** In a filter only bars are separators, and nothing escapes them: the codes tried have none. */
function filterText(value: Value): string {
  switch (value.kind) {
    case 'token':
      return value.system === undefined ? value.code! : `${value.system}|${value.code ?? ''}`;
    case 'text':
    case 'ordered':
      return value.text;
    case 'missing':
      return String(!value.missing);
    default:
      throw new Error(`no filter has a value of kind ${value.kind}`);
  }
}
