/** The parameters of $export (https://hl7.org/fhir/uv/bulkdata/export.html#query-parameters), from a GET or a POST alike. */
import type { Parameters, ResourceType } from '@medplum/fhirtypes';
import { FhirError, type OperationCall, parameterNamed } from '../contract.ts';
import { compartmentTypes } from '../operations/compartments.ts';
import { refusal, refuseOthers, textOnce, textsOf, typesOf } from '../operations/input.ts';
import { notPlain } from '../operations/plain-criteria.ts';
import { targetOf } from '../operations/targets.ts';
import { isResourceType } from '../validation/index.ts';
import type { ExportRequest } from './job.ts';

const formats = new Set(['application/fhir+ndjson', 'application/ndjson', 'ndjson']);
const understood = ['_outputFormat', '_since', '_until', '_type', '_typeFilter', '_elements', 'patient'];
const known = [...understood, 'includeAssociatedData', 'organizeOutputBy', 'allowPartialManifests'];
const filtersAtMost = 20;
const patientsAtMost = 10_000;

/** @throws FhirError 400 naming what is not understood; nothing is left aside silently. */
export function exportRequestOf(call: OperationCall, level: ExportRequest['level']): ExportRequest {
  const { parameters } = call;
  refuseOthers(parameters, known);
  for (const name of known.filter((each) => !understood.includes(each))) {
    if (textOnce(parameters, name) !== undefined) throw notSupported(`${name} is not supported`, name);
  }
  const format = textOnce(parameters, '_outputFormat')?.replace(' ', '+');
  if (format !== undefined && !formats.has(format)) {
    throw notSupported('_outputFormat is application/fhir+ndjson', '_outputFormat');
  }
  const types = exportedTypes(parameters, level);
  const elements = textsOf(parameters, '_elements').flatMap((text) => text.split(','));
  const patients = patientsGiven(call, level);
  const [since, until] = [instant(parameters, '_since'), instant(parameters, '_until')];
  const path = [call.type, call.id, '$export'].filter(Boolean).join('/');
  return {
    level,
    ...(level === 'group' ? { group: call.id! } : {}),
    ...(patients ? { patients } : {}),
    ...(types ? { types } : {}),
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
    filters: filtersGiven(parameters, level, types),
    ...(elements.length > 0 ? { elements: elements.map(elementName) } : {}),
    base: call.base,
    url: `${call.base}/${path}${call.query ? `?${call.query}` : ''}`,
  };
}

function exportedTypes(parameters: Parameters, level: ExportRequest['level']): ResourceType[] | undefined {
  const types = typesOf(parameters, '_type');
  if (level === 'system' || !types) return types;
  for (const type of types) requireRecord(type, '_type');
  return types;
}

/** @throws FhirError 400 for what a patient's record has nothing of. */
function requireRecord(type: ResourceType, parameter: string): void {
  if (type === 'Patient' || compartmentTypes('Patient').includes(type)) return;
  throw refusal(`${parameter}: ${type} belongs to no patient's record; export it at the system level`, parameter);
}

function patientsGiven(call: OperationCall, level: ExportRequest['level']): string[] | undefined {
  const given = (call.parameters.parameter ?? []).filter(({ name }) => name === 'patient');
  if (given.length === 0) return undefined;
  if (level === 'system') throw refusal('patient belongs to an export of patients or of a group', 'patient');
  if (given.length > patientsAtMost)
    throw refusal(`More than ${patientsAtMost} patients: make them a Group`, 'patient');
  return given.map(({ valueReference, valueString }) => {
    const target = targetOf(valueReference?.reference ?? valueString ?? '', call.base);
    if (target?.type !== 'Patient') throw refusal('patient is a reference to a Patient of this server', 'patient');
    return target.id;
  });
}

/** Comma separated in one parameter (a comma that begins a new `Type?`), or several parameters. */
function filtersGiven(
  parameters: Parameters,
  level: ExportRequest['level'],
  types: readonly ResourceType[] | undefined,
): ExportRequest['filters'] {
  const filters = textsOf(parameters, '_typeFilter').flatMap((text) => text.split(/,(?=[A-Z][A-Za-z]+\?)/));
  if (filters.length > filtersAtMost) throw refusal(`More than ${filtersAtMost} type filters`, '_typeFilter');
  return filters.map((filter) => {
    const mark = filter.indexOf('?');
    const type = filter.slice(0, Math.max(mark, 0)) as ResourceType;
    const query = filter.slice(mark + 1);
    if (!isResourceType(type) || query === '')
      throw refusal('_typeFilter is of the form Type?parameter=value', '_typeFilter');
    if (types && !types.includes(type))
      throw refusal(`_typeFilter: ${type} is not among the types asked for`, '_typeFilter');
    if (level !== 'system') requireRecord(type, '_typeFilter');
    const other = notPlain(new URLSearchParams(query).keys());
    if (other) throw notSupported(`_typeFilter: ${other.slice(0, 64)} is not supported here`, '_typeFilter');
    return { type, query };
  });
}

function elementName(text: string): string {
  const name = text.trim();
  if (!/^(?:[A-Z][A-Za-z]+\.)?[a-z][A-Za-z]*$/.test(name))
    throw refusal('_elements are of the form name or Type.name', '_elements');
  return name;
}

function instant(parameters: Parameters, name: string): string | undefined {
  const text = textOnce(parameters, name)?.replace(' ', '+');
  if (text === undefined) return undefined;
  const date = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(text) || Number.isNaN(date.getTime()))
    throw refusal(`${name} is an instant, with its time zone: 2026-11-23T08:00:00+01:00`, name);
  return date.toISOString();
}

function notSupported(diagnostics: string, name: string): FhirError {
  return new FhirError(400, 'not-supported', diagnostics, parameterNamed(name));
}
