/** `ValueSet/$expand`: the codes of a value set (https://hl7.org/fhir/R4/valueset-operation-expand.html). */
import { randomUUID } from 'node:crypto';
import type { ValueSet, ValueSetExpansionParameter } from '@medplum/fhirtypes';
import type { OperationCall } from '../../contract.ts';
import { parseCanonical } from '../canonical.ts';
import type { SystemVersions } from '../compose.ts';
import type { TerminologyRoom } from '../create.ts';
import { type ExpandOptions, expandValueSet } from '../expand.ts';
import { invalid, notSupported } from '../problems.ts';
import { type Input, instanceOf, readInput, scopeOf } from './input.ts';
import { namedValueSet } from './validate-code.ts';

const parameters = [
  ...['url', 'valueSet', 'valueSetVersion', 'context', 'contextDirection', 'filter', 'date', 'offset', 'count'],
  ...['includeDesignations', 'designation', 'includeDefinition', 'activeOnly', 'excludeNested', 'excludeNotForUI'],
  ...['excludePostCoordinated', 'displayLanguage', 'exclude-system', 'system-version', 'check-system-version'],
  'force-system-version',
];

/** Parameters told again in the expansion, with the type R4 gives them. */
const repeated: Readonly<Record<string, 'valueString' | 'valueBoolean' | 'valueInteger' | 'valueUri' | 'valueCode'>> = {
  filter: 'valueString',
  date: 'valueString',
  offset: 'valueInteger',
  count: 'valueInteger',
  includeDesignations: 'valueBoolean',
  designation: 'valueString',
  activeOnly: 'valueBoolean',
  excludeNested: 'valueBoolean',
  excludeNotForUI: 'valueBoolean',
  displayLanguage: 'valueCode',
  'exclude-system': 'valueUri',
  'system-version': 'valueUri',
  'check-system-version': 'valueUri',
  'force-system-version': 'valueUri',
};

export async function expand(room: TerminologyRoom, call: OperationCall): Promise<ValueSet> {
  const input = readInput(call, parameters);
  for (const name of ['context', 'contextDirection'])
    if (input.text(name) !== undefined)
      throw notSupported(`Parameter ${name} is not supported: name the value set`, name);
  const given = (await instanceOf(call, 'ValueSet', room.ownById)) ?? input.resource<ValueSet>('ValueSet');
  const library = room.library(scopeOf(call.tx, input, given));
  const valueSet = given ?? (await namedValueSet(input, (reference) => library.valueSet(reference)));
  const expansion = await expandValueSet(library, valueSet, optionsOf(input));
  const { url, version, name, title, compose, status } = valueSet;
  return {
    resourceType: 'ValueSet',
    ...(url ? { url } : {}),
    ...(version ? { version } : {}),
    ...(name ? { name } : {}),
    ...(title ? { title } : {}),
    status: status ?? 'unknown',
    ...(input.flag('includeDefinition') && compose ? { compose } : {}),
    expansion: {
      identifier: `urn:uuid:${randomUUID()}`,
      timestamp: call.tx.context.now().toISOString(),
      total: expansion.total,
      offset: expansion.offset,
      parameter: [...repeatedParameters(input), ...expansion.parameters],
      ...(expansion.contains.length > 0 ? { contains: expansion.contains } : {}),
    },
  };
}

function optionsOf(input: Input): ExpandOptions {
  const filter = input.text('filter');
  const displayLanguage = input.text('displayLanguage');
  const count = input.whole('count');
  return {
    ...(filter === undefined || filter.trim() === '' ? {} : { filter }),
    ...(displayLanguage === undefined ? {} : { displayLanguage }),
    offset: input.whole('offset') ?? 0,
    ...(count === undefined ? {} : { count }),
    // Naming designations asks for them.
    designations: input.texts('designation'),
    includeDesignations: input.flag('includeDesignations') ?? input.texts('designation').length > 0,
    activeOnly: input.flag('activeOnly') ?? false,
    selectableOnly: input.flag('excludeNotForUI') ?? false,
    nested: input.flag('excludeNested') === false,
    excludedSystems: input.texts('exclude-system').map(parseCanonical),
    versions: {
      preferred: versionsOf(input, 'system-version'),
      forced: versionsOf(input, 'force-system-version'),
      checked: versionsOf(input, 'check-system-version'),
    } satisfies SystemVersions,
  };
}

function versionsOf(input: Input, name: string): ReadonlyMap<string, string> {
  return new Map(
    input.texts(name).map((text) => {
      const { url, version } = parseCanonical(text);
      if (version === undefined) throw invalid(`Parameter ${name} is system|version`, name);
      return [url, version];
    }),
  );
}

function repeatedParameters(input: Input): ValueSetExpansionParameter[] {
  return Object.entries(repeated).flatMap(([name, element]) =>
    input.texts(name).map((text): ValueSetExpansionParameter => {
      if (element === 'valueBoolean') return { name, valueBoolean: text === 'true' };
      if (element === 'valueInteger') return { name, valueInteger: Number(text) };
      return { name, [element]: text };
    }),
  );
}
