/** Professionals (XCN) and structures (XON) ↔ Practitioner and Organization, with the national numbers normalised. */
import type { Identifier, Organization, Practitioner } from '@medplum/fhirtypes';
import { escapeText } from './escape.ts';
import type { Segment } from './message.ts';
import { Refusal } from './refusal.ts';
import type { Tables } from './tables.ts';
import { location, type Translation } from './translation.ts';

/**
 * A professional. National id `8` + RPPS and bare RPPS give the same two identifiers, so that one person is found by either.
 * @returns undefined when the field is empty. @throws Refusal when it has a name but no number.
 */
export function readPractitioner(
  { tables }: Translation,
  segment: Segment,
  field: number,
  name: string,
): Practitioner | undefined {
  if (segment.repetitions(field) === 0) return undefined;
  const id = segment.value(field);
  if (id === undefined) {
    throw new Refusal('field-missing', location(segment, field), {
      path: `${segment.name}-${field}.1`,
      name: `identifiant national : ${name}`,
    });
  }
  const family = segment.value(field, 2);
  const given = segment.value(field, 3);
  const title = segment.value(field, 6);
  const suffix = title !== undefined && tables.identifiers.professional.titlesAsSuffix.includes(title.toUpperCase());
  return {
    resourceType: 'Practitioner',
    identifier: practitionerIdentifiers(id, segment.value(field, 13) ?? '', segment.value(field, 9, 2), tables),
    ...(family || given
      ? {
          name: [
            {
              use: 'official',
              ...(family ? { family } : {}),
              ...(given ? { given: [given] } : {}),
              ...(title ? (suffix ? { suffix: [title.toUpperCase()] } : { prefix: [title] }) : {}),
            },
          ],
        }
      : {}),
  };
}

/** RPPS (11 digits) in a number sent as national id or as RPPS; undefined when it is neither. */
function rppsOf(id: string, type: string, tables: Tables): string | undefined {
  const { nationalPrefix, rppsType, nationalType } = tables.identifiers.professional;
  const national = /^\d{12}$/.test(id) && id.startsWith(nationalPrefix);
  if (national && (type === nationalType || type === rppsType || type === '')) return id.slice(1);
  return /^\d{11}$/.test(id) && (type === rppsType || type === '') ? id : undefined;
}

function practitionerIdentifiers(
  id: string,
  type: string,
  authority: string | undefined,
  tables: Tables,
): Identifier[] {
  const { professional, typeSystemInternational, typeSystemFrench } = tables.identifiers;
  const rpps = rppsOf(id, type, tables);
  if (rpps) {
    return [
      {
        use: 'official',
        type: { coding: [{ system: typeSystemInternational, code: professional.rppsType }] },
        system: professional.rppsSystem,
        value: rpps,
      },
      {
        type: { coding: [{ system: typeSystemFrench, code: professional.nationalType }] },
        system: professional.nationalSystem,
        value: `${professional.nationalPrefix}${rpps}`,
      },
    ];
  }
  const system = authority ? `urn:oid:${authority}` : professional.nationalSystem;
  return [
    { type: { coding: [{ system: typeSystemFrench, code: type || professional.nationalType }] }, system, value: id },
  ];
}

/** XCN of a professional, national id form; the CDA volume writes no title. */
export function writeXcn(practitioner: Practitioner, tables: Tables, options: { title: boolean }): string {
  const { professional } = tables.identifiers;
  const of = (system: string) => practitioner.identifier?.find((identifier) => identifier.system === system)?.value;
  const rpps = of(professional.rppsSystem);
  const id = of(professional.nationalSystem) ?? (rpps ? `${professional.nationalPrefix}${rpps}` : '');
  const name = practitioner.name?.find((candidate) => candidate.use === 'official') ?? practitioner.name?.[0];
  const title = options.title ? (name?.suffix?.[0] ?? name?.prefix?.[0] ?? '') : '';
  const authority = `${professional.namespace}&${professional.nationalSystem.replace('urn:oid:', '')}&ISO`;
  const leaves = [id, name?.family ?? '', name?.given?.[0] ?? '', '', '', title, '', ''].map((leaf) =>
    escapeText(leaf),
  );
  return [...leaves, authority, 'D', '', '', professional.nationalType].join('^');
}

/**
 * A structure. A national number (`1` + FINESS) and a bare FINESS give the same identifier.
 * @throws Refusal when it has no number.
 */
export function readOrganization(
  { tables }: Translation,
  segment: Segment,
  field: number,
  label: string,
): Organization {
  const name = segment.value(field, 1);
  const id = segment.value(field, 10) ?? segment.value(field, 3);
  const type = segment.value(field, 7) ?? '';
  if (id === undefined) {
    throw new Refusal('field-missing', location(segment, field), {
      path: `${segment.name}-${field}.10`,
      name: `identifiant : ${label}`,
    });
  }
  const { finess, typeSystemFrench, typeSystemInternational, ownBase } = tables.identifiers;
  const bare = finessOf(id, type, tables);
  const identifier: Identifier = bare
    ? {
        type: { coding: [{ system: typeSystemFrench, code: type === 'FINEJ' ? 'FINEJ' : 'FINEG' }] },
        system: finess.system,
        value: bare,
      }
    : {
        type: { coding: [{ system: typeSystemInternational, code: type || 'XX' }] },
        system: `${ownBase}structure/${encodeURIComponent(segment.value(field, 6, 2) ?? segment.value(field, 6) ?? 'local')}`,
        value: id,
      };
  return { resourceType: 'Organization', identifier: [identifier], ...(name ? { name } : {}) };
}

function finessOf(id: string, type: string, tables: Tables): string | undefined {
  const { finess } = tables.identifiers;
  if (!finess.typeCodes.includes(type)) return undefined;
  const form = /^[0-9][0-9AB]\d{7}$/i;
  if (form.test(id)) return id.toUpperCase();
  return id.startsWith(finess.nationalPrefix) && form.test(id.slice(1)) ? id.slice(1).toUpperCase() : undefined;
}

/** XON of a structure, by its geographic FINESS when it has one. */
export function writeXon(organization: Organization, tables: Tables): string {
  const { finess } = tables.identifiers;
  const candidates = organization.identifier?.filter((identifier) => identifier.system === finess.system) ?? [];
  const typeOf = (identifier: Identifier | undefined) => identifier?.type?.coding?.find((coding) => coding.code)?.code;
  const chosen = candidates.find((identifier) => typeOf(identifier) === 'FINEG') ?? candidates[0];
  const authority = `${finess.namespace}&${finess.nationalSystem.replace('urn:oid:', '')}&ISO`;
  const type = chosen ? (typeOf(chosen) ?? 'FINEG') : '';
  return [
    escapeText(organization.name ?? ''),
    '',
    '',
    '',
    '',
    authority,
    type,
    '',
    '',
    escapeText(chosen?.value ?? ''),
  ].join('^');
}
