/** What the searches are asked of: resources of our own that point to each other, and the official examples where they are. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Resource } from '@medplum/fhirtypes';
import { oddResources } from './odd-corpus.ts';
import { createRandom, type Random } from './random.ts';

type Made = Resource & { id: string };

const examples = '../shared/fixtures/fhir-r4/resources';

export function corpus(): Made[] {
  return [...ownResources(createRandom(1)), ...oddResources(createRandom(2)), ...officialExamples()];
}

function officialExamples(): Made[] {
  if (!existsSync(examples)) return [];
  return readdirSync(examples, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\/.*\.json$/.test(name))
    .sort()
    .map((name): Made => JSON.parse(readFileSync(`${examples}/${name}`, 'utf8')));
}

const loinc = 'http://loinc.org';
const ucum = 'http://unitsofmeasure.org';

function ownResources(random: Random): Made[] {
  const made: Made[] = [];
  const some = (count: number, make: (n: number) => Made) =>
    made.push(...Array.from({ length: count }, (_, n) => make(n)));
  const maybe = <T extends object>(probability: number, part: T): T | Record<string, never> =>
    random.chance(probability) ? part : {};
  const reference = (type: string, count: number) => ({
    reference: `${type}/own-${type.toLowerCase()}-${random.integer(count)}`,
  });
  const id = (type: string, n: number) => `own-${type.toLowerCase()}-${n}`;
  const date = () => {
    const month = String(1 + random.integer(12)).padStart(2, '0');
    const day = String(1 + random.integer(28)).padStart(2, '0');
    const time = `T${String(random.integer(24)).padStart(2, '0')}:30:00${random.one(['Z', '+02:00', '.250-05:00'])}`;
    return `${2024 + random.integer(3)}${random.one(['', `-${month}`, `-${month}-${day}`, `-${month}-${day}${time}`])}`;
  };
  /** A period that ends before it begins is refused on write (per-1); what a search makes of one does not matter. */
  const period = () => {
    const [start, end] = [date(), date()].sort();
    return { ...maybe(0.7, { start: start! }), ...maybe(0.7, { end: end! }) };
  };
  const names = ['Moreau', "D'Été", 'Éluard-Test', 'moreau', 'Œuvrard', 'Le Gall  Noa', '', 'ZÜRICH'];

  some(4, (n) => ({
    resourceType: 'Organization',
    id: id('Organization', n),
    name: random.one(names) || 'CH',
    ...maybe(0.6, { partOf: reference('Organization', 4) }),
  }));
  some(6, (n) => ({
    resourceType: 'Practitioner',
    id: id('Practitioner', n),
    active: random.chance(0.5),
    ...maybe(0.8, { name: [{ family: random.one(names) || 'Sans', given: ['Noa', 'Alix'].slice(random.integer(2)) }] }),
  }));
  some(20, (n) => ({
    resourceType: 'Patient',
    id: id('Patient', n),
    ...maybe(0.8, {
      name: [
        { family: random.one(names) || 'Test', given: [random.one(['Camille', 'Éléonore', 'Jean, Marie'])] },
        { text: 'Autre $ nom' },
      ],
    }),
    ...maybe(0.7, { birthDate: date().slice(0, 10) }),
    ...maybe(0.8, { gender: random.one(['male', 'female', 'unknown'] as const) }),
    ...maybe(0.5, { active: random.chance(0.5) }),
    ...maybe(0.7, {
      identifier: [
        {
          system: random.one(['urn:oid:1.2.250.1.213.1.4.10', 'http://ch.example.org|mrn']),
          value: `n${random.integer(12)}`,
          type: {
            coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: random.one(['MR', 'SS']) }],
          },
        },
      ],
    }),
    ...maybe(0.5, { generalPractitioner: [reference('Practitioner', 6), reference('Organization', 4)] }),
    ...maybe(0.5, { managingOrganization: reference('Organization', 4) }),
    ...maybe(0.4, { telecom: [{ system: 'phone', value: `+3310000000${random.integer(4)}` }] }),
  }));
  some(12, (n) => ({
    resourceType: 'Encounter',
    id: id('Encounter', n),
    status: random.one(['finished', 'in-progress'] as const),
    class: { code: random.one(['EMER', 'AMB']) },
    ...maybe(0.8, { subject: reference('Patient', 20) }),
    ...maybe(0.8, { period: period() }),
    ...maybe(0.5, { participant: [{ individual: reference('Practitioner', 6) }] }),
  }));
  some(40, (n) => ({
    resourceType: 'Observation',
    id: id('Observation', n),
    status: random.one(['final', 'preliminary'] as const),
    code: {
      coding: [{ system: loinc, code: random.one(['29463-7', '8302-2', '85354-9']) }, { code: 'local,1' }].slice(
        random.integer(2),
      ),
    },
    ...maybe(0.8, { subject: reference('Patient', 20) }),
    ...maybe(0.3, { encounter: reference('Encounter', 12) }),
    ...maybe(0.4, { performer: [reference('Practitioner', 6)] }),
    ...(random.chance(0.6) ? { effectiveDateTime: date() } : maybe(0.6, { effectivePeriod: { start: date() } })),
    ...(random.chance(0.6)
      ? {
          valueQuantity: {
            value: random.one([5, 5.4, 6, 70, 0.07, 170.25, -3]),
            ...maybe(0.15, { comparator: random.one(['<', '>=', '>'] as const) }),
            ...maybe(0.8, { system: ucum, code: random.one(['kg', 'g', 'cm', 'm']) }),
            unit: random.one(['kg', 'kilogramme']),
          },
        }
      : maybe(0.5, { valueCodeableConcept: { coding: [{ system: 'urn:x', code: random.one(['yes', 'no']) }] } })),
    ...maybe(0.3, {
      component: [
        {
          code: { coding: [{ system: loinc, code: '8480-6' }] },
          valueQuantity: { value: 100 + random.integer(40), system: ucum, code: 'mm[Hg]' },
        },
        {
          code: { coding: [{ system: loinc, code: '8462-4' }] },
          valueQuantity: { value: 60 + random.integer(30), system: ucum, code: 'mm[Hg]' },
        },
      ],
    }),
  }));
  some(20, (n) => ({
    resourceType: 'ServiceRequest',
    id: id('ServiceRequest', n),
    status: random.one(['active', 'completed', 'draft'] as const),
    intent: 'order',
    subject: reference('Patient', 20),
    ...maybe(0.5, { priority: random.one(['stat', 'routine'] as const) }),
    ...maybe(0.7, { authoredOn: date() }),
    ...maybe(0.5, {
      requester: random.chance(0.5)
        ? reference('Practitioner', 6)
        : { identifier: { system: 'urn:rpps', value: `r${random.integer(3)}` } },
    }),
    ...maybe(0.4, { occurrenceTiming: { event: [date(), date()] } }),
    ...maybe(0.3, {
      basedOn: [{ reference: `ServiceRequest/${id('ServiceRequest', random.integer(20))}/_history/1` }],
    }),
    ...maybe(0.3, {
      instantiatesCanonical: [
        `http://example.org/plan/${random.integer(2)}${random.one(['', '|1.0', '|2.0', '|3.0'])}`,
      ],
      instantiatesUri: ['http://example.org/uri'],
    }),
  }));
  some(6, (n) => ({
    resourceType: 'PlanDefinition',
    id: id('PlanDefinition', n),
    url: `http://example.org/plan/${n % 2}`,
    ...maybe(0.8, { version: `${1 + (n >> 1)}.0` }),
    status: random.one(['active', 'draft', 'retired'] as const),
    name: random.one(names) || 'Plan',
    ...maybe(0.5, { library: [`http://example.org/plan/${random.integer(2)}`] }),
    ...maybe(0.5, {
      relatedArtifact: [{ type: 'successor', resource: `http://example.org/plan/${random.integer(2)}|2.0` }],
    }),
  }));
  some(15, (n) => ({
    resourceType: 'Task',
    id: id('Task', n),
    status: random.one(['requested', 'in-progress', 'completed'] as const),
    intent: 'order',
    ...maybe(0.8, { focus: reference('ServiceRequest', 20) }),
    ...maybe(0.7, { for: reference('Patient', 20) }),
    ...maybe(0.5, { owner: reference('Practitioner', 6) }),
    ...maybe(0.6, { authoredOn: date() }),
    ...maybe(0.3, { groupIdentifier: { system: 'urn:g', value: `g${random.integer(3)}` } }),
  }));
  return made;
}
