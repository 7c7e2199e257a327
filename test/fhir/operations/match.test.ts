import type { Bundle, Extension, OperationOutcome, Parameters, Patient } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isOneSlip } from '../../../src/fhir/operations/match-comparison.ts';
import { type OperationServer, operationServer } from './server.ts';

let server: OperationServer;
const fr = 'https://hl7.fr/ig/fhir/core';
const insTest = 'urn:oid:1.2.250.1.213.1.4.10';

function ins(value: string) {
  return {
    system: insTest,
    value,
    type: { coding: [{ system: `${fr}/CodeSystem/fr-core-cs-v2-0203`, code: 'INS-NIR-TEST' }] },
  };
}

function ipp(value: string, system = 'urn:oid:1.2.3') {
  return { system, value, type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PI' }] } };
}

const qualified: Extension = {
  url: `${fr}/StructureDefinition/fr-core-identity-reliability`,
  extension: [{ url: 'identityStatus', valueCoding: { code: 'VALI' } }],
};

function born(insee: string): Extension {
  const code = { url: `${fr}/StructureDefinition/fr-core-address-insee-code`, valueCoding: { code: insee } };
  return { url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace', valueAddress: { extension: [code] } };
}

function person(family: string, given: string, more: Partial<Patient> = {}): Patient {
  return {
    resourceType: 'Patient',
    name: [{ use: 'official', family, given: [given] }],
    birthDate: '1985-04-07',
    gender: 'female',
    ...more,
  };
}

const camille = person('GARCIA-HAMMADI', 'ANNE MARIE', {
  identifier: [ins('285042A00412306'), ipp('1001')],
  extension: [qualified, born('2A004')],
});

const { extension: _, ...unqualified } = camille;

beforeAll(async () => {
  server = await operationServer();
  await server.put(
    { ...camille, id: 'camille' },
    { ...person('DURAND', 'PAULINE'), id: 'pauline', identifier: [ipp('2001')] },
    {
      ...person('LEFÈVRE', 'Zoé', { gender: 'female', birthDate: '1990-11-03' }),
      id: 'zoe',
      name: [
        { use: 'official', family: 'LEFÈVRE', given: ['Zoé'] },
        { use: 'usual', family: 'BERNARD' },
      ],
    },
    { ...person('MARTIN', 'LEA', { birthDate: '2001-02-02' }), id: 'lea' },
  );
});
afterAll(() => server.close());
beforeEach(() => {
  server.refused = () => false;
  server.audited.length = 0;
});

async function match(patient: Patient, more: Parameters['parameter'] = []) {
  const payload = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: patient }, ...more] };
  const { status, body } = await server.post<Bundle>('/fhir/Patient/$match', payload);
  expect(status).toBe(200);
  return (body.entry ?? [])
    .filter(({ search }) => search?.mode === 'match')
    .map(({ resource, search }) => ({
      id: resource!.id,
      grade: search!.extension![0]!.valueCode,
      score: search!.score!,
      traits: Object.fromEntries(search!.extension![1]!.extension!.map(({ url, valueCode }) => [url, valueCode])),
    }));
}

describe('$match', () => {
  it('is certain of one qualified INS with the same strict traits', async () => {
    const [first, ...rest] = await match(camille);
    expect(first).toMatchObject({ id: 'camille', grade: 'certain', score: 1 });
    expect(rest).toEqual([]);
    expect(server.audited.at(-1)!.resources.map(({ id }) => id)).toEqual(['camille']);
  });

  it('finds a number however its letters were typed, here or there', async () => {
    for (const [id, stored] of [
      ['small', 'ab12'],
      ['capital', 'CD34'],
      ['mixed', 'Ef56'],
    ] as const)
      await server.put({ resourceType: 'Patient', id, identifier: [ipp(stored)] });
    for (const [asked, id] of Object.entries({ ab12: 'small', AB12: 'small', cd34: 'capital', Ef56: 'mixed' }))
      expect(await match({ resourceType: 'Patient', identifier: [ipp(asked)] })).toMatchObject([{ id }]);
  });

  it('is certain of an IPP of the same authority with the same strict traits, not of one of another', async () => {
    expect(await match(person('DURAND', 'PAULINE', { identifier: [ipp('2001')] }))).toMatchObject([
      { id: 'pauline', grade: 'certain' },
    ]);
    const elsewhere = await match(person('DURAND', 'PAULINE', { identifier: [ipp('2001', 'urn:oid:9.9')] }));
    expect(elsewhere).toMatchObject([{ id: 'pauline', grade: 'probable' }]);
  });

  it('is never certain when a trait contradicts the INS', async () => {
    const changes: Partial<Patient>[] = [
      { birthDate: '1985-04-08' },
      { gender: 'male' },
      { name: [{ use: 'official', family: 'PETIT', given: ['ANNE MARIE'] }] },
      { name: [{ use: 'official', family: 'GARCIA-HAMMADI', given: ['SOPHIE'] }] },
      { extension: [qualified, born('75056')] },
    ];
    for (const change of changes) {
      const [found] = await match({ ...camille, identifier: [ins('285042A00412306')], ...change });
      expect(found, JSON.stringify(change)).toMatchObject({ id: 'camille' });
      expect(['possible', 'probable']).toContain(found!.grade);
      expect(found!.grade === 'probable' && !change.birthDate).toBe(false);
    }
  });

  it('says certainly-not of the same traits with another INS, when both identities are qualified; possible otherwise', async () => {
    const other = { ...camille, identifier: [ins('285042A00412307')] };
    expect(await match(other)).toMatchObject([{ id: 'camille', grade: 'certainly-not', traits: { ins: 'different' } }]);
    expect(await match({ ...unqualified, identifier: other.identifier })).toMatchObject([
      { id: 'camille', grade: 'possible' },
    ]);
  });

  it('does not take the number of the insured person for an INS', async () => {
    const insured = { system: insTest, value: '285042A00412306', type: { coding: [{ code: 'NH' }] } };
    const [found] = await match({ ...camille, identifier: [insured] });
    expect(found).toMatchObject({ grade: 'probable', traits: { ins: 'unknown' } });
  });

  it('is not certain of an INS as long as an identity is not qualified', async () => {
    const [found] = await match({ ...unqualified, identifier: [ins('285042A00412306')] });
    expect(found).toMatchObject({ id: 'camille', grade: 'probable' });
  });

  it('bears accents, hyphens, spaces, case, names in use, compound first names and exchanged dates', async () => {
    const grades = async (patient: Patient) => (await match(patient)).map(({ id, grade }) => `${id} ${grade}`);
    expect(await grades(person('garcia hammadi', 'Anne-Marie'))).toEqual(['camille probable']);
    expect(await grades(person('Garcia-Hammadi', 'ANNE'))).toEqual(['camille probable']);
    expect(await grades(person('GARCIA HAMMADI', 'ANNE MARIE', { birthDate: '1985-07-04' }))).toEqual([
      'camille possible',
    ]);
    expect(await grades(person('LEFEVRE', 'ZOE', { birthDate: '1990-11-03' }))).toEqual(['zoe probable']);
    expect(await grades(person('BERNARD', 'ZOE', { birthDate: '1990-11-03' }))).toEqual(['zoe possible']);
    expect(await grades(person('LEFEBVRE', 'ZOE', { birthDate: '1990-11-03' }))).toEqual(['zoe possible']);
  });

  it('does not take LEO for LEA, nor anybody else of the same day', async () => {
    expect(await match(person('MARTIN', 'LEO', { birthDate: '2001-02-02', gender: 'male' }))).toEqual([]);
    expect(await match(person('ROUX', 'EMMA', { birthDate: '2001-02-02' }))).toEqual([]);
  });

  it('answers only certain matches on request, and none when two are', async () => {
    const only = [{ name: 'onlyCertainMatches', valueBoolean: true }];
    expect(await match(camille, only)).toHaveLength(1);
    expect(await match(person('DURAND', 'PAULINE'), only)).toEqual([]);
    await server.put({ ...camille, id: 'double' });
    expect(await match(camille)).toHaveLength(2);
    const payload = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: camille }, ...only] };
    const { body } = await server.post<Bundle>('/fhir/Patient/$match', payload);
    expect((body.entry![0]!.resource as OperationOutcome).issue[0]!.diagnostics).toMatch(/2 patients match/);
    // The first by id, however often it is asked, and the rest is told of.
    const limited = await server.post<Bundle>('/fhir/Patient/$match', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'resource', resource: camille },
        { name: 'count', valueInteger: 1 },
      ],
    });
    expect(limited.body.entry!.map(({ resource }) => resource!.id ?? resource!.resourceType)).toEqual([
      'camille',
      'OperationOutcome',
    ]);
  });

  it('does not take an INS written without its key, or with blanks, for another one', async () => {
    const anna = person('KELLER', 'ANNA', { birthDate: '1962-03-09', extension: [qualified] });
    await server.put({ ...anna, id: 'anna', identifier: [ins('262032A00412306')] });
    const short = await match({ ...anna, identifier: [ins('262032A004123')] });
    expect(short).toMatchObject([{ id: 'anna', grade: 'probable', traits: { ins: 'close' } }]);
    const spaced = await match({ ...anna, identifier: [ins('2 62 03 2A 004 123 06')] });
    expect(spaced).toMatchObject([{ id: 'anna', grade: 'certain', traits: { ins: 'same' } }]);
    const other = await match({ ...anna, identifier: [ins('262032A004124')] });
    expect(other).toMatchObject([{ grade: 'certainly-not', traits: { ins: 'different' } }]);
  });

  it('leads from a record that was replaced to the one that remains, once', async () => {
    const merged = person('ROUSSEAU', 'INES', { birthDate: '1971-05-06' });
    await server.put(
      { ...merged, id: 'kept', identifier: [ipp('3001')] },
      {
        ...merged,
        id: 'between',
        active: false,
        link: [{ type: 'replaced-by', other: { reference: 'Patient/kept' } }],
      },
      {
        ...merged,
        id: 'gone',
        active: false,
        identifier: [ipp('3002')],
        link: [{ type: 'replaced-by', other: { reference: 'Patient/between' } }],
      },
    );
    const only = [{ name: 'onlyCertainMatches', valueBoolean: true }];
    for (const number of ['3001', '3002']) {
      const asked = { ...merged, identifier: [ipp(number)] };
      expect(await match(asked, only), number).toMatchObject([{ id: 'kept', grade: 'certain' }]);
      expect(await match(asked), number).toHaveLength(1);
    }
  });

  it('refuses what nobody can be recognised by', async () => {
    for (const patient of [
      { resourceType: 'Patient' },
      { resourceType: 'Patient', gender: 'x' },
      { resourceType: 'Organization' },
    ]) {
      expect(await server.post('/fhir/Patient/$match', patient)).toMatchObject({ status: 400 });
    }
  });
});

describe('what $match is asked with', () => {
  const certainOnly = async (path: string, body: object) => {
    const answer = await server.post<Bundle>(path, body);
    expect(answer.status).toBe(200);
    return answer.body.total;
  };

  it('counts beside the body, too: of uncertain matches one may be taken for the patient', async () => {
    const asked = person('DURAND', 'PAULINE');
    expect(await certainOnly('/fhir/Patient/$match', asked)).toBeGreaterThan(0);
    expect(await certainOnly('/fhir/Patient/$match?onlyCertainMatches=true', asked)).toBe(0);
    const body = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: asked }] };
    expect(await certainOnly('/fhir/Patient/$match?onlyCertainMatches=true', body)).toBe(0);
  });

  it.each<[string, Parameters['parameter']]>([
    ['misspelt', [{ name: 'onlyCertainMatch', valueBoolean: true }]],
    ['a second patient', [{ name: 'resource', resource: person('MARTIN', 'LEA') }]],
  ])('is refused when it is not understood: %s', async (_what, more) => {
    const parameter = [{ name: 'resource', resource: person('DURAND', 'PAULINE') }, ...more!];
    const { status, body } = await server.post<OperationOutcome>('/fhir/Patient/$match', {
      resourceType: 'Parameters',
      parameter,
    });
    expect([status, body.issue[0]?.expression?.length]).toEqual([400, 1]);
  });

  it.each<[string, Partial<Patient>]>([
    ['numbers', { identifier: Array.from({ length: 21 }, (_, n) => ipp(`9${n}`)) }],
    ['names', { name: Array.from({ length: 11 }, (_, n) => ({ family: `DURAND${n}`, given: ['PAULINE'] })) }],
  ])('is refused beyond a limit, which is told: too many %s', async (_what, many) => {
    const { status, body } = await server.post<OperationOutcome>('/fhir/Patient/$match', {
      ...person('DURAND', 'PAULINE'),
      ...many,
    });
    expect([status, body.issue[0]?.code]).toEqual([400, 'too-costly']);
    expect(body.issue[0]?.diagnostics).toMatch(/at most (20|10)/);
  });
});

describe('one slip', () => {
  it('is one letter changed, put in, left out or exchanged with its neighbour, and nothing else', () => {
    const word = fc.string({ unit: fc.constantFrom('A', 'B', 'C'), minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(word, fc.nat(7), (text, at) => {
        const index = at % text.length;
        expect(isOneSlip(text, `${text.slice(0, index)}X${text.slice(index)}`)).toBe(true);
        expect(isOneSlip(text, `${text.slice(0, index)}X${text.slice(index + 1)}`)).toBe(true);
        expect(isOneSlip(text, text)).toBe(false);
        expect(isOneSlip(text, `XX${text}`)).toBe(false);
        expect(isOneSlip(`${text}X`, text)).toBe(true);
      }),
    );
    expect(isOneSlip('MARTIN', 'MRATIN')).toBe(true);
    expect(isOneSlip('MARTIN', 'MIRTAN')).toBe(false);
  });
});
