/** A request typed by somebody whose establishment has no RIS, as plain FHIR: what any client would post (WF-13). */
import type { Bundle, Patient, ServiceRequest, Task } from '@medplum/fhirtypes';
import { systems } from '../fhir/systems.ts';
import { type Kind, kindSystem } from '../words/kinds.ts';

export interface RequestForm {
  kind: Kind;
  urgent: boolean;
  /** `Organization/[id]` that asks. */
  establishment: string;
  ipp: string;
  family: string;
  given: string;
  /** `YYYY-MM-DD`. */
  birthDate: string;
  gender: 'male' | 'female' | 'unknown';
  /** What is asked for: « Avis dermatologique ». */
  act: string;
  question: string;
  history: string;
  callback: string;
}

/** What is still missing, in French; empty when the form can be sent. */
export function missingIn(form: RequestForm): string[] {
  const wanted: [keyof RequestForm, string][] = [
    ['establishment', 'l’établissement'],
    ['ipp', 'l’IPP'],
    ['family', 'le nom de naissance'],
    ['given', 'le prénom'],
    ['birthDate', 'la date de naissance'],
    ['act', 'l’avis ou l’acte demandé'],
    ['question', 'la question posée'],
    ['callback', 'un numéro de rappel'],
  ];
  return wanted.filter(([name]) => String(form[name]).trim() === '').map(([, text]) => text);
}

export const ippSystem = (establishment: string): string =>
  `${systems.ippPrefix}${establishment.replace('Organization/', '')}`;

/** @throws Error in French when the number belongs to somebody else than the person typed. */
export function samePatient(form: RequestForm, known: Patient): Patient {
  const plain = (text = ''): string =>
    text
      .normalize('NFD')
      .replaceAll(/[^A-Za-z]/g, '')
      .toUpperCase();
  const family = known.name?.some((name) => plain(name.family) === plain(form.family));
  if (!family || known.birthDate !== form.birthDate)
    throw new Error('Cet IPP est celui d’un autre patient de l’établissement : vérifiez l’identité.');
  return known;
}

/**
 * One transaction: patient, request, case.
 * @param requester literal reference of who asks. @param known the patient of this IPP, when there is one. @param number unique.
 */
export function requestBundle(
  form: RequestForm,
  { requester, known, number, now }: { requester: string; known: Patient | undefined; number: string; now: Date },
): Bundle {
  const patient = { full: 'urn:uuid:00000000-0000-4000-8000-000000000001', resource: patientOf(form) };
  const subject = known === undefined ? patient.full : `Patient/${known.id}`;
  const order = 'urn:uuid:00000000-0000-4000-8000-000000000002';
  const request: ServiceRequest = {
    resourceType: 'ServiceRequest',
    status: 'active',
    intent: 'order',
    identifier: [
      {
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PLAC' }] },
        system: `https://fhir.passerelle.example/sid/web-request`,
        value: number,
      },
    ],
    category: [{ coding: [{ system: kindSystem, code: form.kind }] }],
    priority: form.urgent ? 'urgent' : 'routine',
    code: { text: form.act.trim() },
    subject: { reference: subject },
    requester: { reference: requester },
    authoredOn: now.toISOString(),
    reasonCode: [{ text: form.question.trim() }],
    ...(form.history.trim() ? { note: [{ text: form.history.trim() }] } : {}),
  };
  const task: Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: systems.taskCode, code: 'teleradiology-case' }] },
    focus: { reference: order },
    requester: { reference: form.establishment },
    input: [
      {
        type: { coding: [{ system: systems.caseItem, code: 'encounter-class' }] },
        valueCode: form.urgent ? 'E' : 'O',
      },
      { type: { coding: [{ system: systems.caseItem, code: 'callback' }] }, valueString: form.callback.trim() },
    ],
  };
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      ...(known === undefined
        ? [{ fullUrl: patient.full, resource: patient.resource, request: { method: 'POST' as const, url: 'Patient' } }]
        : []),
      { fullUrl: order, resource: request, request: { method: 'POST', url: 'ServiceRequest' } },
      { resource: task, request: { method: 'POST', url: 'Task' } },
    ],
  };
}

function patientOf(form: RequestForm): Patient {
  return {
    resourceType: 'Patient',
    identifier: [
      {
        use: 'usual',
        type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PI' }] },
        system: ippSystem(form.establishment),
        value: form.ipp.trim(),
      },
    ],
    name: [{ use: 'official', family: form.family.trim().toUpperCase(), given: form.given.trim().split(/\s+/) }],
    gender: form.gender,
    birthDate: form.birthDate,
  };
}

/** The case a transaction answered with. @throws Error when it has none. */
export function caseOf(answer: Bundle): string {
  const location = answer.entry
    ?.map(({ response }) => response?.location ?? '')
    .find((each) => /(^|\/)Task\//.test(each));
  const id = location?.split('Task/')[1]?.split('/')[0];
  if (id === undefined) throw new Error('Le serveur n’a pas dit quel dossier il a ouvert.');
  return id;
}
