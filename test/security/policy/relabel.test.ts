/** A database from before there were labels: after the command its cases are seen by their establishment, and by no other. */
import type {
  Binary,
  DiagnosticReport,
  Observation,
  Patient,
  Resource,
  ServiceRequest,
  Task,
} from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore, establishmentSystem, limitedTypes, relabel, systemContext } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/contract.ts';
import { testDatabase } from '../../support/database.ts';

let database: Database;
let store: RestStore;
const context = systemContext('aa', 'system:relabel', { now: () => new Date() });
const labels = (resource: Resource) =>
  (resource.meta?.security ?? []).flatMap(({ system, code }) => (system === establishmentSystem ? [code] : []));

beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
});
afterAll(() => database.close());

it('labels cases, what is part of them, and their patients; again changes nothing', async () => {
  // As a person without establishments: nothing is labelled.
  const before = { ...context, actor: { ...context.actor, kind: 'person' as const } };
  const made = await store.transaction(before, async (tx) => {
    const patient = await tx.create<Patient>({ resourceType: 'Patient' });
    const subject = { reference: `Patient/${patient.id}` };
    const parts: Resource[] = [patient];
    for (const establishment of ['north', 'south']) {
      const request = await tx.create<ServiceRequest>({
        resourceType: 'ServiceRequest',
        status: 'active',
        intent: 'order',
        subject,
      });
      const focus = { reference: `ServiceRequest/${request.id}` };
      const report = await tx.create<DiagnosticReport>({
        resourceType: 'DiagnosticReport',
        status: 'final',
        code: { text: 'x' },
        basedOn: [focus],
        subject,
      });
      const file = await tx.create<Binary>({
        resourceType: 'Binary',
        contentType: 'text/plain',
        securityContext: { reference: `DiagnosticReport/${report.id}` },
      });
      const task = await tx.create<Task>({
        resourceType: 'Task',
        status: 'requested',
        intent: 'order',
        focus,
        for: subject,
        requester: { reference: `Organization/${establishment}` },
      });
      parts.push(request, report, file, task);
    }
    parts.push(
      await tx.create<Observation>({ resourceType: 'Observation', status: 'final', code: { text: 'x' }, subject }),
    );
    return parts;
  });
  expect(made.flatMap(labels)).toEqual([]);
  const counts = await relabel(store, context, limitedTypes());
  expect(Object.fromEntries(counts)).toEqual({
    Task: 2,
    ServiceRequest: 2,
    Patient: 2,
    DiagnosticReport: 2,
    Binary: 2,
  });
  const now = await Promise.all(
    made.map(async ({ resourceType, id }) => labels(await store.read('aa', resourceType as 'Task', id!)).sort()),
  );
  const [north, south] = [['north'], ['south']];
  expect(now).toEqual([['north', 'south'], north, north, north, north, south, south, south, south, []]);
  expect((await relabel(store, context, limitedTypes())).size).toBe(0);
});
