/** The value sets of mappings/hl7v2 as FHIR resources: what requests are translated with can be expanded and validated like any other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ValueSet } from '@medplum/fhirtypes';
import { type MappingFiles, mappingsFolder } from './tables.ts';

const canonicalBase = 'https://fhir.passerelle.example/ValueSet/hl7v2-';

/**
 * One for each value set that lists codes. Some are extracts of national ones, so that the OID is an identifier here and the canonical
 * URL our own.
 */
export function mappedValueSets(folder = mappingsFolder): ValueSet[] {
  const { $schema: _schema, ...sets } = JSON.parse(
    readFileSync(join(folder, 'value-sets.json'), 'utf8'),
  ) as MappingFiles['value-sets'] & {
    $schema: string;
  };
  return Object.entries(sets).flatMap(([key, { name, oid, codes }]): ValueSet[] => {
    if (codes.length === 0) return [];
    const id = `hl7v2-${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const systems = Map.groupBy(codes, ({ system }) => system);
    return [
      {
        resourceType: 'ValueSet',
        id,
        url: `${canonicalBase}${id.slice('hl7v2-'.length)}`,
        ...(oid ? { identifier: [{ system: 'urn:ietf:rfc:3986', value: `urn:oid:${oid}` }] } : {}),
        title: name,
        language: 'fr',
        status: 'active',
        compose: {
          include: [...systems].map(([system, list]) => ({
            system,
            concept: list.map(({ code, display }) => ({ code, display })),
          })),
        },
      },
    ];
  });
}
