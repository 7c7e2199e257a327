/** AuditEvents after IHE BALP, made from the journal's records. Pure: the same record always makes the same event. */
import type { AuditEvent, AuditEventEntity, Reference } from '@medplum/fhirtypes';
import { isResourceType } from '../../fhir/index.ts';
import { accountSecurityEvent } from './account-security.ts';
import { activityEvent } from './activity.ts';
import { agents, type Flow, platformDevice } from './agents.ts';
import {
  applicationServer,
  entityKind,
  entityRole,
  eventSubtype,
  eventType,
  platformOrigin,
  resourceTypes,
  subtypesOf,
  typeOf,
} from './codes.ts';
import { presentable } from './presentable.ts';
import { purposeOf } from './purpose.ts';
import {
  type AccountSecurityRecord,
  type ActivityRecord,
  type AuditRecord,
  type AuthenticationRecord,
  isQueryInteraction,
  type Named,
  type ReadRecord,
  type RefusalRecord,
  type WriteRecord,
} from './record.ts';

const balp = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.';

/** @param at instant the record was made. */
export function auditEvent(record: AuditRecord, at: Date): AuditEvent {
  return presentable(rendered(record, at));
}

function rendered(record: AuditRecord, at: Date): AuditEvent {
  switch (record.act) {
    case 'read':
      return readEvent(record, at);
    case 'write':
      return writeEvent(record, at);
    case 'refusal':
      return refusalEvent(record, at);
    case 'authentication':
      return authenticationEvent(record, at);
    case 'activity':
      return recordedActivity(record, at);
    case 'account-security':
      return accountEvent(record, at);
  }
}

function readEvent(record: ReadRecord, at: Date): AuditEvent {
  const { interaction, query, data, patients } = record;
  const isQuery = query !== undefined;
  const isRead = !isQuery && (interaction === 'read' || interaction === 'vread');
  // The profiles are about what succeeded.
  const isSearch = isQuery && /^search-/.test(interaction);
  const profile =
    record.outcome !== 'success' ? undefined : isSearch ? 'Query' : isRead && data.count === 1 ? 'Read' : undefined;
  return {
    ...frame(record, at, isQuery ? 'query' : 'read', profileOf(profile, patients.length === 1)),
    type: typeOf(interaction),
    subtype: subtypesOf(interaction),
    action: isQuery || record.reason !== undefined ? 'E' : 'R',
    outcome: outcomeCode[record.outcome],
    ...(record.reason === undefined ? {} : { outcomeDesc: record.reason }),
    entity: [
      ...(isQuery ? [queryEntity(query)] : []),
      ...(isQuery ? resultEntities(data) : dataEntities(data)),
      ...patientEntities(patients),
      requestEntity(record),
    ],
  };
}

function writeEvent(record: WriteRecord, at: Date): AuditEvent {
  const { interaction, kinds, data, patients } = record;
  const [kind] = kinds;
  const single = kinds.length === 1 && kind ? writeKind[kind] : undefined;
  const profile = data.count === 1 && /^(create|update|patch|delete)$/.test(interaction) ? single?.profile : undefined;
  // A PUT may create: the profile wants the code of what happened.
  const also =
    profile && kind && !(kind === 'update' && interaction === 'patch') && interaction !== kind ? subtypesOf(kind) : [];
  return {
    ...frame(record, at, single?.flow ?? 'write', profileOf(profile, patients.length === 1)),
    type: typeOf(interaction),
    subtype: [...subtypesOf(interaction), ...also],
    action: single?.action ?? 'E',
    outcome: '0',
    entity: [...dataEntities(data), ...patientEntities(patients), requestEntity(record)],
  };
}

function refusalEvent(record: RefusalRecord, at: Date): AuditEvent {
  const { interaction, type, id, operation } = record.demand;
  return {
    ...frame(record, at, isQueryInteraction(interaction) ? 'query' : 'read', undefined),
    type: typeOf(interaction),
    subtype: subtypesOf(operation ? 'operation' : interaction),
    action: 'E',
    outcome: outcomeCode.refused,
    outcomeDesc: [interaction, type, operation].filter(Boolean).join(' '),
    entity: [...(type && id ? dataEntities({ references: [`${type}/${id}`], count: 1 }) : []), requestEntity(record)],
  };
}

/** DICOM PS3.15 A.5.3.11. */
function authenticationEvent(record: AuthenticationRecord, at: Date): AuditEvent {
  const { kind, outcome, reason } = record.event;
  return {
    ...frame(record, at, 'write', undefined),
    type: eventType.userAuthentication,
    subtype: [eventSubtype[kind]],
    action: 'E',
    outcome: outcome === 'success' ? '0' : '4',
    ...(reason ? { outcomeDesc: reason } : {}),
    entity: [requestEntity(record)],
  };
}

function accountEvent(record: AccountSecurityRecord, at: Date): AuditEvent {
  const { entity, ...said } = accountSecurityEvent(record.event);
  return { ...frame(record, at, 'write', undefined), ...said, entity: [...entity, requestEntity(record)] };
}

function recordedActivity(record: ActivityRecord, at: Date): AuditEvent {
  const { entity, ...said } = activityEvent(record.activity, record.interaction);
  const flow = said.action === 'D' ? 'delete' : said.action === 'R' ? 'read' : 'write';
  return { ...frame(record, at, flow, undefined), ...said, entity: [...entity, requestEntity(record)] };
}

const outcomeCode = { success: '0', failed: '4', refused: '8' } as const;

const writeKind = {
  create: { action: 'C', flow: 'write', profile: 'Create' },
  update: { action: 'U', flow: 'write', profile: 'Update' },
  delete: { action: 'D', flow: 'delete', profile: 'Delete' },
} as const;

function frame(record: AuditRecord, at: Date, flow: Flow, profile: string | undefined) {
  const { site } = record;
  return {
    resourceType: 'AuditEvent' as const,
    meta: { tag: [platformOrigin], ...(profile ? { profile: [profile] } : {}) },
    recorded: at.toISOString(),
    purposeOfEvent: purposeOf(record.actor.roles, record.purpose),
    agent: agents(record, flow, site),
    source: { site: site.address, observer: { reference: platformDevice }, type: [applicationServer] },
  };
}

/** The `Patient` profiles want exactly one patient; an event about several follows the general one and names them all. */
function profileOf(name: string | undefined, onePatient: boolean): string | undefined {
  return name && `${balp}${onePatient ? 'Patient' : ''}${name}`;
}

/** The profiles want exactly one entity of type 2 (System Object): the one resource of a read or a write. */
function dataEntities(data: Named): AuditEventEntity[] {
  const [reference] = data.references;
  if (data.count !== 1 || !reference) return resultEntities(data);
  return [{ what: whatOf(reference), type: entityKind.systemObject, role: entityRole.domainResource }];
}

const literalReference = /^[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}(?:\/_history\/\d+)?$/;

/** Who asks for something that cannot be is told as they asked. */
function whatOf(reference: string): Reference {
  const [type = ''] = reference.split('/', 1);
  return literalReference.test(reference) && isResourceType(type)
    ? { reference }
    : { identifier: { value: reference.slice(0, 256) } };
}

/** Several resources, typed by what they are. */
function resultEntities({ references, count }: Named): AuditEventEntity[] {
  const entities: AuditEventEntity[] = references.map((reference) => ({
    what: whatOf(reference),
    type: { system: resourceTypes, code: reference.slice(0, reference.indexOf('/')) },
    role: entityRole.domainResource,
  }));
  const more = count - references.length;
  if (more > 0) {
    entities.push({
      role: entityRole.domainResource,
      name: `${more} autres ressources`,
      detail: [{ type: 'resources', valueString: String(more) }],
    });
  }
  return entities;
}

function patientEntities(patients: readonly string[]): AuditEventEntity[] {
  return patients.map((reference) => ({
    what: { reference },
    type: entityKind.person,
    role: entityRole.patient,
  }));
}

function queryEntity(query: string): AuditEventEntity {
  return {
    type: entityKind.systemObject,
    role: entityRole.query,
    // A search without any parameter is still a query: FHIR has no empty values, so it is written as the bare question mark.
    query: Buffer.from(query || '?').toString('base64'),
  };
}

function requestEntity({ requestId }: AuditRecord): AuditEventEntity {
  return { what: { identifier: { value: requestId } }, type: entityKind.requestId };
}
