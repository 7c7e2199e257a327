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
  const subjectOf = rememberSubjects();
  const about = (tenant: string, version: ServedVersion) => subjectOf(tenant, version).patient;
  for (const _ of ['asked', 'remembered']) {
    expect(about('aa', report('p1'))).toBe('Patient/p1');
    expect(about('aa', report('p2', 2))).toBe('Patient/p2');
    expect(about('bb', report('p3'))).toBe('Patient/p3');
    // Purged, and the id used again.
    expect(about('aa', report('p4', 1, '2026-04-01T08:00:00Z'))).toBe('Patient/p4');
  }
});

test('who may not see whom it is about does not make the others forget it', () => {
  const subjectOf = rememberSubjects();
  expect(subjectOf('aa', report(undefined)).patient).toBeUndefined();
  expect(subjectOf('aa', report('p1')).patient).toBe('Patient/p1');
  // The record says whom it was about, whatever the caller saw of it.
  expect(subjectOf('aa', report(undefined)).patient).toBe('Patient/p1');
});

test('content is not read again', () => {
  const subjectOf = rememberSubjects();
  const version = report('p1');
  subjectOf('aa', version);
  expect(subjectOf('aa', { ...version, text: 'unreadable' }).patient).toBe('Patient/p1');
});

test('a file is known by whose rules it follows', () => {
  const subjectOf = rememberSubjects();
  const binary = { resourceType: 'Binary', securityContext: { reference: 'DiagnosticReport/r1' } };
  const file: ServedVersion = { ...report(undefined), type: 'Binary', id: 'b1', text: JSON.stringify(binary) };
  for (const _ of ['asked', 'remembered'])
    expect(subjectOf('aa', file).rulesOf).toEqual({ type: 'DiagnosticReport', id: 'r1' });
});
