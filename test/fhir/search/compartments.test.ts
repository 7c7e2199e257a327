import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generateCompartments } from '../../../scripts/generate-compartments.ts';
import { compartments } from '../../../src/fhir/definitions/compartments.ts';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';

it('the committed compartments are what the generator makes', () => {
  const url = new URL('../../../src/fhir/definitions/compartments.generated.json', import.meta.url);
  expect(readFileSync(url, 'utf8')).toBe(generateCompartments());
});

it('every compartment is made of reference parameters that may point to its resource', () => {
  const definitions = loadSearchDefinitions();
  const wrong = Object.entries(compartments).flatMap(([owner, types]) =>
    Object.entries(types).flatMap(([type, codes]) =>
      codes
        .filter((code) => {
          const parameter = definitions.parameters(type).find((candidate) => candidate.code === code);
          return parameter?.type !== 'reference' || !parameter.target.includes(owner);
        })
        .map((code) => `${owner}: ${type}.${code}`),
    ),
  );
  expect(wrong).toEqual([]);
  expect(Object.keys(compartments)).toEqual(['Patient', 'Encounter', 'Practitioner', 'RelatedPerson', 'Device']);
});
