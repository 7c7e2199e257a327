import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore, FhirError } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';
import { base, tenant, values } from './value-resources.ts';

const ucum = 'http://unitsofmeasure.org';
const loinc = 'http://loinc.org';

let database: Database;
let store: RestStore;
beforeAll(async () => {
  database = await testDatabase();
  // What is searched is the subject here, not what is valid.
  store = await createFhirStore({ database, validate: () => [], base: () => base });
  await store.transaction(contextOf(tenant), async (tx) => {
    for (const resource of values) await tx.create<Resource>(resource);
  });
});
afterAll(() => database.close());

const encoded = (search: string) => search.replace(/[^?&=]+/g, (part) => encodeURIComponent(decodeURIComponent(part)));

async function find(search: string): Promise<string[]> {
  const [type, query = ''] = encoded(search).split('?') as [Resource['resourceType'], string?];
  return (await store.search(tenant, type, query)).map(({ id }) => id!).sort();
}

/** The same question asked of each resource in memory. */
function match(search: string): string[] {
  const [type, query = ''] = encoded(search).split('?') as [Resource['resourceType'], string?];
  const matches = store.createMatcher(type, query);
  return values
    .filter((resource) => matches(resource))
    .map(({ id }) => id)
    .sort();
}

type Case = [search: string, found: string[]];

function finds(what: string, cases: Case[]): void {
  describe(what, () => {
    it.each(cases)('%s', async (search, found) => {
      expect(await find(search)).toEqual(found);
      expect(match(search)).toEqual(found);
    });
  });
}

finds('a quantity is found in any unit that measures the same', [
  [`Observation?value-quantity=5.4|${ucum}|mg`, ['dose-g', 'dose-mg']],
  [`Observation?value-quantity=0.0054|${ucum}|g`, ['dose-g', 'dose-mg']],
  [`Observation?value-quantity=5400|${ucum}|ug`, ['dose-g', 'dose-mg']],
  [`Observation?value-quantity=gt5.4|${ucum}|mg`, []],
  [`Observation?value-quantity=ge5.4|${ucum}|mg`, ['dose-g', 'dose-mg']],
  [`Observation?value-quantity=lt5.4|${ucum}|mg`, []],
  [`Observation?value-quantity=le5.4|${ucum}|mg`, ['dose-g', 'dose-mg']],
  [`Observation?value-quantity=sa5.3|${ucum}|mg`, ['dose-g', 'dose-mg']],
  [`Observation?value-quantity=eb0.0055|${ucum}|g`, ['dose-g', 'dose-mg']],
  [`Observation?value-quantity=ap5.0|${ucum}|mg`, ['dose-g', 'dose-mg']],
  [`Observation?value-quantity=ap4|${ucum}|mg`, []],
  [`Observation?value-quantity=ne5.4|${ucum}|mg`, []],
  [`Observation?value-quantity=ne5.5|${ucum}|mg`, ['dose-g', 'dose-mg']],
  [`Observation?value-quantity=37|${ucum}|Cel`, ['fever-f', 'temperature']],
  [`Observation?value-quantity=gt310|${ucum}|K`, ['fever-f', 'temperature']],
  [`Observation?value-quantity=98.6|${ucum}|[degF]`, ['fever-f', 'temperature']],
]);

finds('a quantity is not found in a unit that measures something else, or that only looks the same', [
  [`Observation?value-quantity=5.4|${ucum}|mL`, []],
  [`Observation?value-quantity=5.4|https://example.org/units|mg`, ['dose-local']],
  [`Observation?value-quantity=100|${ucum}|[iU]/L`, ['units']],
  [`Observation?value-quantity=0.1|${ucum}|[IU]/mL`, ['units']],
  [`Observation?value-quantity=100|${ucum}|/L`, []],
  [`Observation?value-quantity=100|${ucum}|[CFU]/L`, []],
  [`Observation?value-quantity=7.4|${ucum}|[pH]`, ['acid']],
  [`Observation?value-quantity=7|${ucum}|{furlongs`, ['unknown-unit']],
]);

finds('a quantity is found by its code or unit alone, and without any', [
  ['Observation?value-quantity=5.4||mg', ['dose-local', 'dose-mg', 'dose-plain']],
  ['Observation?value-quantity=5.4||milligrammes', ['dose-mg']],
  ['Observation?value-quantity=5.4', ['dose-local', 'dose-mg', 'dose-plain']],
  ['Observation?value-quantity=5.4||', ['dose-local', 'dose-mg', 'dose-plain']],
  ['Observation?value-quantity=5.40', ['dose-local', 'dose-mg', 'dose-plain']],
  ['Observation?value-quantity=5', ['dose-local', 'dose-mg', 'dose-plain']],
  ['Observation?value-quantity=5.35', []],
]);

finds('comparators, samples, money and ranges are ranges', [
  [`Observation?value-quantity=lt3|${ucum}|mg/L`, ['traces']],
  [`Observation?value-quantity=gt3|${ucum}|mg/L`, ['traces']],
  [`Observation?value-quantity=gt5|${ucum}|mg/L`, []],
  [`Observation?value-quantity=5|${ucum}|mg/L`, []],
  [`Observation?value-quantity=ge5|${ucum}|mg/L`, []],
  [`Observation?value-quantity=gt17|${ucum}|mV`, ['samples']],
  [`Observation?value-quantity=gt18|${ucum}|mV`, []],
  [`Observation?value-quantity=lt0.0041|${ucum}|V`, ['samples']],
  ['Invoice?totalgross=99.90|urn:iso:std:iso:4217|EUR', ['invoice']],
  ['Invoice?totalgross=gt100||EUR', []],
  [`ActivityDefinition?context-quantity=30|${ucum}|a`, []],
  [`ActivityDefinition?context-quantity=gt30|${ucum}|a`, ['adults']],
  [`ActivityDefinition?context-quantity=gt400|${ucum}|mo`, ['adults']],
  [`ActivityDefinition?context-quantity=gt70|${ucum}|a`, []],
  [`Condition?onset-age=52|${ucum}|a`, ['onset']],
  [`Condition?onset-age=gt600|${ucum}|mo`, ['onset']],
]);

finds('a number counts with the digits it is written with', [
  ['RiskAssessment?probability=0.54', ['risk']],
  ['RiskAssessment?probability=0.5', ['risk']],
  ['RiskAssessment?probability=0.535', []],
  ['RiskAssessment?probability=gt0.54', []],
  ['RiskAssessment?probability=ge0.54', ['risk']],
]);

finds('a composite pairs values of the same element', [
  [`Observation?code-value-quantity=${loinc}|1234-5$5.4|${ucum}|mg`, ['dose-mg']],
  [`Observation?code-value-quantity=1234-5$gt5|${ucum}|mg`, ['dose-mg']],
  [`Observation?code-value-quantity=1234-5$gt5`, ['dose-mg']],
  [`Observation?code-value-quantity=1234-5$gt5||mg`, ['dose-mg']],
  [`Observation?code-value-quantity=other$gt5`, []],
  [`Observation?component-code-value-quantity=${loinc}|8480-6$120|${ucum}|mm[Hg]`, ['pressure']],
  [`Observation?component-code-value-quantity=${loinc}|8480-6$80|${ucum}|mm[Hg]`, []],
  [`Observation?combo-code-value-quantity=8462-4$lt90,1234-5$gt5`, ['dose-mg', 'pressure']],
  [`Observation?combo-code-value-quantity=${loinc}|8462-4$10.66|${ucum}|kPa`, []],
  [`Observation?combo-code-value-quantity=${loinc}|8462-4$10.67|${ucum}|kPa`, ['pressure']],
  [`Observation?code-value-concept=${loinc}|883-9$http://snomed.info/sct|112144000`, ['group']],
  ['Observation?code-value-concept=883-9$112144000', ['group']],
  ['Observation?code-value-concept=http://loinc.org|$112144000', ['group']],
  ['Observation?code-value-concept=883-9$165743006', []],
  ['Observation?combo-code-value-concept=883-9$112144000', ['group']],
  ['Observation?code-value-string=note$sans', ['remark']],
  ['Observation?code-value-string=note$SANS PARTICULARITÉ', ['remark']],
  ['Observation?code-value-string=other$sans', []],
  ['Observation?code-value-date=menses$2026-03', ['menses']],
  ['Observation?code-value-date=menses$ge2026-03-05', []],
  ['Observation?code-value-date=menses$lt2026-03-05', ['menses']],
  ['Observation?code-value-quantity:missing=false&code=1234-5', ['dose-mg']],
  ['Observation?code-value-string:missing=true&code=note', []],
  [`ActivityDefinition?context-type-quantity=age$gt30|${ucum}|a`, ['adults']],
  ['ActivityDefinition?context-type-value=focus$http://snomed.info/sct|363358000', ['adults']],
  ['ActivityDefinition?context-type-value=age$http://snomed.info/sct|363358000', []],
  ['DocumentReference?relationship=replaces$DocumentReference/old', ['replacing']],
  ['DocumentReference?relationship=appends$DocumentReference/old', []],
  ['Group?characteristic-value=gender$mixed', ['herd']],
  ['MolecularSequence?chromosome-variant-coordinate=1$lt128273726$ge128273700', ['sequence']],
  ['MolecularSequence?chromosome-variant-coordinate=1$gt128273726$ge128273700', []],
  ['MolecularSequence?chromosome-variant-coordinate=2$lt128273726$ge128273700', []],
  ['MolecularSequence?referenceseqid-window-coordinate=NC_000001.11$128273724$128273736', ['sequence']],
  ['MolecularSequence?referenceseqid-window-coordinate=NC_000001.11$128273736$128273724', []],
]);

finds('strings', [
  ['Patient?family=moreau', ['noemie']],
  ['Patient?family=Moreau-L’Hôpital', ['noemie']],
  ['Patient?family=hopital', []],
  ['Patient?family:contains=hopital', ['noemie']],
  ['Patient?family:text=hopital mor', ['noemie']],
  ['Patient?family:text=pital', []],
  ["Patient?family:exact=Moreau-L'Hôpital", ['noemie']],
  ['Patient?family:exact=moreau', []],
  ['Patient?family=strasse', ['gross']],
  ['Patient?given=noemie', ['noemie']],
  ['Patient?given=Noe\u0301mie', ['noemie']],
  ['Patient?given=coeur', ['gross']],
  ['Patient?address=saint', ['gross']],
  ['Patient?address=67000', ['gross']],
  ['Patient?address-city=strasbourg', ['gross']],
  ['Patient?name=nonexistent,noemie', ['noemie']],
]);

finds('names that sound the same', [
  ['Patient?phonetic=Moraud', ['noemie']],
  ['Patient?phonetic=Noémi Moraud', ['noemie']],
  ['Patient?phonetic=Dupont', []],
  ['Practitioner?phonetic=Dupond', ['dupont']],
  ['Practitioner?phonetic:missing=false', ['dupont']],
]);

finds('tokens', [
  ['Observation?code=883-9', ['group']],
  ['Observation?code=|note', ['remark']],
  [`Observation?code:not=1234-5&value-quantity=gt0||mg`, ['dose-local', 'dose-plain']],
  ['Observation?code:text=groupe sanguin', ['group']],
  ['Observation?code:text=SANG', ['group']],
  ['Observation?code:text=ABO', ['group']],
  ['Observation?code:text=anguin', []],
  ['Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|446053', ['noemie']],
  ['Patient?identifier:text=dossier', ['noemie']],
  ['Patient?_id:not=noemie', ['gross']],
]);

finds('references, by our own address and of any version, too', [
  ['ServiceRequest?subject=Patient/noemie', ['absolute', 'versioned']],
  [`ServiceRequest?subject=${base}/Patient/noemie`, ['absolute', 'versioned']],
  [`ServiceRequest?subject=${base}/Patient/noemie/_history/3`, ['absolute', 'versioned']],
  ['ServiceRequest?subject=Patient/noemie/_history/3', ['absolute', 'versioned']],
  ['ServiceRequest?subject=noemie', ['absolute', 'versioned']],
  ['ServiceRequest?subject:Patient=noemie', ['absolute', 'versioned']],
  ['ServiceRequest?subject:Group=noemie', []],
  ['ServiceRequest?subject=https://elsewhere.example/fhir/Patient/noemie', ['elsewhere']],
  ['ServiceRequest?requester:identifier=urn:oid:1.2.250.1.71.4.2.1|810000000001', ['elsewhere']],
  ['ServiceRequest?instantiates-canonical=http://example.org/ActivityDefinition/ct', ['versioned']],
  ['ServiceRequest?instantiates-canonical=http://example.org/ActivityDefinition/ct|1.2', ['versioned']],
  ['ServiceRequest?instantiates-canonical=http://example.org/ActivityDefinition/ct|2.0', []],
]);

finds('uris', [
  ['ValueSet?url=http://example.org/fhir/ValueSet/a', ['set-a']],
  ['ValueSet?url:below=http://example.org/fhir', ['set-a', 'set-b']],
  ['ValueSet?url:below=http://example.org/fhir/ValueSet/', ['set-a', 'set-b']],
  ['ValueSet?url:below=http://example.org/fhir/ValueSet/a', ['set-a']],
  ['ValueSet?url:below=http://example.org/fhir/Value', []],
  ['ValueSet?url:above=http://example.org/fhir/ValueSet/a/_history/5', ['set-a']],
  ['ValueSet?url:above=http://example.org/fhir/ValueSet', []],
  ['ValueSet?url=urn:oid:1.2.3', ['set-urn']],
  ['ValueSet?url:missing=false', ['set-a', 'set-b', 'set-urn']],
]);

finds('dates of any form', [
  ['ServiceRequest?occurrence=2026-03-10', []],
  ['ServiceRequest?occurrence=ge2026-03-10', ['absolute', 'elsewhere']],
  ['ServiceRequest?occurrence=le2026-03-10', ['absolute', 'versioned']],
  ['ServiceRequest?occurrence=le2026-03-04', ['versioned']],
  ['ServiceRequest?occurrence=le2026-03-05', ['absolute', 'versioned']],
  ['ServiceRequest?occurrence=lt2026-03-04', []],
  ['ServiceRequest?occurrence=sa2026-03-20', ['elsewhere']],
  ['ServiceRequest?occurrence=eb2026-03-05', ['versioned']],
  ['ServiceRequest?occurrence=2026-03', ['absolute', 'versioned']],
  ['ServiceRequest?occurrence=2026-03-04T09:00:00Z', ['versioned']],
  ['ServiceRequest?occurrence=2026-03-04T10:00:00+01:00', ['versioned']],
  ['ServiceRequest?occurrence=ge2027', ['elsewhere']],
]);

finds('places near a point', [
  ['Location?near=48.1173|-1.6778|1|km', ['rennes']],
  ['Location?near=48.11|-1.68', ['rennes']],
  ['Location?near=48.11|-1.68|100', ['rennes', 'saint-malo']],
  ['Location?near=48.11|-1.68|100000|m', ['rennes', 'saint-malo']],
  ['Location?near=48.11|-1.68|50|[mi_i]', ['rennes', 'saint-malo']],
  ['Location?near=-17.5|179.9|100', ['fiji']],
  ['Location?near=-17.5|-179.9|100', ['fiji']],
  ['Location?near=89.9|0|30,48.1173|-1.6778|1', ['rennes']],
  ['Location?near:missing=true', ['nowhere']],
]);

finds('words of the narrative and of the whole content', [
  ['Observation?_text=hepatique', ['narrated']],
  ['Observation?_text=HÉPATIQUE lésion', ['narrated']],
  ['Observation?_text=nodules', ['narrated']],
  ['Observation?_text=nod', ['narrated']],
  ['Observation?_text=odules', []],
  ['Observation?_text=foie coeur', []],
  ['Observation?_text=coeur', ['narrated']],
  ['Observation?_text=xmlns', []],
  ['Observation?_text=discret', []],
  ['Observation?_text=foie,hepatique', ['narrated']],
  ['Observation?_content=sanguin', ['group']],
  ['Observation?_content=milligrammes', ['dose-mg']],
  ['Observation?_content=resourceType', []],
  ['Observation?_content=hepatique&status=final', ['narrated']],
  ['Observation?_content=hepatique&status=cancelled', []],
]);

finds('what every resource has', [
  ['Observation?_tag=http://example.org/tags|test', ['narrated']],
  ['Observation?_security=R', ['narrated']],
  ['Observation?_profile=http://example.org/StructureDefinition/lesion', ['narrated']],
  ['Observation?_profile:below=http://example.org/StructureDefinition', ['narrated']],
  ['Observation?_source=https://ris.example/messages', ['narrated']],
]);

describe('refusals', () => {
  it.each([
    ['Patient?birthdate:exact=2026', ':exact'],
    ['Patient?family:not=x', ':not'],
    ['Patient?identifier:contains=x', ':contains'],
    ['Patient?general-practitioner:not=x', ':not'],
    ['ServiceRequest?subject:below=x', ':below'],
    ['RiskAssessment?probability:above=1', ':above'],
    ['Observation?value-quantity:exact=1', ':exact'],
    ['Observation?code-value-quantity:exact=a$1', ':exact'],
    ['Observation?_text:missing=true', ':missing'],
    ['Patient?phonetic:exact=x', ':exact'],
    ['Location?near:exact=1|1', ':exact'],
    ['ValueSet?url:below=urn:oid:1.2', 'urn'],
    ['Observation?value-quantity=1|http://unitsofmeasure.org', 'number|system|code'],
    ['Observation?value-quantity=1|http://unitsofmeasure.org|', 'number|system|code'],
    ['Observation?code-value-quantity=1234-5', 'token$quantity'],
    ['Observation?code-value-quantity=http://loinc.org|$5', 'system alone'],
    ['Location?near=91|0', 'latitude'],
    ['Location?near=1|1|5|kg', 'latitude'],
    ['Location?near=x', 'latitude'],
    ['Observation?_text=!!', 'word'],
    ['Observation?_query=mine', '_query'],
    ['Observation?code:in=http://example.org/none', 'not known'],
    ['Observation?code:below=1234-5', 'system|code'],
  ])('%s is refused by name', async (search, words) => {
    const refusal = await find(search).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(FhirError);
    expect((refusal as FhirError).status).toBe(400);
    expect((refusal as FhirError).message).toContain(words);
  });

  it.each([
    'Observation?subject:Patient.name=x',
    'Patient?_has:Observation:subject:code=x',
    'Observation?_include=Observation:subject',
    'Observation?code:in=http://hl7.org/fhir/ValueSet/observation-codes',
    'Observation?_list=1',
  ])('%s needs other resources: a matcher refuses it', (search) => {
    expect(() => match(search)).toThrow(FhirError);
  });
});

it('an update takes the values of before out of every index', async () => {
  const pressure = values.find(({ id }) => id === 'pressure')!;
  const place = values.find(({ id }) => id === 'rennes')!;
  await store.transaction(contextOf('other'), async (tx) => {
    await tx.create<Resource>(pressure);
    await tx.create<Resource>(place);
    await tx.update<Resource>({ resourceType: 'Observation', id: 'pressure', status: 'final', code: { text: 'x' } });
    await tx.update<Resource>({ resourceType: 'Location', id: 'rennes' });
  });
  const searches = [
    'combo-code-value-quantity=8462-4$lt90',
    'component-code-value-quantity:missing=false',
    'combo-value-quantity=gt1',
  ];
  for (const search of searches) expect(await store.search('other', 'Observation', search)).toEqual([]);
  expect(await store.search('other', 'Location', encoded('near=48.1173|-1.6778|1'))).toEqual([]);
  await store.transaction(contextOf('other'), (tx) => tx.delete('Observation', 'pressure'));
  for (const search of ['_content=final', '_text=x', 'code:text=x', 'code:missing=true']) {
    expect(await store.search('other', 'Observation', search)).toEqual([]);
  }
});
