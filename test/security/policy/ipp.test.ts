/** A patient of two establishments: each RIS is told its own number, and not the other's. */
import type { Patient } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePid } from '../../../src/adapters/hl7v2/pid-writer.ts';
import { loadTables } from '../../../src/adapters/hl7v2/tables.ts';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore, establishmentSystem, type FhirStore, systemContext } from '../../../src/fhir/index.ts';
import { upsertPatient } from '../../../src/teleradiology/identity/patient.ts';
import { testDatabase } from '../../support/database.ts';

let database: Database;
let store: FhirStore;
beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
});
afterAll(() => database.close());

const ins = {
  use: 'official' as const,
  type: { coding: [{ system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203', code: 'INS-NIR-TEST' }] },
  system: 'urn:oid:1.2.250.1.213.1.4.10',
  value: '275016310200142',
};
const ipp = (finess: string, value: string) => ({
  use: 'usual' as const,
  type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PI' }] },
  system: `https://fhir.passerelle.example/sid/ipp/${finess}`,
  value,
});
const tell = (establishment: string, finess: string, value: string) => {
  const context = systemContext('aa', 'hl7v2:ORM^O01', { now: () => new Date() });
  const sent: Patient = {
    resourceType: 'Patient',
    identifier: [ins, ipp(finess, value)],
    name: [{ use: 'official', family: 'TEST-MOREAU', given: ['CAMILLE'] }],
    birthDate: '1975-01-02',
    gender: 'female',
  };
  return store.transaction(
    { ...context, establishments: [establishment] },
    async (tx) => (await upsertPatient(tx, sent)).patient,
  );
};

it('is one patient with the labels of both, whose numbers leave to whoever gave them', async () => {
  const first = await tell('north', '330099995', 'N-1');
  const both = await tell('south', '330099987', 'S-2');
  expect(both.id).toBe(first.id);
  const again = await tell('south', '330099987', 'S-2');
  expect(again.meta?.versionId).toBe(both.meta?.versionId);
  const labels = both.meta?.security?.flatMap(({ system, code }) => (system === establishmentSystem ? [code] : []));
  expect(labels).toEqual(['north', 'south']);
  const tables = await loadTables();
  const pid = (establishment: string) => writePid(both, undefined, tables, `Organization/${establishment}`);
  expect(pid('north')).toContain('N-1');
  expect(pid('north')).not.toContain('S-2');
  expect(pid('south')).toContain('S-2');
  expect(pid('south')).not.toContain('N-1');
});
