import { expect, it } from 'vitest';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { createParameterRegistry } from '../../../src/fhir/search/parameters.ts';
import { typesTouched } from '../../../src/fhir/search/types-touched.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';

const registry = createParameterRegistry(loadSearchDefinitions(), interpretPath);
const touched = (types: string[], query: string) => {
  const { tested, pointing } = typesTouched(registry, types, query);
  return { tested: [...tested].sort(), pointing: [...pointing].sort() };
};

it.each([
  ['Patient', 'name=x&nonsense=1', ['Patient']],
  ['Observation', 'subject:Patient.name=x', ['Observation', 'Patient']],
  ['Observation', 'patient.organization.name=x', ['Observation', 'Organization', 'Patient']],
  ['Observation', 'performer.name=x', ['Observation', 'Organization', 'Patient', 'Practitioner', 'RelatedPerson']],
  [
    'Patient',
    '_has:Observation:patient:_has:AuditEvent:entity:agent=Device/1',
    ['AuditEvent', 'Observation', 'Patient'],
  ],
  [
    'Observation',
    'patient._has:Task:patient:owner:Practitioner.name=x',
    ['Observation', 'Patient', 'Practitioner', 'Task'],
  ],
  ['Patient', '_list=1', ['List', 'Patient']],
  ['Patient', '_filter=not(organization.name eq x)', ['Organization', 'Patient']],
  ['Observation', '_filter=patient[organization.name eq x].name eq y', ['Observation', 'Organization', 'Patient']],
])('%s?%s tests only the types it looks into', (type, query, expected) => {
  expect(touched([type], query).tested).toEqual(expected);
});

it.each([
  ['_include=ImagingStudy:endpoint', []],
  ['_include=Observation:subject:Patient', [], 'Patient'],
  ['_revinclude=Provenance:target', ['Provenance'], 'Provenance'],
  ['_include=Endpoint:organization&_revinclude=Task:focus', ['Task'], 'Task'],
  ['_include:iterate=*', []],
])('%s may bring what points to a match, and what a match points to was there before', (query, expected, ...named) => {
  expect(touched(['Observation'], query)).toEqual({ tested: ['Observation', ...named], pointing: expected });
});

it('everything may point to a match', () => {
  expect(touched(['Patient'], '_revinclude=*').pointing).toHaveLength(registry.types.size);
});

it('a query that cannot be understood is refused', () => {
  expect(() => typesTouched(registry, ['Patient'], 'name.family=x')).toThrow('cannot be chained');
});
