import { expect, test } from 'vitest';
import { mappedValueSets } from '../../../src/adapters/hl7v2/index.ts';
import { validateResource } from '../../../src/fhir/index.ts';

test('the value sets that requests are translated with are FHIR value sets too', () => {
  const sets = mappedValueSets();
  expect(sets.flatMap((set) => validateResource(set))).toEqual([]);
  const modality = sets.find(({ url }) => url === 'https://fhir.passerelle.example/ValueSet/hl7v2-modality');
  const codes = modality!.compose!.include.flatMap(({ system, concept }) =>
    concept!.map(({ code }) => `${system}#${code}`),
  );
  expect(codes).toContain('http://dicom.nema.org/resources/ontology/DCM#MG');
  expect(sets.map(({ id }) => id)).toContain('hl7v2-yes-no');
  // A set without a list takes what its system has: nothing to expand.
  expect(sets.map(({ id }) => id)).not.toContain('hl7v2-act');
});
