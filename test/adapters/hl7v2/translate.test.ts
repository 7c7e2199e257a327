import type { Patient } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readHeader } from '../../../src/adapters/hl7v2/acknowledgement.ts';
import { Refusal } from '../../../src/adapters/hl7v2/refusal.ts';
import { loadTables, type Tables } from '../../../src/adapters/hl7v2/tables.ts';
import { translate } from '../../../src/adapters/hl7v2/translate.ts';
import type { FhirTransaction } from '../../../src/fhir/index.ts';
import {
  answer,
  cancellation,
  complement,
  ins,
  render,
  request,
  type Segments,
  viewerUrl,
  withField,
  without,
} from '../../fixtures/hl7v2/messages.ts';
import { recordingTeleradiology } from './recording-teleradiology.ts';

let tables: Tables;

beforeAll(async () => {
  tables = await loadTables();
});

function read(segments: Segments, options: { production?: boolean; tables?: Tables } = {}) {
  const bytes = Buffer.from(render(segments));
  return translate(bytes, readHeader(bytes), {
    tables: options.tables ?? tables,
    production: options.production ?? false,
  });
}

/** What the domain is told, with a transaction that only counts. */
async function told(segments: Segments, options?: Parameters<typeof read>[1]) {
  const work = read(segments, options);
  const domain = recordingTeleradiology();
  const tx = { create: async (resource: object) => ({ ...resource, id: '1' }) } as unknown as FhirTransaction;
  const notices: string[] = [];
  const answer = { tell: (notice: string) => void notices.push(notice), refuse: () => undefined };
  const focus = await work.perform(tx, domain, 'ch-test', answer);
  return { ...domain, focus, notices, warnings: work.warnings };
}

function refusal(segments: Segments, options?: Parameters<typeof read>[1]): Refusal & { code: string; ack: string } {
  try {
    read(segments, options);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, ack } = tables.errors.errors[error.kind];
    return Object.assign(error, { code, ack });
  }
  throw new Error('the message was not refused');
}

describe('flow 1, the request', () => {
  it('carries the order with its number, reason, exam, region, side and notes kept apart', async () => {
    const { requests } = await told(request());
    expect(requests).toHaveLength(1);
    expect(requests[0]?.serviceRequest).toMatchObject({
      status: 'active',
      intent: 'order',
      identifier: [
        { type: { coding: [{ code: 'PLAC' }] }, system: 'urn:oid:2.999.59.10', value: 'DEM-77' },
        { type: { coding: [{ code: 'AN' }] }, value: 'DOS-77' },
      ],
      authoredOn: '2026-03-10T20:25:00Z',
      reasonCode: [{ text: 'Déficit moteur & aphasie' }],
      orderDetail: [
        { coding: [{ system: 'http://dicom.nema.org/resources/ontology/DCM', code: 'MR', display: 'IRM' }] },
      ],
      bodySite: [
        { coding: [{ system: 'http://snomed.info/sct', code: '774007', display: 'Tête et cou' }] },
        { coding: [{ system: 'http://snomed.info/sct', code: '7771000', display: 'Gauche' }] },
      ],
      note: [
        { text: 'Éliminer un AVC', extension: [{ valueCode: 'FINALITE_EXAMEN' }] },
        { text: 'Séquence de diffusion', extension: [{ valueCode: 'MODALITE_IMAGERIE' }] },
      ],
      code: { text: 'IRM – Tête et cou – Gauche' },
    });
  });

  it('carries the patient with INS, IPP, both names, traits and addresses', async () => {
    const { requests } = await told(request());
    expect(requests[0]?.patient).toMatchObject({
      identifier: [
        {
          use: 'official',
          type: { coding: [{ code: 'INS-NIR-TEST' }] },
          system: 'urn:oid:1.2.250.1.213.1.4.10',
          value: ins,
        },
        {
          use: 'usual',
          type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PI' }] },
          system: 'https://fhir.passerelle.example/sid/ipp/590099991',
          value: '000077',
          assigner: { display: 'CH-TEST', identifier: { system: 'https://finess.esante.gouv.fr', value: '590099991' } },
        },
      ],
      name: [
        { use: 'official', family: 'TEST-DUPRÉ', given: ['MARIN'], extension: [{ valueString: 'MARIN ÉLIE' }] },
        { use: 'usual', family: 'TEST-NOUR', given: ['ÉLIE'] },
      ],
      gender: 'male',
      birthDate: '1990-02-14',
      address: [
        { use: 'home', line: ["4 QUAI DE L'EXEMPLE", 'BAT B'], city: 'LILLE', postalCode: '59000', country: 'FRA' },
      ],
      telecom: [
        { system: 'phone', use: 'mobile', value: '0600000002' },
        { system: 'email', value: 'patient@example.test' },
      ],
    });
    const patient = requests[0]?.patient as Patient;
    expect(statusOf(patient)).toEqual(['VALI']);
    expect(patient.extension).toContainEqual(
      expect.objectContaining({
        valueAddress: { extension: [expect.objectContaining({ valueCoding: { code: '75056' } })] },
      }),
    );
  });

  it('carries people, structure, appointment, class, call-back number and times', async () => {
    const { requests, focus } = await told(request());
    expect(requests[0]).toMatchObject({
      requester: {
        identifier: [
          { system: 'https://rpps.esante.gouv.fr', value: '99700990015' },
          { system: 'urn:oid:1.2.250.1.71.4.2.1', value: '899700990015' },
        ],
        name: [{ family: 'TEST-DEMANDE', given: ['YAEL'], suffix: ['DR'] }],
      },
      wantedPerformer: { identifier: [{ value: '99700990031' }, { value: '899700990031' }] },
      organization: {
        name: 'CH TEST IMAGERIE',
        identifier: [{ system: 'https://finess.esante.gouv.fr', value: '590099991' }],
      },
      appointment: {
        type: { coding: [{ code: 'VN' }] },
        system: 'https://fhir.passerelle.example/sid/appointment/590099983',
        value: 'RDV-77',
      },
      encounterClass: 'I',
      callback: '0320000000',
      transmittedAt: new Date('2026-03-10T20:30:00Z'),
    });
    expect(focus).toBe('Task/1');
  });

  it('carries height, weight, pregnancy and history with its importance', async () => {
    const { requests } = await told(request());
    const byCode = new Map(requests[0]?.observations.map((each) => [each.code.coding?.[0]?.code, each]));
    expect([...byCode.keys()]).toEqual(['11322-5', '8302-2', '29463-7', '82810-3']);
    expect(byCode.get('11322-5')).toMatchObject({
      valueString: 'HTA.\nPacemaker depuis 2021.',
      interpretation: [{ coding: [{ code: 'MAJEUR' }], text: 'Majeur' }],
    });
    expect(byCode.get('8302-2')).toMatchObject({
      valueQuantity: { value: 181, unit: 'cm', system: 'http://unitsofmeasure.org', code: 'cm' },
    });
    expect(byCode.get('29463-7')).toMatchObject({ valueQuantity: { value: 79.5, code: 'kg' } });
    expect(byCode.get('82810-3')).toMatchObject({
      valueCodeableConcept: { coding: [{ code: 'N', system: 'http://terminology.hl7.org/CodeSystem/v2-0532' }] },
    });
  });

  it('carries what stands outside the dictionary: other results, allergies, diagnoses, notes about the patient', async () => {
    const segments = request();
    const at = (name: string) => segments.findIndex(([first]) => first === name);
    segments.splice(
      at('ORC'),
      0,
      ['NTE', '1', '', 'Sourd : écrire'],
      ['AL1', '1', 'DA', '^Iode', 'SV', 'urticaire~choc'],
    );
    segments.splice(at('OBR') + 1, 0, ['DG1', '1', '', 'I63.9^Infarctus cérébral^I10']);
    segments.push(
      ['OBX', '20', 'NM', '2160-0^Créatinine^LN', '', '182', 'umol/L', '', 'H', '', '', 'F'],
      ['OBX', '21', 'CE', 'IMPLANT^Implant^LOCAL', '', 'VAL^Valve mécanique^LOCAL', '', '', '', '', '', 'F'],
      [
        'OBX',
        '22',
        'FT',
        'A  B^Remarque^LN',
        '',
        'Claustrophobe\\X02\\~ sédation',
        '',
        '',
        '',
        '',
        '',
        'F',
        '',
        '',
        'hier',
      ],
      ['OBX', '23', 'NM', '2160-0^Créatinine^LN', '', '9', '', '', '', '', '', 'W'],
      ['OBX', '24', 'ED', 'ORDO^Ordonnance^LOCAL', '', '^application^PDF^Base64^JVBERi0=', '', '', '', '', '', 'F'],
    );
    const { requests, notices } = await told(segments);
    const [{ serviceRequest, observations = [] } = {}] = requests;
    expect(serviceRequest?.note?.map(({ text }) => text)).toEqual([
      'Éliminer un AVC',
      'Séquence de diffusion',
      'Sourd : écrire',
      'Diagnostic : Infarctus cérébral (I63.9)',
    ]);
    expect(observations.slice(4)).toMatchObject([
      {
        code: { coding: [{ system: 'http://loinc.org', code: '2160-0', display: 'Créatinine' }], text: 'Créatinine' },
        valueQuantity: { value: 182, unit: 'umol/L' },
        note: [{ text: 'Interprétation de l’émetteur : H' }],
      },
      { code: { text: 'Implant' }, valueString: 'Valve mécanique' },
      { code: { text: 'Remarque' }, valueString: 'Claustrophobe ~ sédation' },
      { code: { coding: [{ code: '48765-2' }] }, valueString: 'Iode, sévère, urticaire, choc' },
    ]);
    expect(observations).toHaveLength(8);
    expect(notices).toEqual([expect.stringMatching(/^OBX 12 : fichier non repris/)]);
  });

  it.each(['1985-03-12', '1985O312', '1985031', '19850', '19850312 ', '19851301'])(
    'takes a date of birth %j whole or refuses it: a year alone would say less than was meant',
    async (date) => {
      const changed = withField(request(), 'PID', 7, date);
      if (date.trim() !== '19850312') expect(refusal(changed)).toMatchObject({ code: '102', location: 'PID^1^7' });
      else expect((await told(changed)).requests[0]?.patient.birthDate).toBe('1985-03-12');
    },
  );

  it.each(['1985', '198503', '19850312', '198503121430', '19850312143000+0100'])(
    'takes a date of birth %j as exactly as it is given',
    async (date) => {
      const { requests } = await told(withField(request(), 'PID', 7, date));
      const expected = [date.slice(0, 4), date.slice(4, 6), date.slice(6, 8)].filter((part) => part !== '').join('-');
      expect(requests[0]?.patient.birthDate).toBe(expected);
    },
  );

  it('is refused with two exams under one order, two modalities or two visits: one of each would be lost', () => {
    const twice = (name: string, change: (fields: string[]) => string[] = (fields) => fields) => {
      const segments = request();
      const at = segments.findIndex(([first]) => first === name);
      return [...segments.slice(0, at + 1), change([...segments[at]!]), ...segments.slice(at + 1)];
    };
    expect(refusal(twice('OBR'))).toMatchObject({ ack: 'AE', code: '207', location: 'OBR^2' });
    expect(refusal(twice('PV1'))).toMatchObject({ ack: 'AE', code: '207', location: 'PV1^2' });
    const ct = (fields: string[]) => fields.with(5, 'CT^Scanner^DCM');
    expect(refusal(twice('OBX', ct))).toMatchObject({ ack: 'AE', code: '207', location: 'OBX^2^5' });
  });

  it('takes several orders of one message', async () => {
    const other = request({ placer: 'DEM-78' }).filter((fields) =>
      ['ORC', 'OBR', 'OBX', 'NTE'].includes(fields[0] ?? ''),
    );
    const { requests } = await told([...request(), ...other]);
    expect(requests.map((each) => each.serviceRequest.identifier?.[0]?.value)).toEqual(['DEM-77', 'DEM-78']);
  });

  it.each([
    ['PID', undefined, '100', 'PID^1', 'PID'],
    ['PV1', undefined, '100', 'PV1^1', 'PV1'],
    ['ORC', undefined, '100', 'ORC^1', 'ORC'],
    ['OBR', undefined, '100', 'OBR^1', 'OBR'],
    ['MSH', 12, '101', 'MSH^1^12', 'MSH-12'],
    ['PID', 3, '101', 'PID^1^3', 'PID-3'],
    ['PID', 5, '101', 'PID^1^5', 'PID-5'],
    ['PV1', 2, '101', 'PV1^1^2', 'PV1-2'],
    ['ORC', 1, '101', 'ORC^1^1', 'ORC-1'],
    ['ORC', 2, '101', 'ORC^1^2', 'ORC-2'],
    ['ORC', 9, '101', 'ORC^1^9', 'ORC-9'],
    ['ORC', 12, '101', 'ORC^1^12', 'ORC-12'],
    ['ORC', 21, '101', 'ORC^1^21', 'ORC-21'],
    ['OBR', 4, '101', 'OBR^1^4', 'OBR-4'],
    ['OBR', 13, '101', 'OBR^1^13', 'OBR-13'],
  ])('is refused without %s-%s', (name, field, code, where, element) => {
    const broken =
      field === undefined ? without(request(), ([first]) => first === name) : withField(request(), name, field, '');
    expect(refusal(broken)).toMatchObject({ ack: 'AE', code, location: where, values: { path: element } });
  });

  it.each([
    ['MODALITE_IMAGERIE', 'OBX^1^3'],
    ['REGION_ANATOMIQUE', 'OBX^1^3'],
  ])('is refused without %s', (observation, where) => {
    const broken = without(request(), ([name, , , code]) => name === 'OBX' && (code ?? '').startsWith(observation));
    expect(refusal(broken)).toMatchObject({ code: '100', location: where, values: { path: observation } });
  });

  it.each([
    ['an unknown class', 'PV1', 2, 'X', '103', 'PV1^1^2'],
    ['a birth date that does not exist', 'PID', 7, '19900230', '102', 'PID^1^7'],
    ['a request date that is none', 'ORC', 9, 'hier', '102', 'ORC^1^9'],
    ['an authority that is no OID', 'ORC', 2, 'DEM-77^^pas-un-oid^ISO', '102', 'ORC^1^2'],
    ['a number without authority', 'ORC', 2, 'DEM-77', '101', 'ORC^1^2'],
    ['two numbers for one order', 'OBR', 2, 'AUTRE^^2.999.59.10^ISO', '207', 'OBR^1^2'],
    ['a procedure of another flow', 'OBR', 4, 'COMPLEMENT_POST_ACTE', '207', 'OBR^1^4'],
    ['an order control of no flow', 'ORC', 1, 'XX', '103', 'ORC^1^1'],
    ['a modality of an unknown system', 'OBX', 5, 'ZZ^Autre^LOCAL', '103', 'OBX^1^5'],
    ['a modality without code', 'OBX', 5, '^Scanner', '101', 'OBX^1^5'],
  ])('is refused with %s', (_, name, field, value, code, where) => {
    expect(refusal(withField(request(), name, field, value))).toMatchObject({ ack: 'AE', code, location: where });
  });

  it('is refused with a height that is no number', () => {
    expect(refusal(withField(request(), 'OBX', 5, 'grand', 5))).toMatchObject({ code: '102', location: 'OBX^5^5' });
  });

  it.each([
    ['MSH', 9, 'ADT^A01^ADT_A01', 'AR', '200'],
    ['MSH', 9, 'ORM^O02^ORM_O02', 'AR', '201'],
    ['MSH', 11, 'X', 'AR', '202'],
    ['MSH', 12, '2.3', 'AR', '203'],
  ])('is refused when %s-%s is %s', (name, field, value, ack, code) => {
    expect(refusal(withField(request(), name, field, value))).toMatchObject({ ack, code, location: `MSH^1^${field}` });
  });

  it('keeps a code of a known system that is not in the value set, and says so', async () => {
    const { requests, warnings } = await told(withField(request(), 'OBX', 5, 'XA^Angiographie^DCM'));
    expect(requests[0]?.serviceRequest.orderDetail?.[0]?.coding?.[0]).toMatchObject({
      code: 'XA',
      display: 'Angiographie',
    });
    expect(warnings.join()).toContain('OBX-5');
  });

  it('tolerates what circulates: no label, no set id, no PV1-19, trailing separators, LF line ends', async () => {
    let sent = withField(request(), 'PV1', 19, '');
    sent = withField(sent, 'OBR', 1, '');
    sent = sent.map((fields) => (fields[0] === 'MSH' ? fields : [...fields, '', '']));
    const bytes = Buffer.from(render(sent).replaceAll('\r', '\n'));
    const work = translate(bytes, readHeader(bytes), { tables, production: false });
    expect(work.warnings).toContain('PV1-19 absent (identifiant du rendez-vous)');
  });

  it('requires what an establishment cannot send no longer than the tables say', async () => {
    const site = {
      ...tables.site('x'),
      notRequired: ['OBR-13'],
      aliases: [{ valueSet: 'modality', from: 'SCAN', to: 'CT' }],
    };
    const own = { ...tables, site: () => site };
    const sent = withField(request(), 'OBX', 5, 'SCAN^^LOCAL');
    const { requests } = await told(sent, { tables: own });
    expect(requests[0]?.serviceRequest.orderDetail?.[0]?.coding?.[0]?.code).toBe('CT');
  });
});

const statusOf = (patient: Patient | undefined) =>
  patient?.extension?.flatMap((each) => each.extension ?? []).flatMap((each) => each.valueCoding?.code ?? []);
const insOf = (patient: Patient | undefined) =>
  patient?.identifier?.filter((each) => each.type?.coding?.[0]?.code?.startsWith('INS')).map((each) => each.value);

describe('the national identity number', () => {
  it.each([
    ['PROV', ['PROV']],
    ['', ['PROV']],
    ['RECUP', ['PROV']],
    ['PROV~FICT', ['PROV', 'FICT']],
    ['VALI~DOUT', ['PROV', 'DOUT']],
    ['INCONNU', ['PROV']],
  ])('is not kept when PID-32 is "%s"', async (sent, status) => {
    const { requests } = await told(withField(request(), 'PID', 32, sent));
    expect(insOf(requests[0]?.patient)).toEqual([]);
    expect(statusOf(requests[0]?.patient)).toEqual(status);
  });

  it('is kept under the unofficial code QUAL, read as VALI', async () => {
    const { requests } = await told(withField(request(), 'PID', 32, 'QUAL'));
    expect(insOf(requests[0]?.patient)).toEqual([ins]);
    expect(statusOf(requests[0]?.patient)).toEqual(['VALI']);
  });

  it.each([
    [7, ''],
    [8, 'U'],
    [11, ''],
    [5, 'TEST-DUPRÉ^MARIN^^^^^L'],
  ])('is not kept without every strict trait (PID-%s)', async (field, value) => {
    const { requests } = await told(withField(request(), 'PID', field, value));
    expect(insOf(requests[0]?.patient)).toEqual([]);
    expect(statusOf(requests[0]?.patient)).toEqual(['PROV']);
  });

  const identifiers = (matricule: string, oid: string, type = 'INS') =>
    `000077^^^CH-TEST&590099991&N^PI~${matricule}^^^ASIP-SANTE-INS-NIR&${oid}&ISO^${type}`;

  it('is refused with a wrong key, except under the test OIDs', async () => {
    const wrong = identifiers('279035121518988', '1.2.250.1.213.1.4.8');
    expect(refusal(withField(request(), 'PID', 3, wrong))).toMatchObject({ kind: 'bad-ins-key', location: 'PID^1^3' });
    const { warnings } = await told(
      withField(request(), 'PID', 3, identifiers('279035121518988', '1.2.250.1.213.1.4.10')),
    );
    expect(warnings.join()).toContain('clé');
  });

  it.each(['279035121518989', '285052A00412306', '285052a00412306', '248039263001064'])(
    '%s has the right key',
    async (matricule) => {
      const { requests } = await told(withField(request(), 'PID', 3, identifiers(matricule, '1.2.250.1.213.1.4.8')));
      expect(insOf(requests[0]?.patient)).toEqual([matricule.toUpperCase()]);
    },
  );

  it('changes its key with any digit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 1, max: 9 }), (place, step) => {
        const digits = [...'279035121518989'];
        digits[place] = String((Number(digits[place]) + step) % 10);
        const found = refusal(withField(request(), 'PID', 3, identifiers(digits.join(''), '1.2.250.1.213.1.4.8')));
        expect(['bad-ins-key', 'bad-type']).toContain(found.kind);
      }),
    );
  });

  it('is not read out of the health-insurance number, which shares its OID', async () => {
    const { requests } = await told(
      withField(request(), 'PID', 3, identifiers('279035121518989', '1.2.250.1.213.1.4.8', 'NH')),
    );
    expect(insOf(requests[0]?.patient)).toEqual([]);
  });

  it.each(['NH', 'PI', '', 'NI'])('under the type "%s" is nobody’s number: neither INS nor IPP', async (type) => {
    const { requests, warnings } = await told(
      withField(request(), 'PID', 3, identifiers('279035121518989', '1.2.250.1.213.1.4.8', type)),
    );
    expect(requests[0]?.patient.identifier?.map((each) => each.value)).toEqual(['000077']);
    expect(warnings.join()).toContain('PID-3');
  });

  it.each(['X', 'ASIP-SANTE-INS-NIR', 'X&1.2.3.4&ISO'])(
    'under the authority %s is not kept at all',
    async (authority) => {
      const sent = `000077^^^CH-TEST&590099991&N^PI~279035121518989^^^${authority}^INS`;
      const { requests, warnings } = await told(withField(request(), 'PID', 3, sent));
      expect(requests[0]?.patient.identifier?.map((each) => each.value)).toEqual(['000077']);
      expect(warnings.join()).toContain('PID-3');
    },
  );

  it('of a test identity is refused by a platform in production', () => {
    expect(refusal(request(), { production: true }).kind).toBe('test-identity');
  });

  it('is refused when there are two of one kind', () => {
    const two = `${identifiers('279035121518989', '1.2.250.1.213.1.4.8')}~248039263001064^^^X&1.2.250.1.213.1.4.8&ISO^INS`;
    expect(refusal(withField(request(), 'PID', 3, two)).kind).toBe('ins-ambiguous');
  });

  it('unqualified and alone leaves nobody to identify', () => {
    const alone = withField(request(), 'PID', 3, `${ins}^^^X&1.2.250.1.213.1.4.10&ISO^INS`);
    expect(refusal(withField(alone, 'PID', 32, 'PROV'))).toMatchObject({ code: '101', location: 'PID^1^3' });
  });
});

describe('a frame that holds more than one message or patient', () => {
  const two = [request(), request({ controlId: 'REQ0002', placer: 'DEM-78', ipp: '000078' })];

  it('is refused when its sender forgot the end of the first message', () => {
    expect(refusal(two.flat())).toMatchObject({ ack: 'AE', code: '207', location: 'MSH^2' });
  });

  it('is refused when a second patient follows the first: the orders would all be the first one’s', () => {
    const joined = [...two[0]!, ...without(two[1]!, ([name]) => name === 'MSH')];
    expect(refusal(joined)).toMatchObject({ ack: 'AE', code: '207', location: 'PID^2' });
  });
});

describe('flow 2, the cancellation', () => {
  it('carries the number, who cancels, when and why, without any OBX', async () => {
    const { cancellations } = await told(cancellation());
    expect(cancellations).toMatchObject([
      {
        placer: { system: 'urn:oid:2.999.59.10', value: 'DEM-77' },
        requester: { identifier: [{ value: '99700990015' }, {}] },
        cancelledAt: new Date('2026-03-10T20:40:00Z'),
        reason: 'Patient transféré',
      },
    ]);
  });
});

describe('flow 4, the complement', () => {
  it('carries every exam with its study, accession number, act, products, machine and viewer address', async () => {
    const { complements } = await told(complement());
    expect(complements).toHaveLength(1);
    expect(complements[0]?.map((exam) => exam.studyInstanceUid)).toEqual(['2.25.77', '2.25.78']);
    expect(complements[0]?.[0]).toMatchObject({
      placer: { value: 'DEM-77' },
      accessionNumber: { system: 'urn:oid:2.999.59.20', value: 'ACC-77' },
      act: { system: 'http://loinc.org', code: '24590-2', display: 'IRM cérébrale' },
      modality: { code: 'MR' },
      bodySite: [{ coding: [{ code: '774007' }] }],
      examDate: new Date('2026-03-10T22:00:00Z'),
      retentionDays: 730,
      partialViewerUrl: viewerUrl,
      device: {
        udiCarrier: [{ carrierHRF: '(01)03700000000017(21)SN9', deviceIdentifier: '03700000000017' }],
        serialNumber: 'SN9',
        deviceName: [{ name: 'Imageur 3T' }],
      },
    });
    expect(complements[0]?.[0]?.products).toMatchObject([
      {
        contained: [
          { code: { coding: [{ system: 'http://www.whocc.no/atc', code: 'V09' }] }, batch: { lotNumber: '0012345' } },
        ],
        dosage: { dose: { value: 245, code: 'MBq' } },
        effectiveDateTime: '2026-03-10T22:00:00Z',
      },
    ]);
  });

  it.each([
    ['the study', 'IPC', 3, '', 1, '101', 'IPC^1^3'],
    ['a study that is no UID', 'IPC', 3, '1.02', 1, '102', 'IPC^1^3'],
    ['the accession number of the second exam', 'IPC', 1, '', 2, '101', 'IPC^2^1'],
    ['the retention', 'TQ1', 6, '', 1, '101', 'TQ1^1^6'],
    ['a retention without meaning', 'TQ1', 6, '2^siècles', 1, '102', 'TQ1^1^6'],
    ['the date', 'TQ1', 7, '', 1, '101', 'TQ1^1^7'],
    ['a viewer address that cannot be decoded', 'OBX', 5, '^TEXT^^Base64^abcde', 1, '102', 'OBX^1^5'],
    ['a viewer address that is none', 'OBX', 5, '^TEXT^^Base64^YWJjZA==', 1, '102', 'OBX^1^5'],
    ['the lot of a product', 'OBX', 4, '2.1', 5, '207', 'OBX^5^4'],
  ])('is refused without %s', (_, name, field, value, occurrence, code, where) => {
    expect(refusal(withField(complement(), name, field, value, occurrence))).toMatchObject({
      ack: 'AE',
      code,
      location: where,
    });
  });

  it('is refused with two studies under one order, and takes two steps of one', async () => {
    const segments = complement();
    const at = segments.findIndex(([first]) => first === 'IPC');
    const again = (ipc: string[]) => [...segments.slice(0, at + 1), ipc, ...segments.slice(at + 1)];
    expect(refusal(again(segments[at]!.with(3, '2.25.79')))).toMatchObject({
      ack: 'AE',
      code: '207',
      location: 'IPC^2',
    });
    expect((await told(again(segments[at]!.with(4, 'STEP-2')))).complements[0]).toHaveLength(2);
  });

  it('is refused without IPC', () => {
    expect(refusal(without(complement(), ([name]) => name === 'IPC'))).toMatchObject({
      code: '100',
      location: 'IPC^1',
    });
  });

  it('accepts iodine contrast, which has no compliant code', async () => {
    const { complements, warnings } = await told(withField(complement(), 'OBX', 5, 'V08^^ATC', 5));
    expect(complements[0]?.[0]?.products[0]?.contained?.[0]).toMatchObject({ code: { coding: [{ code: 'V08' }] } });
    expect(warnings).not.toHaveLength(0);
  });
});

describe('flow 3, the answer of another platform', () => {
  it('is refused when the protocol is not base64 or is missing', () => {
    const encoded = withField(withField(answer(), 'OBX', 2, 'ED'), 'OBX', 5, '^TEXT^^Base64^Pendggfbubzbdy12gggvt');
    expect(refusal(encoded)).toMatchObject({ ack: 'AE', code: '102', location: 'OBX^1^5' });
    expect(refusal(without(answer(), ([name]) => name === 'OBX'))).toMatchObject({ code: '100', location: 'OBX^1^3' });
  });
});

it('any message either is translated or is refused with a reason', () => {
  const messages = [request(), cancellation(), complement(), answer()];
  fc.assert(
    fc.property(
      fc.constantFrom(...messages),
      fc.array(
        fc.tuple(
          fc.nat(40),
          fc.nat(35),
          fc.oneof(
            fc.string({ unit: 'binary', maxLength: 30 }),
            fc.constantFrom('', '^', '~~', '&&&', '""', '\\X', '^^^^^^^^^^^', '1.1'),
          ),
        ),
        { maxLength: 4 },
      ),
      (segments, mutations) => {
        const broken = segments.map((fields) => [...fields]);
        for (const [line, field, value] of mutations) {
          const target = broken[line % broken.length]!;
          target[1 + (field % Math.max(1, target.length - 1))] = value;
        }
        try {
          read(broken);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      },
    ),
    { numRuns: 400 },
  );
});
