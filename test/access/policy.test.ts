import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isGranted } from '../../src/access/index.ts';

const reads = ['read', 'vread', 'search-type', 'history-instance', 'history-type'];
const writes = ['create', 'update', 'patch', 'delete'];
const patientData = [
  'Patient',
  'ServiceRequest',
  'Task',
  'Observation',
  'Condition',
  'Consent',
  'ImagingStudy',
  'DiagnosticReport',
  'DocumentReference',
  'Binary',
  'Appointment',
  'Communication',
  'Flag',
];
const roles = [
  'radiologist',
  'requester',
  'technologist',
  'coordinator',
  'quality',
  'auditor',
  'administrator',
  'ris',
  'conformance',
];

test('an administrator manages people and the rota and reaches no patient data by any interaction', () => {
  for (const type of ['Practitioner', 'PractitionerRole', 'Organization', 'Schedule']) {
    expect(isGranted(['administrator'], { interaction: 'update', type })).toBe(true);
  }
  // Of documents, certificates of professionals only (test/security/policy/professional-documents.test.ts).
  for (const type of [...patientData, 'AuditEvent'].filter((each) => each !== 'DocumentReference')) {
    for (const interaction of [...reads, ...writes]) {
      expect(isGranted(['administrator'], { interaction, type }), `${interaction} ${type}`).toBe(false);
    }
  }
  for (const interaction of ['dicomweb:qido', 'dicomweb:wado', 'dicomweb:stow', 'search-system', 'history-system']) {
    expect(isGranted(['administrator'], { interaction })).toBe(false);
  }
});

test('an auditor reads the trail and nothing clinical', () => {
  expect(isGranted(['auditor'], { interaction: 'search-type', type: 'AuditEvent' })).toBe(true);
  expect(isGranted(['auditor'], { interaction: 'read', type: 'Practitioner' })).toBe(true);
  for (const type of patientData) {
    for (const interaction of [...reads, ...writes]) {
      expect(isGranted(['auditor'], { interaction, type }), `${interaction} ${type}`).toBe(false);
    }
  }
});

test('nobody changes or deletes an AuditEvent; who may add one may choose its id by PUT', () => {
  for (const role of roles) {
    for (const interaction of ['patch', 'delete']) {
      expect(isGranted([role], { interaction, type: 'AuditEvent' }), role).toBe(false);
    }
    const mayAdd = isGranted([role], { interaction: 'create', type: 'AuditEvent' });
    expect(isGranted([role], { interaction: 'update', type: 'AuditEvent' }), role).toBe(mayAdd);
  }
  expect(isGranted(['ris'], { interaction: 'create', type: 'AuditEvent' })).toBe(true);
  expect(isGranted(['radiologist'], { interaction: 'create', type: 'AuditEvent' })).toBe(false);
});

test('only a radiologist signs, protocols or claims', () => {
  for (const operation of ['sign', 'protocol', 'claim', 'save-draft', 'refuse']) {
    const demand = { interaction: 'operation', type: 'Task', operation };
    const allowed = roles.filter((role) => isGranted([role], demand));
    expect(allowed).toEqual(['radiologist', 'conformance']);
  }
  expect(isGranted(['radiologist'], { interaction: 'operation:Task/$sign', type: 'Task' })).toBe(true);
  expect(isGranted(['technologist'], { interaction: 'operation:Task/$sign', type: 'Task' })).toBe(false);
});

test('a RIS posts requests, reads reports, stores and queries images, and deletes nothing', () => {
  expect(isGranted(['ris'], { interaction: 'create', type: 'ServiceRequest' })).toBe(true);
  expect(isGranted(['ris'], { interaction: 'transaction' })).toBe(true);
  expect(isGranted(['ris'], { interaction: 'read', type: 'DiagnosticReport' })).toBe(true);
  expect(isGranted(['ris'], { interaction: 'create', type: 'DiagnosticReport' })).toBe(false);
  expect(isGranted(['ris'], { interaction: 'delete', type: 'ServiceRequest' })).toBe(false);
  expect(isGranted(['ris'], { interaction: 'dicomweb:stow' })).toBe(true);
});

test('a coordinator sees whose case is late but neither report, content of documents nor image', () => {
  expect(isGranted(['coordinator'], { interaction: 'search-type', type: 'Task' })).toBe(true);
  for (const type of ['DiagnosticReport', 'Binary', 'Observation']) {
    expect(isGranted(['coordinator'], { interaction: 'read', type })).toBe(false);
  }
  expect(isGranted(['coordinator'], { interaction: 'dicomweb:wado' })).toBe(false);
});

test('quality works without names: no Patient and no document', () => {
  expect(isGranted(['quality'], { interaction: 'read', type: 'DiagnosticReport' })).toBe(true);
  for (const type of ['Patient', 'DocumentReference', 'Binary']) {
    expect(isGranted(['quality'], { interaction: 'read', type })).toBe(false);
  }
});

test('whoever takes part in a case may ask the case machine by a plain update; auditor and administrator may not', () => {
  const allowed = roles.filter((role) => isGranted([role], { interaction: 'update', type: 'Task' }));
  expect(allowed).toEqual(['radiologist', 'requester', 'technologist', 'coordinator', 'quality', 'ris', 'conformance']);
});

test('without a known role nothing is granted, whatever is asked', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string().filter((role) => !roles.includes(role))),
      fc.constantFrom(...reads, ...writes, 'search-system', 'dicomweb:wado', 'operation'),
      fc.constantFrom(...patientData, 'AuditEvent', 'toString'),
      (strangers, interaction, type) => {
        expect(isGranted(strangers, { interaction, type })).toBe(false);
      },
    ),
  );
  expect(isGranted(['constructor', '__proto__', 'toString'], { interaction: 'read', type: 'Patient' })).toBe(false);
});

test('every role may ask the terminology', () => {
  for (const role of roles) {
    expect(isGranted([role], { interaction: 'operation', type: 'ValueSet', operation: 'expand' })).toBe(true);
    expect(isGranted([role], { interaction: 'operation:CodeSystem/$lookup', type: 'CodeSystem' })).toBe(true);
  }
  expect(isGranted(['auditor'], { interaction: 'operation', type: 'Patient', operation: 'expand' })).toBe(false);
  expect(isGranted([], { interaction: 'operation', type: 'ValueSet', operation: 'expand' })).toBe(false);
});
