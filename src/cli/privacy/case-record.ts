/**
 * What belongs to a case, and to it alone: everything of the patient's record that hangs together with the case's root Task, never by way
 * of what cases share (the patient, people, places, another case).
 */
import type { Resource } from '@medplum/fhirtypes';
import { type Context, patientRecord } from '../../fhir/index.ts';
import type { DataRoom } from '../data-room.ts';

/** Resources that are never a case's own: they are of the tenant, or of all cases of a patient. */
const shared =
  /^(Patient|Person|RelatedPerson|Organization|Practitioner|PractitionerRole|Device|Endpoint|Location|HealthcareService|Encounter|EpisodeOfCare|Coverage|AuditEvent|Subscription|[A-Z][A-Za-z]*Definition|ValueSet|CodeSystem|SearchParameter|Basic)\//;
const caseCode = 'teleradiology-case';

export interface PatientCases {
  /** Every resource of the record, by reference. */
  resources: ReadonlyMap<string, Resource>;
  /** Root Tasks of the cases, by reference. */
  cases: string[];
  /** What hangs together with a case. */
  recordOf(reference: string): Set<string>;
}

/** Reads the record of a patient, with the documents it names. */
export async function patientCases(store: DataRoom['store'], context: Context, patient: string): Promise<PatientCases> {
  const resources = new Map<string, Resource>();
  for (const version of await patientRecord(store, context, patient)) {
    resources.set(`${version.type}/${version.id}`, JSON.parse(version.text) as Resource);
  }
  await store.transaction(context, async (tx) => {
    for (const reference of [...resources.values()].flatMap(referencesIn)) {
      if (!reference.startsWith('Binary/') || resources.has(reference)) continue;
      const binary = await tx.find('Binary', reference.slice('Binary/'.length));
      if (binary) resources.set(reference, binary);
    }
    // Children and proofs name the case or its report, not always the patient.
    for (const reference of [...resources.keys()]) {
      const [type = '', id = ''] = reference.split('/');
      const found: Resource[] = [];
      if (type === 'Task') found.push(...(await tx.search('Task', `part-of=Task/${id}`)));
      if (type === 'Task' || type === 'DiagnosticReport' || type === 'DocumentReference') {
        found.push(...(await tx.search('Provenance', `target=${reference}`)));
      }
      for (const resource of found) resources.set(`${resource.resourceType}/${resource.id}`, resource);
    }
  });
  const cases = [...resources].filter(([, resource]) => isCase(resource)).map(([reference]) => reference);
  const neighbours = neighboursIn(resources);
  return {
    resources,
    cases,
    recordOf(root) {
      const reached = new Set([root]);
      for (const reference of reached) {
        for (const next of neighbours.get(reference) ?? []) {
          if (!cases.includes(next)) reached.add(next);
        }
      }
      return reached;
    },
  };
}

export function isCase(resource: Resource): boolean {
  return resource.resourceType === 'Task' && resource.code?.coding?.some(({ code }) => code === caseCode) === true;
}

/** Links between resources of the record, both ways, shared ones left out. */
function neighboursIn(resources: ReadonlyMap<string, Resource>): Map<string, Set<string>> {
  const neighbours = new Map<string, Set<string>>();
  const link = (from: string, to: string) => {
    const known = neighbours.get(from);
    if (known) known.add(to);
    else neighbours.set(from, new Set([to]));
  };
  for (const [reference, resource] of resources) {
    if (shared.test(reference)) continue;
    for (const target of referencesIn(resource)) {
      if (shared.test(target) || !resources.has(target)) continue;
      link(reference, target);
      link(target, reference);
    }
  }
  return neighbours;
}

/** Every `Type/id` a resource names, versions and addresses of ours cut to it. */
function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    if (typeof inner !== 'string' || (name !== 'reference' && name !== 'url')) return referencesIn(inner);
    const [, reference] = /(?:^|\/)([A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64})(?:\/_history\/\d+)?$/.exec(inner) ?? [];
    return reference ? [reference] : [];
  });
}
