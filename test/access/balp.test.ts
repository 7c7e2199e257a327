import type { AuditEvent, Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspectResource } from '../../src/fhir/validation/index.ts';
import { noa, openRig, type Rig, ris } from './support.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

const patient = (family: string): Patient => ({ resourceType: 'Patient', name: [{ family }], birthDate: '1980-05-02' });

const errorsOf = (event: AuditEvent) =>
  inspectResource(event).issues.filter(({ severity, code }) => severity === 'error' || code === 'not-found');

test('every event conforms to the BALP profile it declares, for each kind of interaction', async () => {
  const stored = await rig.store.transaction(rig.context(ris, 'create'), (tx) => tx.create(patient('TEST-UN')));
  await rig.store.transaction(rig.context(noa, 'update'), (tx) => tx.update({ ...stored, gender: 'female' }));
  await rig.store.transaction(rig.context(noa, 'create'), (tx) =>
    tx.create({ resourceType: 'Organization', name: 'TEST' }),
  );
  const read = { resources: [stored], outcome: 'success' as const };
  await rig.access.auditRead(rig.context(noa, 'read'), read);
  await rig.access.auditRead(rig.context(ris, 'vread'), read);
  await rig.access.auditRead(rig.context(noa, 'search-type'), { ...read, query: 'Patient?family=TEST' });
  await rig.access.auditRead(rig.context(noa, 'search-type'), { resources: [], query: '', outcome: 'success' });
  await rig.store.transaction(rig.context(noa, 'delete'), (tx) => tx.delete('Patient', stored.id));

  const events = await rig.trail();
  const profiles = new Set(events.flatMap(({ meta }) => meta?.profile?.map((url) => url.split('.').at(-1)) ?? []));
  for (const name of [
    'PatientCreate',
    'PatientUpdate',
    'PatientRead',
    'PatientQuery',
    'PatientDelete',
    'Create',
    'Query',
  ])
    expect(profiles).toContain(name);
  for (const event of events) expect(errorsOf(event), JSON.stringify(event)).toEqual([]);
});

test('an event without what its profile asks for would be refused', async () => {
  const stored = await rig.store.transaction(rig.context(ris, 'create'), (tx) => tx.create(patient('TEST-DEUX')));
  const [event] = await rig.trail(`patient=Patient/${stored.id}`);
  const { entity: _, ...withoutEntities } = event!;
  expect(errorsOf(withoutEntities as AuditEvent)).not.toEqual([]);
  expect(errorsOf({ ...event!, agent: event!.agent.slice(0, 1) })).not.toEqual([]);
  expect(errorsOf({ ...event!, action: 'R' })).not.toEqual([]);
});
