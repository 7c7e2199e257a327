/** An incident as a FHIR resource: a Basic (R4 has no type for it) under our profile `security-incident`. */
import { createHash } from 'node:crypto';
import type { Basic, Extension } from '@medplum/fhirtypes';
import { passerelle } from '../codes.ts';
import { type Incident, type IncidentKind, incidentKinds } from './incident.ts';

export const incidentKindSystem = `${passerelle}/CodeSystem/security-incident-kind`;
export const incidentIdentifierSystem = `${passerelle}/sid/security-incident`;
const profile = `${passerelle}/StructureDefinition/security-incident`;
const extensionUrl = `${passerelle}/StructureDefinition/security-incident-facts`;

/** What two occurrences of one incident have in common; the subject itself may be an address or a name typed wrongly. */
export function incidentKey(kind: IncidentKind, subject: string): string {
  return `${kind}-${createHash('sha256').update(subject).digest('hex').slice(0, 32)}`;
}

export function incidentResource(incident: Incident, key: string): Basic {
  const { kind, severity, status, occurrences, first, last, account, network, detail, handling } = incident;
  const facts: Extension[] = [
    { url: 'severity', valueCode: severity },
    { url: 'status', valueCode: status },
    { url: 'occurrences', valueInteger: occurrences },
    { url: 'first', valueDateTime: first.toISOString() },
    { url: 'last', valueDateTime: last.toISOString() },
    ...textFacts({ account, network, detail, handling }),
  ];
  return {
    resourceType: 'Basic',
    meta: { profile: [profile] },
    extension: [{ url: extensionUrl, extension: facts }],
    identifier: [{ system: incidentIdentifierSystem, value: key }],
    code: {
      coding: [{ system: incidentKindSystem, code: kind, display: incidentKinds[kind].title }],
      text: incidentKinds[kind].title,
    },
    created: first.toISOString().slice(0, 10),
  };
}

/** @returns undefined for a Basic that is something else. */
export function incidentOf(resource: Basic): Incident | undefined {
  const kind = resource.code.coding?.find(({ system }) => system === incidentKindSystem)?.code;
  const facts = resource.extension?.find(({ url }) => url === extensionUrl)?.extension;
  if (!kind || !isIncidentKind(kind) || !facts) return undefined;
  const fact = (name: string) => facts.find(({ url }) => url === name);
  const text = (name: string) => fact(name)?.valueString;
  const named = {
    account: text('account'),
    network: text('network'),
    detail: text('detail'),
    handling: text('handling'),
  };
  return {
    kind,
    severity: incidentKinds[kind].severity,
    status: fact('status')?.valueCode === 'closed' ? 'closed' : 'open',
    occurrences: fact('occurrences')?.valueInteger ?? 1,
    first: new Date(fact('first')?.valueDateTime ?? 0),
    last: new Date(fact('last')?.valueDateTime ?? 0),
    ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
  };
}

function isIncidentKind(code: string): code is IncidentKind {
  return Object.hasOwn(incidentKinds, code);
}

function textFacts(values: Record<string, string | undefined>): Extension[] {
  return Object.entries(values).flatMap(([url, value]) => (value ? [{ url, valueString: value }] : []));
}
