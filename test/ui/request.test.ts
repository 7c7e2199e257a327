/** The form of a requester without RIS makes what any FHIR client could: posted as it is, it opens a case of its kind. */
import type { Bundle, Patient, Resource, ServiceRequest, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { validateResource } from '../../src/fhir/validation/index.ts';
import { kinds as served } from '../../src/teleradiology/kinds/index.ts';
import { chaptersOf } from '../../src/ui/report/chapters.ts';
import {
  caseOf,
  missingIn,
  type RequestForm,
  requestBundle,
  samePatient,
} from '../../src/ui/request/request-bundle.ts';
import { kindOf, kinds } from '../../src/ui/words/kinds.ts';
import { stateOf } from '../teleradiology/support/requests.ts';
import { createWorld, type World } from '../teleradiology/support/world.ts';

const form: RequestForm = {
  kind: 'teleexpertise',
  urgent: false,
  establishment: 'Organization/ch-exemple',
  ipp: '8001234',
  family: 'Test-Dupuis',
  given: 'Anne Marie',
  birthDate: '1971-03-02',
  gender: 'female',
  act: 'Avis dermatologique',
  question: 'Faut-il une exérèse ?',
  history: 'Aucun',
  callback: '0556000000',
};
const asked = {
  requester: 'Practitioner/demandeur',
  known: undefined,
  number: 'WEB-1',
  now: new Date('2026-05-12T06:00:00Z'),
};

describe('a request by the form', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.close());

  it('is plain, valid FHIR that opens a case of its kind, for a person or one who is known already', async () => {
    const bundle = requestBundle(form, asked);
    for (const { resource } of bundle.entry ?? []) expect(validateResource(resource as Resource)).toEqual([]);
    const { task, patient } = await post(world, bundle);
    expect(stateOf(task)).toBe('ready');
    expect(kindOf(task.code)).toBe('teleexpertise');
    expect(samePatient(form, patient).id).toBe(patient.id);
    const again = requestBundle(form, { ...asked, known: patient, number: 'WEB-2' });
    expect(again.entry).toHaveLength(2);
    expect((await post(world, again)).task.for?.reference).toBe(`Patient/${patient.id}`);
  });

  it('never takes another patient who has the number that was typed', () => {
    const known: Patient = { resourceType: 'Patient', birthDate: '1980-01-01', name: [{ family: 'TEST-DUPUIS' }] };
    expect(() => samePatient(form, known)).toThrow(/autre patient/);
    expect(() => samePatient(form, { ...known, birthDate: '1971-03-02', name: [{ family: 'AUTRE' }] })).toThrow();
  });

  it('says what is missing, and finds the case in the answer', () => {
    expect(missingIn(form)).toEqual([]);
    expect(missingIn({ ...form, question: ' ', ipp: '' })).toEqual(['l’IPP', 'la question posée']);
    const answer: Bundle = {
      resourceType: 'Bundle',
      type: 'transaction-response',
      entry: [
        { response: { status: '201', location: 'ServiceRequest/1/_history/1' } },
        { response: { status: '201', location: 'Task/abc/_history/1' } },
      ],
    };
    expect(caseOf(answer)).toBe('abc');
    expect(() => caseOf({ resourceType: 'Bundle', type: 'transaction-response' })).toThrow();
  });
});

it('names every kind the server knows, with the headings it prints', () => {
  expect(kinds.map(({ value }) => value).sort()).toEqual(served.map(({ code }) => code).sort());
  for (const kind of served)
    expect(chaptersOf(kind.code).map(({ label }) => label)).toEqual(Object.values(kind.document.chapters));
});

/** As the store's transactions do: placeholders become the ids of what is created. */
async function post(world: World, bundle: Bundle): Promise<{ task: Task; patient: Patient }> {
  return world.store.transaction(world.as('requester', 'transaction'), async (tx) => {
    let text = JSON.stringify(bundle.entry?.map(({ resource }) => resource));
    const ids: string[] = [];
    for (const [index, { fullUrl, resource }] of (bundle.entry ?? []).entries()) {
      const id = `web-${bundle.entry?.length}-${index}`;
      ids.push(`${resource?.resourceType}/${id}`);
      if (fullUrl) text = text.replaceAll(fullUrl, `${resource?.resourceType}/${id}`);
    }
    for (const [index, resource] of (JSON.parse(text) as (Patient | ServiceRequest | Task)[]).entries())
      await tx.create({ ...resource, id: ids[index]?.split('/')[1] ?? '' } as Task & { id: string });
    const task = (await tx.read('Task', ids.at(-1)?.split('/')[1] ?? '')) as Task;
    const patient = (await tx.read('Patient', task.for?.reference?.split('/')[1] ?? '')) as Patient;
    return { task, patient };
  });
}
