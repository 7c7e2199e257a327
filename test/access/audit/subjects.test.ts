/** What is remembered of whom a version is about is never told of another version. */
import type { Resource } from '@medplum/fhirtypes';
import { expect, test } from 'vitest';
import { rememberSubjects } from '../../../src/access/audit/subjects.ts';
import type { ServedVersion } from '../../../src/fhir/index.ts';

const report = (patient: string | undefined, version = 1, updated = '2026-03-01T08:00:00Z'): ServedVersion => ({
  type: 'DiagnosticReport',
  id: 'r1',
  version,
  updated: new Date(updated),
  text: JSON.stringify({
    resourceType: 'DiagnosticReport',
    id: 'r1',
    ...(patient === undefined ? {} : { subject: { reference: `Patient/${patient}` } }),
  } as Resource),
});

test('each version, each tenant and each life of an id has its own patient', () => {
  const subjectOf = rememberSubjects(() => 'http://passerelle.test/fhir');
  const about = (tenant: string, version: ServedVersion) => subjectOf(tenant, version).patients;
  for (const _ of ['asked', 'remembered']) {
    expect(about('aa', report('p1'))).toEqual(['Patient/p1']);
    expect(about('aa', report('p2', 2))).toEqual(['Patient/p2']);
    expect(about('bb', report('p3'))).toEqual(['Patient/p3']);
    // Purged, and the id used again.
    expect(about('aa', report('p4', 1, '2026-04-01T08:00:00Z'))).toEqual(['Patient/p4']);
  }
});

test('whom it is about is known whatever the caller sees of it, first or after others', () => {
  const subjectOf = rememberSubjects(() => 'http://passerelle.test/fhir');
  const hidden = (patient: string, version: number): ServedVersion => ({
    ...report(undefined, version),
    whole: report(patient, version).text,
  });
  expect(subjectOf('aa', hidden('p1', 1)).patients).toEqual(['Patient/p1']);
  expect(subjectOf('aa', report('p1')).patients).toEqual(['Patient/p1']);
  expect(subjectOf('aa', hidden('p2', 2)).patients).toEqual(['Patient/p2']);
});

test('content is not read again', () => {
  const subjectOf = rememberSubjects(() => 'http://passerelle.test/fhir');
  const version = report('p1');
  subjectOf('aa', version);
  expect(subjectOf('aa', { ...version, text: 'unreadable' }).patients).toEqual(['Patient/p1']);
});

test('a file is known by whose rules it follows', () => {
  const subjectOf = rememberSubjects(() => 'http://passerelle.test/fhir');
  const binary = { resourceType: 'Binary', securityContext: { reference: 'DiagnosticReport/r1' } };
  const file: ServedVersion = { ...report(undefined), type: 'Binary', id: 'b1', text: JSON.stringify(binary) };
  for (const _ of ['asked', 'remembered'])
    expect(subjectOf('aa', file).wholes).toEqual([{ type: 'DiagnosticReport', id: 'r1' }]);
});
