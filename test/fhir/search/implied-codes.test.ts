import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { r4Structure } from '../../../src/fhir/definitions/structure-r4.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import { createImpliedCodes } from '../../../src/fhir/search/implied-codes.ts';
import type { RestStore } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const resources: (Resource & { id: string })[] = [
  { resourceType: 'Patient', id: 'woman', gender: 'female' },
  { resourceType: 'Patient', id: 'man', gender: 'male' },
  { resourceType: 'Patient', id: 'unsaid' },
  ...(['requested', 'completed'] as const).map((status): Resource & { id: string } => ({
    resourceType: 'Task',
    id: status,
    status,
    intent: 'order',
    for: { reference: status === 'completed' ? 'Patient/man' : 'Patient/woman' },
    businessStatus: { coding: [{ code: status }] },
  })),
  // Elements of type Coding and CodeableConcept say their system, or have none.
  { resourceType: 'Encounter', id: 'e', status: 'finished', class: { code: 'finished' } },
];

let database: Database;
let store: RestStore;
beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
  await store.transaction(contextOf('aa'), async (tx) => {
    for (const resource of resources) await tx.create<Resource>(resource);
  });
});
afterAll(() => database.close());

const gender = 'http://hl7.org/fhir/administrative-gender';
const taskStatus = 'http://hl7.org/fhir/task-status';

describe('an element of type code is found by the system of its value set', () => {
  it.each([
    ['Patient', `gender=${gender}|male`, ['man']],
    ['Patient', `gender=${gender}|male,${gender}|female`, ['man', 'woman']],
    ['Patient', `gender=${gender}|`, ['man', 'woman']],
    ['Patient', `gender:not=${gender}|male`, ['unsaid', 'woman']],
    ['Patient', 'gender=|male', ['man']],
    ['Patient', `gender=${taskStatus}|male`, []],
    ['Patient', `gender=${gender}|requested`, []],
    ['Patient', 'gender=urn:other|', []],
    ['Patient', `gender:in=http://hl7.org/fhir/ValueSet/administrative-gender`, ['man', 'woman']],
    ['Patient', `gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender`, ['unsaid']],
    ['Task', `status=${taskStatus}|completed`, ['completed']],
    ['Task', `status:not=${taskStatus}|completed`, ['requested']],
    ['Task', `status:not=${taskStatus}|`, []],
    ['Task', `status:not-in=http://hl7.org/fhir/ValueSet/task-status`, []],
    ['Task', `patient.gender=${gender}|male`, ['completed']],
    ['Task', `business-status=${taskStatus}|completed`, []],
    ['Encounter', 'status=http://hl7.org/fhir/encounter-status|finished', ['e']],
    ['Encounter', 'class=http://hl7.org/fhir/encounter-status|finished', []],
  ] as [ResourceType, string, string[]][])('%s?%s', async (type, query, expected) => {
    const encoded = query.replace(/=(.*)$/, (_, value: string) => `=${encodeURIComponent(value)}`);
    expect((await store.search('aa', type, encoded)).map(({ id }) => id).sort()).toEqual(expected);
    if (/:(not-)?in=|\./.test(query)) return;
    const matches = store.createMatcher(type, encoded);
    const found = resources.filter((resource) => matches(resource)).map(({ id }) => id);
    expect(found.sort()).toEqual(expected);
  });

  it('wherever R4 has a parameter of such elements alone', () => {
    const codesOf = createImpliedCodes();
    const definitions = loadSearchDefinitions();
    for (const [type, code, name] of [
      ['Patient', 'gender', 'administrative-gender'],
      ['ServiceRequest', 'priority', 'request-priority'],
      ['ServiceRequest', 'status', 'request-status'],
      ['DiagnosticReport', 'status', 'diagnostic-report-status'],
      ['DocumentReference', 'status', 'document-reference-status'],
      ['DocumentReference', 'relation', 'document-relationship-type'],
      ['Subscription', 'type', 'subscription-channel-type'],
      ['Questionnaire', 'status', 'publication-status'],
    ] as const) {
      const { expression } = definitions.parameters(type).find((parameter) => parameter.code === code)!;
      const system = Object.keys(r4Structure.valueSets[name]!)[0]!;
      const codes = r4Structure.valueSets[name]![system]!.split(' ');
      expect([...(codesOf(type, expression, system) ?? [])], `${type}.${code}`).toEqual(codes);
    }
  });
});
