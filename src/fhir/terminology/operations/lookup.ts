/** `CodeSystem/$lookup`: everything known of a code (https://hl7.org/fhir/R4/codesystem-operation-lookup.html). */
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';
import type { OperationCall } from '../../contract.ts';
import { parseCanonical } from '../canonical.ts';
import type { Concept, ConceptProperty, Designation } from '../concept.ts';
import type { TerminologyRoom } from '../create.ts';
import { displayOf } from '../display.ts';
import { invalid, unknownCode, unknownSystem } from '../problems.ts';
import type { KnownSystem } from '../system.ts';
import { answer, readInput, scopeOf } from './input.ts';

const parameters = ['code', 'system', 'version', 'coding', 'date', 'displayLanguage', 'property'];
/** Children told of one code. */
const childLimit = 1000;

export async function lookup(room: TerminologyRoom, call: OperationCall): Promise<Parameters> {
  const input = readInput(call, parameters);
  const coding = input.coding('coding');
  const code = input.text('code') ?? coding?.code;
  const url = input.text('system') ?? coding?.system;
  if (code === undefined || url === undefined)
    throw invalid('$lookup needs code and system, or coding', code === undefined ? 'code' : 'system');
  if (coding && input.text('code') !== undefined)
    throw invalid('$lookup takes code and system, or coding, not both', 'coding');
  const version = input.text('version') ?? coding?.version;
  const canonical = { ...parseCanonical(url), ...(version ? { version } : {}) };
  const system = await room.library(scopeOf(call.tx, input)).codeSystem(canonical);
  if (!system) throw unknownSystem(url);
  const concept = await system.find(code);
  if (!concept) throw unknownCode(404, code, url);
  const asked = new Set(input.texts('property'));
  const wants = (name: string) => asked.size === 0 || asked.has(name) || asked.has('*');
  const { info } = system;
  const display = displayOf(concept, { wanted: input.text('displayLanguage'), language: info.language });
  return answer(
    { name: 'name', valueString: info.title ?? info.name },
    info.version ? { name: 'version', valueString: info.version } : undefined,
    { name: 'display', valueString: display ?? code },
    ...designations(concept, info.language)
      .filter(({ language }) => wants('designation') || asked.has(`lang.${language}`))
      .map(designationParameter),
    ...(await properties(system, concept)).filter(({ code: name }) => wants(name)).map(propertyParameter(system)),
  );
}

/** The system's own display is a designation in the system's language. */
function designations(concept: Concept, language: string | undefined): Designation[] {
  const own = concept.display === undefined || !language ? [] : [{ language, value: concept.display }];
  return [...own, ...concept.designations];
}

function designationParameter({ language, use, value }: Designation): ParametersParameter {
  return {
    name: 'designation',
    part: [
      ...(language ? [{ name: 'language', valueCode: language }] : []),
      ...(use ? [{ name: 'use', valueCoding: use }] : []),
      { name: 'value', valueString: value },
    ],
  };
}

/** Those of the concept, and what is known of it otherwise under the names R4 gives (https://hl7.org/fhir/R4/codesystem.html#defined-props). */
async function properties(system: KnownSystem, concept: Concept): Promise<ConceptProperty[]> {
  const children = (await system.children(concept.code)).slice(0, childLimit);
  const said = new Set(concept.properties.map(({ code }) => code));
  return [
    ...(concept.definition === undefined
      ? []
      : [{ code: 'definition', type: 'string' as const, value: concept.definition }]),
    ...(said.has('inactive') ? [] : [{ code: 'inactive', type: 'boolean' as const, value: String(concept.inactive) }]),
    ...(concept.abstract && !said.has('notSelectable')
      ? [{ code: 'notSelectable', type: 'boolean' as const, value: 'true' }]
      : []),
    ...concept.parents.map((value) => ({ code: 'parent', type: 'code' as const, value })),
    ...children.map((value) => ({ code: 'child', type: 'code' as const, value })),
    ...concept.properties,
  ];
}

function propertyParameter({ info }: KnownSystem) {
  const descriptions = new Map(info.properties.map(({ code, description }) => [code, description]));
  return (property: ConceptProperty): ParametersParameter => {
    const description = property.display ?? descriptions.get(property.code);
    return {
      name: 'property',
      part: [
        { name: 'code', valueCode: property.code },
        { name: 'value', ...typedValue(property) },
        ...(description ? [{ name: 'description', valueString: description }] : []),
      ],
    };
  };
}

function typedValue({ type, value, system, display }: ConceptProperty): Omit<ParametersParameter, 'name'> {
  switch (type) {
    case 'code':
      return { valueCode: value };
    case 'Coding':
      return { valueCoding: { ...(system ? { system } : {}), code: value, ...(display ? { display } : {}) } };
    case 'integer':
      return { valueInteger: Number(value) };
    case 'decimal':
      return { valueDecimal: Number(value) };
    case 'boolean':
      return { valueBoolean: value === 'true' };
    case 'dateTime':
      return { valueDateTime: value };
    default:
      return { valueString: value };
  }
}
