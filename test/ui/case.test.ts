import type { Communication, HumanName, Task } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { offeredActions } from '../../src/ui/case/actions.ts';
import { caseAlerts } from '../../src/ui/case/alerts.ts';
import { caseFacts } from '../../src/ui/case/case-facts.ts';
import { describeChange, sameSituation } from '../../src/ui/case/change.ts';
import { deliveryLines } from '../../src/ui/case/delivery-lines.ts';
import { examOf } from '../../src/ui/case/exam.ts';
import { insStatus } from '../../src/ui/case/ins-status.ts';
import templates from '../../src/ui/case/protocol-templates.json' with { type: 'json' };
import { templatesFor } from '../../src/ui/case/protocol-templates.ts';
import { observationName, observationsOf, observationValue } from '../../src/ui/case/request-facts.ts';
import { timeline } from '../../src/ui/case/timeline.ts';
import { transitionsOf } from '../../src/ui/case/transitions.ts';
import { binaryPath } from '../../src/ui/fhir/client.ts';
import { caseStatusName } from '../../src/ui/words/case-status.ts';
import { patientIdentity, practitionerName, spacedIns } from '../../src/ui/words/people.ts';
import { fakeResources } from './fake/resources.ts';

const now = Date.parse('2026-11-22T02:30:00Z');
const resources = fakeResources(now);
const of = <R>(type: string, id: string): R => resources.find((one) => one.resourceType === type && one.id === id) as R;
const task = of<Task>('Task', 'cas-1');
const P = 'https://fhir.passerelle.example/';

describe('a case', () => {
  it('is read into plain facts', () => {
    const facts = caseFacts(task);
    expect(facts).toMatchObject({
      number: '2026-00417',
      placerNumber: 'DEM-8800',
      state: 'ready',
      urgent: true,
      late: false,
      imageCount: 36,
      attachmentBasis: 'study-uid',
      encounterClass: 'E',
      callback: '05 56 00 00 42',
    });
    expect(facts.deadline).toEqual(new Date(now + 12 * 60_000));
    expect(facts.clockStarted).toEqual(new Date(now - 48 * 60_000));
  });

  it('shows the eight timestamps of the contract in its order, those to come as missing', () => {
    const { contractual, others } = timeline(task);
    expect(contractual.map((one) => one.label)).toEqual([
      'Demande',
      'Transmission',
      'Réception',
      'Demande de protocole',
      'Protocole',
      'Réception des images',
      'Interprétation transmise',
      'Interprétation reçue',
    ]);
    expect(contractual.map((one) => one.at !== undefined)).toEqual([true, true, true, true, true, true, false, false]);
    expect(others).toEqual([]);
  });

  it('offers the legal actions, and those a guard holds back with its reason', () => {
    const transitions = transitionsOf({
      resourceType: 'Parameters',
      parameter: [
        { name: 'transition', valueCode: 'release' },
        { name: 'transition', valueCode: 'sign' },
        {
          name: 'blocked',
          part: [
            { name: 'transition', valueCode: 'claim' },
            { name: 'guard', valueCode: 'consent' },
            { name: 'reason', valueString: 'Consentement absent.' },
          ],
        },
      ],
    });
    expect(transitions).toEqual({ legal: ['release', 'sign'], blocked: { claim: 'Consentement absent.' } });
    expect(offeredActions(transitions).map(({ name, blockedBy }) => [name, blockedBy])).toEqual([
      ['claim', 'Consentement absent.'],
      ['release', undefined],
    ]);
    expect(offeredActions(transitionsOf({ resourceType: 'Parameters' }))).toEqual([]);
  });

  it('names every state in French, and an unknown one by its code', () => {
    expect(caseStatusName('protocol-wanted')).toBe('protocole à établir');
    expect(caseStatusName('later')).toBe('later');
  });
});

describe('after a lost race', () => {
  const later = (change: Partial<Task>): Task => ({ ...task, meta: { versionId: '9' }, ...change });
  const reading = { coding: [{ system: `${P}CodeSystem/case-status`, code: 'reading' }] };

  it('images that arrived meanwhile do not change what was decided', () => {
    const moreImages = later({
      extension: task.extension?.map((one) => (one.valueInteger === undefined ? one : { ...one, valueInteger: 40 })),
    });
    expect(sameSituation(task, moreImages)).toBe(true);
    expect(describeChange(task, moreImages)).toContain('4 image(s) de plus');
  });

  it('says which state and which reader the case has now, and who did it', () => {
    const taken = later({
      businessStatus: reading,
      owner: { reference: 'Practitioner/autre', display: 'Dr AUTRE TEST' },
    });
    expect(sameSituation(task, taken)).toBe(false);
    expect(
      describeChange(task, taken, {
        resourceType: 'Provenance',
        target: [],
        recorded: '',
        agent: [{ who: { display: 'Dr AUTRE TEST' } }],
      }),
    ).toBe(
      'Votre action n’a pas été faite. Le dossier a été modifié entre-temps par Dr AUTRE TEST : l’état est passé de « prête à lire » à « en lecture », le dossier est pris par Dr AUTRE TEST.',
    );
  });
});

describe('the request', () => {
  it('is named by its coded modality and its region', () => {
    const request = of<Parameters<typeof examOf>[0]>('ServiceRequest', 'demande-cas-6');
    expect(examOf(request)).toMatchObject({
      modality: 'MR',
      modalityName: 'IRM',
      region: 'Encéphale',
      text: 'IRM · Encéphale',
    });
    expect(
      examOf({
        resourceType: 'ServiceRequest',
        status: 'active',
        intent: 'order',
        subject: {},
        code: { text: 'TDM thoracique' },
      }),
    ).toMatchObject({ modality: 'CT' });
    expect(examOf(undefined).text).toBe('examen non précisé');
  });

  it('brings its own observations, with their names and values in French', () => {
    const request = of<NonNullable<Parameters<typeof observationsOf>[0]>>('ServiceRequest', 'demande-cas-1');
    const observations = resources.filter((one) => one.resourceType === 'Observation');
    const own = observationsOf(request, observations);
    expect(own.map((one) => [observationName(one), observationValue(one)])).toEqual([
      ['Poids', '62 kg'],
      ['Antécédents', 'Migraine connue. Allergie à l’iode non documentée. (pertinent)'],
    ]);
  });

  it('is offered the protocols of its modality, its region first', () => {
    const offered = templatesFor(templates, {
      modality: 'CT',
      modalityName: 'Scanner',
      region: 'Thorax',
      act: undefined,
      text: '',
    });
    expect(offered[0]?.name).toBe('Thorax : embolie pulmonaire');
    expect(offered.every((one) => one.modality === 'CT')).toBe(true);
  });
});

describe('a patient', () => {
  it('is known by name, IPP and INS with its authority', () => {
    const identity = patientIdentity(of('Patient', 'patient-cas-1'));
    expect(identity).toEqual({
      name: 'TEST-MOREAU CAMILLE',
      ipp: 'IPP-0001',
      ins: { value: '2 79 03 51 215 189 89', kind: 'INS de test' },
    });
    expect(spacedIns('12')).toBe('12');
    expect(patientIdentity(undefined).name).toBe('Identité inconnue');
  });

  it('is qualified only when the identity is validated and the INS there', () => {
    const patient = of<NonNullable<Parameters<typeof insStatus>[0]>>('Patient', 'patient-cas-1');
    const reliability = [
      {
        url: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability',
        extension: [{ url: 'identityStatus', valueCoding: { code: 'VALI' } }],
      },
    ];
    expect(insStatus({ ...patient, extension: reliability })).toEqual({ text: 'identité qualifiée', trusted: true });
    expect(insStatus({ ...patient, identifier: [], extension: reliability })).toEqual({
      text: 'identité validée',
      trusted: false,
    });
    expect(insStatus(patient).trusted).toBe(false);
  });
});

describe('deliveries and alerts', () => {
  it('are told with the acknowledgement, or with the reason of a failure', () => {
    const child = (status: Task['status'], more: Partial<Task>): Task => ({
      resourceType: 'Task',
      id: status,
      status,
      intent: 'order',
      code: { coding: [{ code: 'deliver' }] },
      ...more,
    });
    const evidence = { type: { coding: [{ code: 'evidence' }] }, valueString: 'MSA|AA|1' };
    expect(
      deliveryLines([
        child('completed', { output: [evidence], owner: { display: 'RIS' } }),
        child('failed', { statusReason: { text: 'AE' } }),
        { ...child('requested', {}), code: { coding: [{ code: 'alert' }] } },
      ]),
    ).toMatchObject([
      {
        state: 'reçu par le site',
        tone: 'done',
        recipient: 'RIS',
        evidence: ['Le logiciel du site en a accusé réception (message 1)'],
      },
      { state: 'non remis au site', tone: 'failed', reason: 'AE', evidence: [] },
    ]);
  });

  it('say that a report was withdrawn, or could not be', () => {
    const deliver = (id: string, more: Partial<Task>): Task => ({
      resourceType: 'Task',
      id,
      status: 'completed',
      intent: 'order',
      code: { coding: [{ code: 'deliver' }] },
      ...more,
    });
    const withdraws = { type: { coding: [{ code: 'withdraws' }] }, valueReference: { reference: 'Task/r' } };
    const perhaps = { type: { coding: [{ code: 'perhaps-received' }] }, valueBoolean: true };
    const told = (status: Task['status']) =>
      deliveryLines([deliver('r', {}), deliver('w', { status, input: [withdraws] })]).map(({ withdrawn }) => withdrawn);
    expect(told('completed')).toEqual(['annulé auprès du site', undefined]);
    expect(told('in-progress')).toEqual(['annulation en cours d’envoi', undefined]);
    expect(told('failed')).toEqual(['annulation non remise : appelez le site', undefined]);
    expect(deliveryLines([deliver('r', { status: 'failed', output: [perhaps] })])[0]?.withdrawn).toBe(
      'le site l’a peut-être reçu',
    );
  });

  it('say that a case is declared an error, from the case itself, until it is confirmed', () => {
    const declared: Task = {
      ...task,
      output: [
        {
          type: { coding: [{ code: 'error-declaration' }] },
          valueReference: { reference: 'Practitioner/1', display: 'Dr A' },
        },
      ],
    };
    const message: Communication = {
      resourceType: 'Communication',
      id: 'e',
      status: 'completed',
      about: [{ reference: `Task/${task.id}` }],
      category: [{ coding: [{ code: 'error-declared' }] }],
      payload: [{ contentString: 'Motif' }],
    };
    expect(caseAlerts(declared, [message], [], []).map(({ text }) => text)).toEqual([
      'Dossier déclaré erroné par Dr A : une autre personne, de la qualité, doit le confirmer, ou la déclaration être retirée ; rien n’est signé ni envoyé d’ici là.',
      'Motif',
    ]);
    expect(caseAlerts({ ...declared, status: 'entered-in-error' }, [message], [], [])).toEqual([]);
    // Taken back.
    expect(caseAlerts(task, [message], [], [])).toEqual([]);
  });

  it('keep to their case, the severe ones first', () => {
    const about = (id: string) => [{ reference: `Task/${id}` }];
    const alerts = caseAlerts(
      task,
      [
        {
          resourceType: 'Communication',
          id: '1',
          status: 'completed',
          about: about('cas-1'),
          payload: [{ contentString: '50 % du délai écoulés.' }],
        },
        {
          resourceType: 'Communication',
          id: '2',
          status: 'completed',
          about: about('cas-2'),
          payload: [{ contentString: 'autre' }],
        },
      ],
      [
        {
          resourceType: 'Flag',
          id: '3',
          status: 'active',
          code: { text: 'Interprétation en retard' },
          subject: {},
          identifier: [{ value: '2026-00417' }],
        },
      ],
      [],
    );
    expect(alerts.map((one) => one.text)).toEqual(['Interprétation en retard', '50 % du délai écoulés.']);
  });
});

it('an attachment is fetched from our own origin whatever name the server gave itself', () => {
  expect(binaryPath('Binary/1')).toBe('/fhir/Binary/1');
  expect(binaryPath('https://ailleurs.example/fhir/Binary/a-1/_history/2')).toBe('/fhir/Binary/a-1');
  expect(() => binaryPath('https://ailleurs.example/Patient/1')).toThrow();
  expect(() => binaryPath('javascript:alert(1)')).toThrow();
});

describe('the name of a professional', () => {
  const named = (name: HumanName) => practitionerName({ resourceType: 'Practitioner', name: [name] });

  it('shows the title in place of the civility', () => {
    expect(named({ family: 'TEST', given: ['NOA'], prefix: ['MME'], suffix: ['DR'] })).toBe('Dr NOA TEST');
    expect(named({ family: 'TEST', given: ['NOA'], prefix: ['M'] })).toBe('M NOA TEST');
    expect(named({ family: 'TEST', given: ['NOA'] })).toBe('NOA TEST');
  });
});
