/** Coded elements (CE, CWE) ↔ FHIR codings, through the tables of code systems and value sets. */
import type { CodeableConcept, Coding } from '@medplum/fhirtypes';
import type { Segment } from './message.ts';
import { Refusal } from './refusal.ts';
import type { CodedElement, Tables } from './tables.ts';
import { location, type Translation } from './translation.ts';

/** FHIR URI of a v2 coding system name or OID; undefined when it is not in the tables. */
export function systemUri(name: string, tables: Tables): string | undefined {
  const wanted = name.toUpperCase();
  return tables['code-systems'].systems.find(
    (system) => system.oid === name || system.uri === name || system.v2.some((known) => known.toUpperCase() === wanted),
  )?.uri;
}

/**
 * The coded value of a field, checked against the element's value set. A known code gets the table's system and French
 * designation; an unknown code of a known system is kept as sent, with a warning, unless the set is closed.
 * @throws Refusal `field-missing` without a code, `bad-code` when it means nothing to us.
 */
export function codedValue(
  translation: Translation,
  segment: Segment,
  field: number,
  element: CodedElement,
  valueSetName: string,
): Coding {
  const { tables, site, warnings } = translation;
  const path = `${segment.name}-${field}`;
  const sent = segment.value(field);
  if (sent === undefined) throw new Refusal('field-missing', location(segment, field), { path, name: element.name });
  const set = tables['value-sets'][valueSetName];
  const code = site.aliases.find((alias) => alias.valueSet === valueSetName && alias.from === sent)?.to ?? sent;
  const known = set?.codes.find((candidate) => candidate.code === code);
  if (known) return { system: known.system, code: known.code, display: known.display };
  const systemField = segment.value(field, 3);
  const system = systemField === undefined ? set?.defaultSystem : systemUri(systemField, tables);
  if (!set || set.closed || system === undefined || (systemField === undefined && set.codes.length > 0)) {
    throw new Refusal('bad-code', location(segment, field), {
      path,
      name: element.name,
      expected: set ? `code de ${set.name} attendu` : 'code attendu',
    });
  }
  if (set.codes.length > 0) warnings.push(`${path} (${element.name}) : code hors de ${set.name}, gardé tel quel`);
  const display = segment.value(field, 2);
  return { system, code, ...(display === undefined ? {} : { display }) };
}

export function concept(coding: Coding): CodeableConcept {
  return { coding: [coding], ...(coding.display ? { text: coding.display } : {}) };
}
