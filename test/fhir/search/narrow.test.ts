/** Searches that leave few rows are known by what they ask for, whatever the size of the table. */
import { beforeAll, expect, it } from 'vitest';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { areFew, isNarrow } from '../../../src/fhir/search/narrow.ts';
import { createParameterRegistry, type ParameterRegistry } from '../../../src/fhir/search/parameters.ts';
import { readQuery } from '../../../src/fhir/search/query.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';

let registry: ParameterRegistry;
beforeAll(() => {
  registry = createParameterRegistry(loadSearchDefinitions(), interpretPath, () => 'https://h.example/fhir');
});

it.each([
  'identifier=urn:oid:1.2|3',
  'identifier=3',
  'identifier:of-type=http://a|PI|3',
  'subject=Patient/p1',
  'subject=Patient/p1/_history/2',
  'subject=https://h.example/fhir/Patient/p1',
  'subject=Patient/p1,Patient/p2',
  'subject:Patient=p1',
  'patient=p1',
  'encounter=e1',
  'based-on=ServiceRequest/s1',
  'status=active&subject=Patient/p1',
])('few rows are left by %s', (query) => {
  expect(readQuery(registry, ['ServiceRequest'], query, 'strict').criteria.get('ServiceRequest')!.some(isNarrow)).toBe(
    true,
  );
});

it.each([
  'identifier=urn:oid:1.2|',
  'identifier:not=3',
  'status=active',
  'performer=Practitioner/x',
  'performer=x',
  'performer:Practitioner=x',
  'performer=Practitioner/x,Patient/p1',
  'requester=Organization/o',
  'subject=x',
  'subject=Group/g',
  'subject:Group=g',
  'subject:missing=false',
  'subject:not=Patient/p1',
  'subject:identifier=urn:oid:1.2|3',
  'authored=gt2026',
  `subject=${Array.from({ length: 101 }, (_, n) => `Patient/p${n}`)}`,
])('nothing of the kind is said of %s', (query) => {
  const criteria = readQuery(registry, ['ServiceRequest'], query, 'lenient').criteria.get('ServiceRequest')!;
  expect(criteria.some(isNarrow)).toBe(false);
});

it('what a chain found is few when it is some records, not when it is a directory or hundreds', () => {
  expect(areFew([])).toBe(true);
  expect(areFew(['Patient/p1', 'Patient/p2'])).toBe(true);
  expect(areFew(['Patient/p1', 'Practitioner/x'])).toBe(false);
  expect(areFew(Array.from({ length: 101 }, (_, n) => `Patient/p${n}`))).toBe(false);
});
