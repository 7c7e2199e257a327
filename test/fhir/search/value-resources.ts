/** Resources with values of every kind that searches compare. */
import type { Resource } from '@medplum/fhirtypes';

export const tenant = 'aa';
export const base = 'https://passerelle.example/fhir';

const ucum = 'http://unitsofmeasure.org';
const loinc = 'http://loinc.org';
const sct = 'http://snomed.info/sct';

type Stored = Resource & { id: string };

const observation = (id: string, content: object): Stored =>
  ({ resourceType: 'Observation', id, status: 'final', code: { text: id }, ...content }) as Stored;
const measured = (id: string, value: number, code: string, more: object = {}) =>
  observation(id, { valueQuantity: { value, unit: code, system: ucum, code }, ...more });
const coded = (system: string, code: string, display?: string) => ({
  coding: [{ system, code, ...(display ? { display } : {}) }],
});
const component = (code: string, value: number) => ({
  code: coded(loinc, code),
  valueQuantity: { value, unit: 'mmHg', system: ucum, code: 'mm[Hg]' },
});

export const values: Stored[] = [
  observation('dose-mg', {
    code: coded(loinc, '1234-5'),
    valueQuantity: { value: 5.4, unit: 'milligrammes', system: ucum, code: 'mg' },
  }),
  measured('dose-g', 0.0054, 'g'),
  observation('dose-plain', { valueQuantity: { value: 5.4, unit: 'mg' } }),
  observation('dose-local', { valueQuantity: { value: 5.4, system: 'https://example.org/units', code: 'mg' } }),
  measured('temperature', 37, 'Cel'),
  measured('fever-f', 98.6, '[degF]'),
  measured('units', 100, '[iU]/L'),
  measured('acid', 7.4, '[pH]'),
  measured('unknown-unit', 7, '{furlongs'),
  observation('traces', { valueQuantity: { value: 5, comparator: '<', system: ucum, code: 'mg/L' } }),
  observation('samples', {
    valueSampledData: {
      origin: { value: 10, system: ucum, code: 'mV' },
      period: 10,
      factor: 2,
      dimensions: 1,
      lowerLimit: -3,
      data: '1 E L 4',
    },
  }),
  observation('pressure', {
    code: coded(loinc, '85354-9'),
    component: [component('8480-6', 120), component('8462-4', 80)],
  }),
  observation('group', {
    code: { text: 'Groupe sanguin', ...coded(loinc, '883-9', 'ABO group') },
    valueCodeableConcept: coded(sct, '112144000'),
  }),
  observation('remark', { code: { coding: [{ code: 'note' }] }, valueString: 'Sans particularité' }),
  observation('menses', { code: { coding: [{ code: 'menses' }] }, valueDateTime: '2026-03-04' }),
  observation('narrated', {
    meta: {
      tag: [{ system: 'http://example.org/tags', code: 'test' }],
      security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }],
      profile: ['http://example.org/StructureDefinition/lesion'],
      source: 'https://ris.example/messages',
    },
    text: {
      status: 'generated',
      div: '<div xmlns="http://www.w3.org/1999/xhtml"><p title="discret">Lésion <b>hépatique</b>,\ndeux nodules ; cœur normal</p></div>',
    },
  }),
  {
    resourceType: 'Invoice',
    id: 'invoice',
    status: 'issued',
    totalGross: { value: 99.9, currency: 'EUR' },
  } as Stored,
  {
    resourceType: 'ActivityDefinition',
    id: 'adults',
    status: 'active',
    useContext: [
      {
        code: { code: 'age' },
        valueRange: { low: { value: 18, system: ucum, code: 'a' }, high: { value: 65, system: ucum, code: 'a' } },
      },
      { code: { code: 'focus' }, valueCodeableConcept: coded(sct, '363358000') },
    ],
  } as Stored,
  {
    resourceType: 'Condition',
    id: 'onset',
    subject: { reference: 'Patient/noemie' },
    onsetAge: { value: 52, system: ucum, code: 'a' },
  } as Stored,
  {
    resourceType: 'RiskAssessment',
    id: 'risk',
    status: 'final',
    subject: { reference: 'Patient/noemie' },
    prediction: [{ probabilityDecimal: 0.54 }],
  } as Stored,
  {
    resourceType: 'DocumentReference',
    id: 'replacing',
    status: 'current',
    content: [],
    relatesTo: [{ code: 'replaces', target: { reference: 'DocumentReference/old' } }],
  } as Stored,
  {
    resourceType: 'Group',
    id: 'herd',
    type: 'animal',
    actual: true,
    characteristic: [
      { code: { coding: [{ code: 'gender' }] }, valueCodeableConcept: { coding: [{ code: 'mixed' }] }, exclude: false },
      { code: { coding: [{ code: 'owner' }] }, valueCodeableConcept: { coding: [{ code: 'farm' }] }, exclude: false },
    ],
  } as Stored,
  {
    resourceType: 'MolecularSequence',
    id: 'sequence',
    coordinateSystem: 0,
    referenceSeq: {
      chromosome: { coding: [{ code: '1' }] },
      referenceSeqId: { coding: [{ code: 'NC_000001.11' }] },
      windowStart: 128273724,
      windowEnd: 128273736,
    },
    variant: [{ start: 128273725, end: 128273726 }],
  } as Stored,
  {
    resourceType: 'Patient',
    id: 'noemie',
    identifier: [
      {
        value: '446053',
        type: {
          text: 'Numéro de dossier',
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }],
        },
      },
    ],
    name: [{ family: "Moreau-L'Hôpital", given: ['Noémie'] }],
  } as Stored,
  {
    resourceType: 'Patient',
    id: 'gross',
    name: [{ family: 'Straße', given: ['Cœur'] }],
    address: [{ line: ['Saint-Étienne 3'], city: 'Strasbourg', postalCode: '67000' }],
  } as Stored,
  { resourceType: 'Practitioner', id: 'dupont', name: [{ family: 'Dupont' }] } as Stored,
  {
    resourceType: 'ServiceRequest',
    id: 'versioned',
    status: 'active',
    intent: 'order',
    subject: { reference: 'Patient/noemie/_history/2' },
    instantiatesCanonical: ['http://example.org/ActivityDefinition/ct|1.2'],
    occurrenceDateTime: '2026-03-04T10:00:00+01:00',
  } as Stored,
  {
    resourceType: 'ServiceRequest',
    id: 'absolute',
    status: 'active',
    intent: 'order',
    subject: { reference: `${base}/Patient/noemie` },
    occurrenceTiming: { event: ['2026-03-20', '2026-03-04'] },
  } as Stored,
  {
    resourceType: 'ServiceRequest',
    id: 'elsewhere',
    status: 'active',
    intent: 'order',
    subject: { reference: 'https://elsewhere.example/fhir/Patient/noemie' },
    requester: { identifier: { system: 'urn:oid:1.2.250.1.71.4.2.1', value: '810000000001' } },
    occurrenceTiming: { repeat: { boundsPeriod: { start: '2026-04-01' }, frequency: 1, period: 1, periodUnit: 'd' } },
  } as Stored,
  { resourceType: 'ValueSet', id: 'set-a', status: 'active', url: 'http://example.org/fhir/ValueSet/a' } as Stored,
  { resourceType: 'ValueSet', id: 'set-b', status: 'active', url: 'http://example.org/fhir/ValueSet/b' } as Stored,
  { resourceType: 'ValueSet', id: 'set-urn', status: 'active', url: 'urn:oid:1.2.3' } as Stored,
  { resourceType: 'Location', id: 'rennes', position: { latitude: 48.1173, longitude: -1.6778 } } as Stored,
  { resourceType: 'Location', id: 'saint-malo', position: { latitude: 48.6493, longitude: -2.0257 } } as Stored,
  { resourceType: 'Location', id: 'fiji', position: { latitude: -17.5, longitude: 179.99 } } as Stored,
  { resourceType: 'Location', id: 'nowhere' } as Stored,
];
