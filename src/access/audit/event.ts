/** AuditEvents after IHE BALP, built from what happened. Pure; never a value of the resource, a token or a password in them. */
import type { AuditEvent, AuditEventEntity, Resource } from '@medplum/fhirtypes';
import type { Change, Context, ReadAccess } from '../../fhir/index.ts';
import { agents, type Flow, platformDevice, type Site } from './agents.ts';
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
import { patientOf } from './patient.ts';

/** Resources named one by one in an event; beyond, their number is said. Patients are named up to `patientsNamed`. */
const resourcesNamed = 50;
const patientsNamed = 1_000;
const requestIdLimit = 128;
/** Of a query, in bytes: longer ones are cut in the trail. */
const queryLimitBytes = 8_192;

const balp = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.';

/**
 * A read, a search or a history, with what it reached.
 * @param alsoAbout patients whom the resources concern without naming them.
 */
export function readEvent(
  context: Context,
  access: ReadAccess,
  site: Site,
  alsoAbout: readonly string[] = [],
): AuditEvent {
  const isQuery = access.query !== undefined || isQueryInteraction(context.interaction);
  const patients = distinct([...access.resources.map(patientOf), ...alsoAbout]);
  const isOne = access.resources.length === 1 && !isQuery;
  // Patients of a result are named as persons; the one resource of a read is the data, also when it is a Patient.
  const data = access.resources.filter((resource) => isOne || resource.resourceType !== 'Patient').map(dataReference);
  const { target } = access;
  // Nothing served: what was asked for is still worth knowing.
  if (access.resources.length === 0 && target?.id) data.push(`${target.type}/${target.id}`);
  const isRead = context.interaction === 'read' || context.interaction === 'vread';
  const profile = isQuery ? 'Query' : isRead && data.length === 1 ? 'Read' : undefined;
  return {
    ...frame(context, site, isQuery ? 'query' : 'read', profileOf(profile, patients.length === 1)),
    type: typeOf(context.interaction),
    subtype: subtypesOf(context.interaction),
    action: isQuery ? 'E' : 'R',
    outcome: outcomeCode[access.outcome],
    entity: [
      ...(isQuery ? [queryEntity(access.query ?? '')] : []),
      ...(isQuery ? resultEntities(data) : dataEntities(data)),
      ...patientEntities(patients),
      requestEntity(context),
    ],
  };
}

/** One transaction that wrote something. */
export function writeEvent(context: Context, changes: readonly Change[], site: Site): AuditEvent {
  const kinds = distinct(changes.map((change) => change.interaction));
  const [kind] = kinds;
  const patients = distinct(changes.map((change) => patientOf((change.after ?? change.before) as Resource)));
  const single = kinds.length === 1 && kind ? writeKind[kind] : undefined;
  return {
    ...frame(
      context,
      site,
      single?.flow ?? 'write',
      profileOf(changes.length === 1 ? single?.profile : undefined, patients.length === 1),
    ),
    type: typeOf(context.interaction),
    subtype: subtypesOf(context.interaction),
    action: single?.action ?? 'E',
    outcome: '0',
    entity: [
      ...dataEntities(changes.map((change) => `${change.type}/${change.id}/_history/${change.version}`)),
      ...patientEntities(patients),
      requestEntity(context),
    ],
  };
}

/** A demand that the policy refused: what was asked, and of what, not what it would have shown. */
export function refusalEvent(
  context: Context,
  demand: { interaction: string; type?: string; id?: string; operation?: string },
  site: Site,
): AuditEvent {
  const target = demand.type && (demand.id ? `${demand.type}/${demand.id}` : undefined);
  const isQuery = isQueryInteraction(demand.interaction);
  return {
    ...frame(context, site, isQuery ? 'query' : 'read', undefined),
    type: typeOf(demand.interaction),
    subtype: subtypesOf(demand.operation ? 'operation' : demand.interaction),
    action: 'E',
    outcome: outcomeCode.refused,
    outcomeDesc: `${demand.interaction} ${demand.type ?? ''} ${demand.operation ?? ''}`.replace(/\s+/g, ' ').trim(),
    entity: [...(target ? dataEntities([target]) : []), requestEntity(context)],
  };
}

/** Sign-in, its failure, and sign-out (DICOM PS3.15 A.5.3.11). Without an account, who tried is not known: nothing typed is kept. */
export function authenticationEvent(
  context: Context,
  event: { kind: 'login' | 'logout'; outcome: 'success' | 'refused'; reason?: string },
  site: Site,
): AuditEvent {
  return {
    ...frame(context, site, 'write', undefined),
    type: eventType.userAuthentication,
    subtype: [eventSubtype[event.kind]],
    action: 'E',
    outcome: event.outcome === 'success' ? '0' : '4',
    ...(event.reason ? { outcomeDesc: event.reason } : {}),
    entity: [requestEntity(context)],
  };
}

const outcomeCode = { success: '0', failed: '4', refused: '8' } as const;

const writeKind = {
  create: { action: 'C', flow: 'write', profile: 'Create' },
  update: { action: 'U', flow: 'write', profile: 'Update' },
  delete: { action: 'D', flow: 'delete', profile: 'Delete' },
} as const;

function frame(context: Context, site: Site, flow: Flow, profile: string | undefined) {
  return {
    resourceType: 'AuditEvent' as const,
    meta: { tag: [platformOrigin], ...(profile ? { profile: [profile] } : {}) },
    recorded: context.now().toISOString(),
    agent: agents(context, flow, site),
    source: { site: site.address, observer: { reference: platformDevice }, type: [applicationServer] },
  };
}

/** The `Patient` profiles want exactly one patient; an event about several follows the general one and names them all. */
function profileOf(name: string | undefined, onePatient: boolean): string | undefined {
  return name && `${balp}${onePatient ? 'Patient' : ''}${name}`;
}

function isQueryInteraction(interaction: string): boolean {
  return /^search-/.test(interaction) || /^dicomweb:(qido|query|search)/.test(interaction);
}

function dataReference(resource: Resource): string {
  const version = resource.meta?.versionId;
  return `${resource.resourceType}/${resource.id}${version ? `/_history/${version}` : ''}`;
}

/** The profiles want exactly one entity of type 2 (System Object): the one resource of a read or a write. */
function dataEntities(references: readonly string[]): AuditEventEntity[] {
  const [reference] = references;
  if (references.length !== 1 || !reference) return resultEntities(references);
  return [{ what: { reference }, type: entityKind.systemObject, role: entityRole.domainResource }];
}

/** Several resources, typed by what they are. */
function resultEntities(references: readonly string[]): AuditEventEntity[] {
  const named: AuditEventEntity[] = references.slice(0, resourcesNamed).map((reference) => ({
    what: { reference },
    type: { system: resourceTypes, code: reference.slice(0, reference.indexOf('/')) },
    role: entityRole.domainResource,
  }));
  const more = references.length - named.length;
  if (more > 0) {
    named.push({
      role: entityRole.domainResource,
      name: `${more} autres ressources`,
      detail: [{ type: 'resources', valueString: String(more) }],
    });
  }
  return named;
}

function patientEntities(patients: readonly string[]): AuditEventEntity[] {
  return patients.slice(0, patientsNamed).map((reference) => ({
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
    query: Buffer.from(query || '?')
      .subarray(0, queryLimitBytes)
      .toString('base64'),
  };
}

function requestEntity(context: Context): AuditEventEntity {
  // Before a session it is whatever the caller sent, up to what a header holds.
  const value = context.requestId.slice(0, requestIdLimit);
  return { what: { identifier: { value } }, type: entityKind.requestId };
}

function distinct<T>(values: readonly (T | undefined)[]): T[] {
  return [...new Set(values.filter((value) => value !== undefined))];
}
