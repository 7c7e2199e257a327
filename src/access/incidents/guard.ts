/** Who may write incidents: the platform alone makes them; people close them with a word, and change nothing else. */

import { isDeepStrictEqual } from 'node:util';
import type { Basic } from '@medplum/fhirtypes';
import { type Change, FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { type Incident, incidentKinds } from './incident.ts';
import { incidentKindSystem, incidentOf } from './resource.ts';

export function guardIncidents(change: Change, { context }: Pick<FhirTransaction, 'context'>): void {
  if (change.type !== 'Basic' || context.actor.kind === 'system') return;
  const before = incidentIn(change.before as Basic | undefined);
  const after = incidentIn(change.after as Basic | undefined);
  if (!before && !after) return;
  if (!before) throw refused('Incidents are recorded by the platform itself', 'Basic.code');
  if (!after) throw refused('Incidents are neither removed nor made into something else', 'Basic');
  if (!isDeepStrictEqual(untouchable(before), untouchable(after))) {
    throw refused('Of an incident only its status and handling change', 'Basic.extension');
  }
  if (after.status === 'closed' && !after.handling?.trim()) {
    throw refused('An incident is closed with what was done about it (handling)', 'Basic.extension');
  }
}

/** The incident, also of a Basic that has its kind but is not one: nobody makes such a thing either. */
function incidentIn(resource: Basic | undefined): Incident | undefined {
  if (!resource?.code?.coding?.some(({ system }) => system === incidentKindSystem)) return undefined;
  return incidentOf(resource) ?? { ...nothing };
}

const nothing: Incident = {
  kind: Object.keys(incidentKinds)[0] as Incident['kind'],
  severity: 'information',
  status: 'open',
  occurrences: 0,
  first: new Date(0),
  last: new Date(0),
};

function untouchable({
  status: _status,
  handling: _handling,
  ...facts
}: Incident): Omit<Incident, 'status' | 'handling'> {
  return facts;
}

function refused(diagnostics: string, expression: string): FhirError {
  return new FhirError(422, 'business-rule', diagnostics, expression);
}
