import type { Communication, Observation, Task } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  asksForContrast,
  missingItems,
  missingText,
  type RequestItem,
  type RequestParts,
  requestItems,
} from '../../src/teleradiology/request/required-items.ts';
import { fresh, outputs, patient, person, placer, request, send, stateOf } from './support/requests.ts';
import { createWorld, hospital, tenant, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.store.transaction(world.as('administrator'), (tx) =>
    tx.update(
      hospital(
        [
          {
            url: 'requiredItems',
            valueString: 'reason act requester-phone clinical-information weight creatinine allergy pregnancy inconnu',
          },
        ],
        'ch-exigeant',
      ),
    ),
  );
});
afterAll(() => world.close());

const result = (code: string): Observation => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code }] },
  valueQuantity: { value: 70 },
});

const whole: RequestParts = {
  serviceRequest: {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    subject: { reference: 'Patient/1' },
    requester: { reference: 'Practitioner/1' },
    authoredOn: '2026-05-12',
    code: { text: 'Scanner abdominal avec injection' },
    orderDetail: [{ coding: [{ code: 'CT' }] }],
    reasonCode: [{ text: 'Douleur' }],
    note: [{ text: 'Défense en fosse iliaque' }],
  },
  patient: { ...patient(person()), birthDate: '1990-05-20' },
  requester: { resourceType: 'Practitioner', name: [{ family: 'TEST' }], telecom: [{ system: 'phone', value: '15' }] },
  observations: ['29463-7', '2160-0', '82810-3'].map(result),
  allergiesStated: true,
  callback: '0556000000',
  consented: true,
  emergency: false,
};
const all = Object.keys(requestItems) as RequestItem[];

/** A request without each item, one at a time. */
const without: Record<RequestItem, Partial<RequestParts>> = {
  reason: { serviceRequest: { ...whole.serviceRequest, reasonCode: [{ text: ' ' }] } },
  act: {
    serviceRequest: {
      ...whole.serviceRequest,
      code: undefined,
      orderDetail: undefined,
      note: [{ text: 'avec injection' }],
    },
  },
  'patient-identifier': { patient: { ...whole.patient!, identifier: [{ system: 'urn:oid:2.999.1', value: '1' }] } },
  requester: { requester: { resourceType: 'Practitioner' }, callback: '15' },
  'requester-phone': { callback: undefined, requester: { resourceType: 'Practitioner', name: [{ family: 'TEST' }] } },
  consent: { consented: false },
  'clinical-information': { serviceRequest: { ...whole.serviceRequest, note: undefined } },
  weight: { observations: ['2160-0', '82810-3'].map(result) },
  creatinine: { observations: ['29463-7', '82810-3'].map(result) },
  allergy: { allergiesStated: false },
  pregnancy: { observations: ['29463-7', '2160-0'].map(result) },
};

describe('what a request lacks', () => {
  it('is nothing when everything required is there', () => {
    expect(missingItems(whole, all)).toEqual([]);
  });

  it.each(all)('is named: %s, with the place it belongs to', (item) => {
    const [missing, ...others] = missingItems({ ...whole, ...without[item] }, all);
    expect(others).toEqual([]);
    expect(missing).toMatchObject({ item, text: requestItems[item].text });
    expect(missing?.expression).toMatch(/^[A-Z][A-Za-z]+/);
  });

  it('is only ever what the establishment requires', () => {
    const empty: RequestParts = {
      serviceRequest: { resourceType: 'ServiceRequest', status: 'active', intent: 'order', subject: {} },
      observations: [],
      allergiesStated: false,
      consented: false,
      emergency: false,
    };
    fc.assert(
      fc.property(fc.subarray(all), (required) => {
        const named = missingItems(empty, required).map(({ item }) => item);
        expect(required).toEqual(expect.arrayContaining(named));
        for (const item of required) if (requestItems[item].applies === undefined) expect(named).toContain(item);
      }),
    );
  });

  it('leaves out consent in an emergency, kidneys without contrast, pregnancy where there is none to fear', () => {
    const { serviceRequest } = whole;
    const bare: RequestParts = { ...whole, observations: [], allergiesStated: false, consented: false };
    const plain = { ...serviceRequest, code: { text: 'Scanner cérébral sans injection' } };
    const named = (parts: RequestParts) => missingItems(parts, all).map(({ item }) => item);
    expect(named({ ...bare, emergency: true })).not.toContain('consent');
    expect(named({ ...bare, serviceRequest: plain })).toEqual(['consent', 'pregnancy']);
    expect(named({ ...bare, patient: { ...whole.patient!, gender: 'male' } })).not.toContain('pregnancy');
    expect(named({ ...bare, patient: { ...whole.patient!, birthDate: '1940-05-20' } })).not.toContain('pregnancy');
    const mri = { ...plain, orderDetail: [{ coding: [{ code: 'MR' }] }] };
    expect(named({ ...bare, serviceRequest: mri })).toEqual(['consent']);
  });

  it.each([
    ['Scanner abdominal avec injection', true],
    ['Angioscanner pulmonaire', true],
    ['TDM crâne sans puis avec injection', true],
    ['IRM, gadolinium si besoin', true],
    ['Scanner cérébral sans injection', false],
    ['TDM non injecté', false],
    ['Scanner sans contraste', false],
    ['Radiographie du genou', false],
  ])('depends on a contrast agent: %s', (text, expected) => {
    expect(asksForContrast({ ...whole.serviceRequest, code: { text } })).toBe(expected);
  });
});

describe('an incomplete request', () => {
  const sent = async (changes: object = {}, establishment = 'ch-exemple') => {
    const asked = request(person(), { encounterClass: 'O' });
    const serviceRequest = { ...asked.serviceRequest, priority: 'routine' as const, ...changes };
    const { task } = await send(world, { ...asked, serviceRequest }, establishment);
    return task;
  };
  const question = async (task: Task): Promise<Communication> => {
    const [asked] = outputs(task, 'question').map((each) => each.valueReference?.reference?.split('/')[1] ?? '');
    return world.store.read(tenant, 'Communication', asked ?? '');
  };

  it('waits for what is missing, named to the establishment and on the case, when nothing is urgent', async () => {
    const task = await sent({ reasonCode: undefined });
    expect(stateOf(task)).toBe('information-wanted');
    expect(task.statusReason?.text).toBe("Demande incomplète : il manque le motif de l'examen.");
    expect(await question(task)).toMatchObject({
      category: [{ coding: [{ code: 'question' }] }],
      recipient: [{ reference: 'Organization/ch-exemple' }, { reference: 'Organization/passerelle-exemple' }],
      payload: [{ contentString: missingText(['reason']) }],
      about: [{ reference: `Task/${task.id}` }],
    });
    await world.operate('requester', 'answer', task.id, { answer: 'Douleur abdominale fébrile' });
    const answered = await world.task(task.id);
    expect(stateOf(answered)).toBe('protocol-wanted');
    expect(answered.statusReason).toBeUndefined();
  });

  it('goes on when it is urgent, and is asked beside', async () => {
    const asked = request(person(), { encounterClass: 'E' });
    const serviceRequest = { ...asked.serviceRequest, reasonCode: undefined };
    const { task } = await send(world, { ...asked, serviceRequest });
    expect(stateOf(task)).toBe('protocol-wanted');
    expect((await question(task)).priority).toBe('urgent');
  });

  it('is measured by what its own establishment requires', async () => {
    const task = await sent({ code: { text: 'Scanner abdominal injecté' } }, 'ch-exigeant');
    expect(stateOf(task)).toBe('information-wanted');
    for (const item of ['clinical-information', 'weight', 'creatinine', 'allergy'] as const)
      expect(task.statusReason?.text).toContain(requestItems[item].text);
    for (const item of ['requester-phone', 'reason'] as const)
      expect(task.statusReason?.text).not.toContain(requestItems[item].text);
  });

  it('sent as a draft is measured when it is submitted', async () => {
    const known = await sent();
    const number = `DEM-${fresh()}`;
    const ids = await world.store.transaction(world.as('requester'), async (tx) => {
      const order = await tx.create({
        resourceType: 'ServiceRequest',
        status: 'draft',
        intent: 'order',
        priority: 'routine',
        identifier: [placer(number)],
        subject: known.for as { reference: string },
        requester: { reference: 'Practitioner/demandeur' },
        code: { text: 'Scanner' },
      } as const);
      const task = await tx.create({
        resourceType: 'Task',
        status: 'draft',
        intent: 'order',
        code: {
          coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/task-code', code: 'teleradiology-case' }],
        },
        focus: { reference: `ServiceRequest/${order.id}` },
        requester: { reference: 'Organization/ch-exemple' },
      } as const);
      return task.id;
    });
    const draft = await world.task(ids);
    expect(outputs(draft, 'question')).toEqual([]);
    const businessStatus = {
      coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/case-status', code: 'sent' }],
    };
    await world.store.transaction(world.as('requester'), (tx) =>
      tx.update({ ...draft, id: ids, status: 'requested', businessStatus }),
    );
    const submitted = await world.task(ids);
    expect(stateOf(submitted)).toBe('information-wanted');
    expect(submitted.statusReason?.text).toContain('motif');
  });
});
