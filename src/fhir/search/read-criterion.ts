/**
 * Reads one search parameter of a query as a criterion: a value with its modifier, a chain or a reverse chain
 * (https://hl7.org/fhir/R4/search.html#chaining, #has). Chains are read to their end, so that everything they touch is known.
 */
import { chainTypes } from './chain-types.ts';
import { splitValues } from './escapes.ts';
import { readFilter } from './filter.ts';
import { type Links, nextLink } from './links.ts';
import type { Parameter, ParameterRegistry } from './parameters.ts';
import { invalid, notSupported } from './refusals.ts';
import type { Criterion } from './request.ts';

const listLimit = 20;

/**
 * Reads `name=value` for a type; undefined when the type has no such parameter.
 * @throws FhirError 400 when the parameter is known and used wrongly, 422 `too-costly` for chains that lead to too many types.
 */
export function readCriterion(
  registry: ParameterRegistry,
  type: string,
  name: string,
  value: string,
  links: Links,
): Criterion | undefined {
  if (name.startsWith('_has:')) return readReverseChain(registry, name.slice(5), value, links);
  if (name === '_list') return readList(value);
  if (name === '_filter') return readFilter(registry, type, value, links);
  const dot = name.indexOf('.');
  const head = dot < 0 ? name : name.slice(0, dot);
  const [code, modifier, ...more] = head.split(':') as [string, string?, ...string[]];
  const parameter = registry.of(type).get(code);
  if (!parameter || more.length > 0) return undefined;
  if (dot >= 0) return readChain(registry, parameter, modifier, name.slice(dot + 1), value, links);
  const values = splitValues(value).filter((item) => item !== '');
  if (values.length === 0) throw invalid(`Search parameter ${name} has no value`);
  return { kind: 'clause', clause: { parameter, values, ...(modifier === undefined ? {} : { modifier }) } };
}

function readChain(
  registry: ParameterRegistry,
  parameter: Parameter,
  modifier: string | undefined,
  rest: string,
  value: string,
  links: Links,
): Criterion {
  const targets = chainTypes(registry, parameter, modifier).flatMap((type) => {
    const criterion = readCriterion(registry, type, rest, value, nextLink(links));
    return criterion ? [{ type, criterion }] : [];
  });
  if (targets.length === 0) {
    throw invalid(`${parameter.code} has no target with the search parameter ${rest.split(/[.:]/, 1)[0]}`);
  }
  return { kind: 'chain', parameter, targets };
}

function readReverseChain(
  registry: ParameterRegistry,
  name: string,
  value: string,
  links: Links,
): Criterion | undefined {
  const [type, code, ...rest] = name.split(':');
  if (!type || !code || rest.length === 0 || !registry.types.has(type)) return undefined;
  const parameter = registry.of(type).get(code);
  if (parameter?.type !== 'reference') return undefined;
  const criterion = readCriterion(registry, type, rest.join(':'), value, nextLink(links));
  return criterion && { kind: 'has', type, parameter, criterion };
}

/** `_list` (https://hl7.org/fhir/R4/search.html#list): ids of stored Lists; the functional lists need rules we do not have. */
function readList(value: string): Criterion {
  const ids = value.split(',').filter((id) => id !== '');
  for (const id of ids) {
    if (id.startsWith('$')) throw notSupported(`_list=${id.slice(0, 60)}: functional lists are not supported`);
    if (!/^(List\/)?[A-Za-z0-9.-]{1,64}$/.test(id)) throw invalid('_list takes the id of a List');
  }
  if (ids.length === 0) throw invalid('_list has no value');
  if (ids.length > listLimit) throw invalid(`_list takes ${listLimit} Lists at most`);
  return { kind: 'any', of: ids.map((id): Criterion => ({ kind: 'list', id: id.replace('List/', '') })) };
}
