/** Identifiers: CX (patients, visits) and EI (orders, accession numbers) ↔ FHIR Identifier, by the rules of identifiers.json. */
import type { Identifier } from '@medplum/fhirtypes';
import { escapeText } from './escape.ts';
import type { Segment } from './message.ts';
import { Refusal } from './refusal.ts';
import type { Tables } from './tables.ts';
import { location } from './translation.ts';

/** Assigning authority of a CX: CX.4 = namespace & id & type of id. */
export interface Authority {
  namespace?: string;
  id?: string;
  /** Table 0301: ISO, M legal FINESS, N geographic FINESS, … */
  type?: string;
}

export function authorityOf(segment: Segment, field: number, repetition: number): Authority {
  return {
    namespace: segment.value(field, 4, 1, repetition),
    id: segment.value(field, 4, 2, repetition),
    type: segment.value(field, 4, 3, repetition),
  };
}

/** FHIR system of a local number: the OID, else our own address under `kind` with the FINESS or the namespace. */
function localSystem(authority: Authority, kind: string, tables: Tables): string | undefined {
  const { ownBase, finess } = tables.identifiers;
  if (authority.type === 'ISO' && authority.id && isOid(authority.id)) return `urn:oid:${authority.id}`;
  if (authority.type && authority.id && finess.authorityTypes[authority.type])
    return `${ownBase}${kind}/${uriPart(authority.id)}`;
  const name = authority.namespace ?? authority.id;
  return name === undefined ? undefined : `${ownBase}${kind}/${uriPart(name)}`;
}

/** A local number with what is needed to write it back as it came. */
export function localIdentifier(
  value: string,
  typeCode: string,
  authority: Authority,
  kind: string,
  tables: Tables,
): Identifier {
  const { typeSystemInternational, typeSystemFrench, finess } = tables.identifiers;
  const system = localSystem(authority, kind, tables);
  const finessType = authority.type === undefined ? undefined : finess.authorityTypes[authority.type];
  const assigner: Identifier['assigner'] = {
    ...(authority.namespace ? { display: authority.namespace } : {}),
    ...(finessType && authority.id
      ? {
          identifier: {
            type: { coding: [{ system: typeSystemFrench, code: finessType }] },
            system: finess.system,
            value: authority.id,
          },
        }
      : {}),
  };
  return {
    type: { coding: [{ system: typeSystemInternational, code: typeCode }] },
    ...(system ? { system } : {}),
    value,
    ...(assigner.display || assigner.identifier ? { assigner } : {}),
  };
}

/** CX of a local number: value, authority as it came (or as its system says), type. */
export function writeCx(identifier: Identifier, typeCode: string, tables: Tables): string {
  return `${escapeText(identifier.value ?? '')}^^^${writeAuthority(identifier, tables)}^${typeCode}`;
}

/** An order or accession number: EI with its authority's OID. @throws Refusal when the number or its authority is absent or malformed. */
export function entityIdentifier(
  segment: Segment,
  field: number,
  typeCode: string,
  name: string,
  tables: Tables,
): Identifier {
  const path = `${segment.name}-${field}`;
  const value = segment.value(field);
  if (value === undefined) throw new Refusal('field-missing', location(segment, field), { path, name });
  const oid = segment.value(field, 3);
  if (oid !== undefined && !isOid(oid)) {
    throw new Refusal('bad-type', location(segment, field), {
      path: `${path}.3`,
      name,
      expected: 'OID de l’autorité attendu',
    });
  }
  const namespace = segment.value(field, 2);
  if (oid === undefined && namespace === undefined) {
    throw new Refusal('field-missing', location(segment, field), { path: `${path}.3`, name: `autorité : ${name}` });
  }
  return {
    type: { coding: [{ system: tables.identifiers.typeSystemInternational, code: typeCode }] },
    system: oid
      ? `urn:oid:${oid}`
      : `${tables.identifiers.ownBase}${typeCode.toLowerCase()}/${uriPart(namespace ?? '')}`,
    value,
    ...(namespace ? { assigner: { display: namespace } } : {}),
  };
}

/** EI of an order number. */
export function writeEi(identifier: Identifier): string {
  const value = escapeText(identifier.value ?? '');
  const namespace = escapeText(identifier.assigner?.display ?? '');
  const oid = /^urn:oid:(.+)$/.exec(identifier.system ?? '')?.[1];
  return oid ? `${value}^${namespace}^${oid}^ISO` : `${value}^${namespace}`;
}

export function isOid(value: string): boolean {
  return value.length <= 64 && /^[0-2](\.(0|[1-9]\d*))+$/.test(value);
}

function writeAuthority(identifier: Identifier, tables: Tables): string {
  const { finess, ownBase } = tables.identifiers;
  const system = identifier.system ?? '';
  const name = identifier.assigner?.display;
  const oid = /^urn:oid:(.+)$/.exec(system)?.[1];
  if (oid) return `${escapeText(name ?? oid)}&${oid}&ISO`;
  const owner = identifier.assigner?.identifier;
  const finessType = Object.entries(finess.authorityTypes).find(
    ([, code]) => code === owner?.type?.coding?.[0]?.code,
  )?.[0];
  if (owner?.value && finessType) return `${escapeText(name ?? owner.value)}&${escapeText(owner.value)}&${finessType}`;
  const part = system.startsWith(ownBase) ? decodeURIComponent(system.slice(system.lastIndexOf('/') + 1)) : '';
  return escapeText(name ?? part);
}

function uriPart(value: string): string {
  return encodeURIComponent(value);
}
