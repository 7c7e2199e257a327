import type { Patient } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import { loadTables } from '../../../src/adapters/hl7v2/tables.ts';
import { identityReliability } from '../../../src/fhir/index.ts';
import { insStatus } from '../../../src/ui/case/ins-status.ts';

const { codes } = (await loadTables())['identity-status'];

/** A validated identity with an INS, and one status more, in a second extension. */
function alsoSaid(code: string): Patient {
  const said = (status: string) => ({
    url: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability',
    extension: [{ url: 'identityStatus', valueCoding: { code: status } }],
  });
  return {
    resourceType: 'Patient',
    identifier: [{ system: 'urn:oid:1.2.250.1.213.1.4.10', value: '279035121518989' }],
    extension: [said('VALI'), said(code)],
  };
}

it.each(codes)(
  '$code beside a validation means the same to messages, documents, matching and the page',
  ({ code, voidsIns }) => {
    const patient = alsoSaid(code);
    expect(identityReliability(patient)).toBe(voidsIns ? 'voided' : 'qualified');
    expect(insStatus(patient).trusted).toBe(!voidsIns);
    // A doubt is said in French, not by its code.
    if (voidsIns) expect(insStatus(patient).text).toMatch(/^(?:identité|doublon|collision) \p{Ll}+/u);
  },
);

it('a doubt beside a provisional identity is what the page says', () => {
  const patient = alsoSaid('DOUT');
  patient.extension![0]!.extension![0]!.valueCoding!.code = 'PROV';
  expect(identityReliability(patient)).toBe('unqualified');
  expect(insStatus(patient)).toEqual({ text: 'identité douteuse', trusted: false });
});
