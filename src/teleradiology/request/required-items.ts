/** What a request must carry (IN-6): each item by name, where it stands, and when it is asked for at all. */
import type { Observation, Patient, Practitioner, ServiceRequest } from '@medplum/fhirtypes';
import { identifierIs, identifierSystem } from '../codes.ts';
import { insOf, ippsOf } from '../identity/traits.ts';

/** Code of CodeSystem `request-item`; values of the setting `requiredItems`. */
export type RequestItem =
  | 'reason'
  | 'act'
  | 'patient-identifier'
  | 'requester'
  | 'requester-phone'
  | 'consent'
  | 'clinical-information'
  | 'weight'
  | 'creatinine'
  | 'allergy'
  | 'pregnancy';

/** A request with what was sent beside it. */
export interface RequestParts {
  serviceRequest: ServiceRequest;
  patient?: Patient;
  /** The prescriber, where the request names a person. */
  requester?: Practitioner;
  /** Results that go with the request. */
  observations: readonly Observation[];
  /** Something is said of the patient's allergies, be it that none is known. */
  allergiesStated: boolean;
  /** Call-back number of the request. */
  callback?: string;
  /** Recorded for the case, or attested by the order under the establishment's contract. */
  consented: boolean;
  /** Nobody waits for consent in an emergency. */
  emergency: boolean;
}

export interface ItemDefinition {
  /** French, after « il manque ». */
  text: string;
  /** FHIRPath of the place it belongs to. */
  expression: string;
  /** Asked of this request; of every one when absent. */
  applies?(parts: RequestParts): boolean;
  isThere(parts: RequestParts): boolean;
}

const filled = (text: string | undefined): boolean => text !== undefined && text.trim() !== '';
const says = (concept: { text?: string; coding?: { code?: string }[] } | undefined): boolean =>
  filled(concept?.text) || (concept?.coding ?? []).some(({ code }) => filled(code));

/** LOINC codes of what contrast and dose depend on. */
const loinc = {
  weight: ['29463-7', '3141-9', '3142-7'],
  // Creatinine in serum, or the filtration rate estimated from it.
  creatinine: ['2160-0', '14682-9', '62238-1', '33914-3', '98979-8', '50210-4', '77147-7'],
  pregnancy: ['82810-3', '11449-6'],
  allergy: ['52473-6', '48765-2'],
  history: ['11322-5', '11348-0', '10164-2'],
} as const;

const measured = ({ observations }: RequestParts, codes: readonly string[]): boolean =>
  observations.some(({ code }) => code.coding?.some((coding) => codes.includes(coding.code ?? '')));

/** Ways of writing that an injection is asked for, after those that say there is none were taken out. */
const withoutContrast = /\b(sans|non|pas d['’e])\s*(injection|inject[ée]e?s?|contraste|iv|gadolinium|iode)/gi;
const withContrast = /\b(inject|contraste|gadolin|iod[ée]|angio|uro-?scan|portal|artériel)/i;

/** Whether the request asks for a contrast agent, in its codes' words or its own. */
export function asksForContrast({ code, orderDetail, note }: ServiceRequest): boolean {
  const concepts = [...(code ? [code] : []), ...(orderDetail ?? [])];
  const texts = [
    ...concepts.flatMap(({ text, coding }) => [text ?? '', ...(coding ?? []).map(({ display }) => display ?? '')]),
    ...(note ?? []).map(({ text }) => text),
  ];
  return texts.some((text) => withContrast.test(text.replaceAll(withoutContrast, ' ')));
}

/** Modalities without ionising radiation. */
const harmless = ['MR', 'US', 'MED-1128', 'MED-1129'];

function isIonising({ orderDetail, category, code }: ServiceRequest): boolean {
  const codes = [...(orderDetail ?? []), ...(category ?? []), ...(code ? [code] : [])].flatMap(({ coding }) =>
    (coding ?? []).map((each) => each.code ?? ''),
  );
  return !codes.some((each) => harmless.includes(each));
}

/** Ages, in years, between which a pregnancy is asked about. */
const fertile = { from: 12, to: 55 };

function mayBePregnant({ patient, serviceRequest }: RequestParts): boolean {
  if (patient?.gender === 'male') return false;
  const born = Number(patient?.birthDate?.slice(0, 4));
  const asked = Number(serviceRequest.authoredOn?.slice(0, 4));
  if (Number.isNaN(born) || Number.isNaN(asked)) return patient?.gender === 'female';
  return asked - born >= fertile.from && asked - born <= fertile.to;
}

const injected = ({ serviceRequest }: RequestParts): boolean => asksForContrast(serviceRequest);

export const requestItems: Readonly<Record<RequestItem, ItemDefinition>> = {
  reason: {
    text: "le motif de l'examen",
    expression: 'ServiceRequest.reasonCode',
    isThere: ({ serviceRequest }) =>
      (serviceRequest.reasonCode ?? []).some(says) || (serviceRequest.reasonReference ?? []).length > 0,
  },
  act: {
    text: "l'acte demandé",
    expression: 'ServiceRequest.code',
    isThere: ({ serviceRequest }) => says(serviceRequest.code) || (serviceRequest.orderDetail ?? []).some(says),
  },
  'patient-identifier': {
    text: "l'INS ou l'IPP du patient",
    expression: 'Patient.identifier',
    isThere: ({ patient }) => patient !== undefined && (insOf(patient) !== undefined || ippsOf(patient).length > 0),
  },
  requester: {
    text: "l'identité du prescripteur",
    expression: 'ServiceRequest.requester',
    isThere: ({ serviceRequest: { requester: named }, requester }) =>
      filled(named?.display) ||
      filled(named?.identifier?.value) ||
      (requester === undefined
        ? filled(named?.reference)
        : (requester.name ?? []).some((name) => filled(name.family) || filled(name.text)) ||
          (requester.identifier ?? []).some(({ system, value }) => system === identifierSystem.rpps && filled(value)) ||
          (requester.identifier ?? []).some((each) => identifierIs(each, 'RPPS', 'IDNPS') && filled(each.value))),
  },
  'requester-phone': {
    text: 'un numéro pour rappeler le prescripteur',
    expression: "Task.input.where(type.coding.code = 'callback').value",
    isThere: ({ callback, requester }) =>
      filled(callback) ||
      (requester?.telecom ?? []).some(({ system, value }) => (system === 'phone' || system === 'sms') && filled(value)),
  },
  consent: {
    text: "le consentement du patient, ou l'exception d'urgence",
    expression: 'Consent',
    applies: ({ emergency }) => !emergency,
    isThere: ({ consented }) => consented,
  },
  'clinical-information': {
    text: 'les renseignements cliniques (examen clinique préalable, antécédents)',
    expression: 'ServiceRequest.note',
    isThere: (parts) =>
      (parts.serviceRequest.note ?? []).some(({ text }) => filled(text)) ||
      (parts.serviceRequest.supportingInfo ?? []).some(({ reference }) => /^Condition\//.test(reference ?? '')) ||
      measured(parts, loinc.history),
  },
  weight: {
    text: 'le poids',
    expression: "Observation.where(code.coding.code = '29463-7').value",
    applies: injected,
    isThere: (parts) => measured(parts, loinc.weight),
  },
  creatinine: {
    text: 'la créatininémie ou le débit de filtration glomérulaire',
    expression: "Observation.where(code.coding.code = '2160-0' or code.coding.code = '62238-1').value",
    applies: injected,
    isThere: (parts) => measured(parts, loinc.creatinine),
  },
  allergy: {
    text: 'les allergies, ou qu’aucune n’est connue',
    expression: 'AllergyIntolerance',
    applies: injected,
    isThere: (parts) => parts.allergiesStated || measured(parts, loinc.allergy),
  },
  pregnancy: {
    text: 'une grossesse possible ou exclue',
    expression: "Observation.where(code.coding.code = '82810-3').value",
    applies: (parts) => isIonising(parts.serviceRequest) && mayBePregnant(parts),
    isThere: (parts) => measured(parts, loinc.pregnancy),
  },
};

export function isRequestItem(code: string): code is RequestItem {
  return Object.hasOwn(requestItems, code);
}

/** Required of every establishment that does not say otherwise. */
export const defaultRequiredItems: readonly RequestItem[] = ['reason', 'act', 'patient-identifier', 'requester'];

export interface MissingItem {
  item: RequestItem;
  text: string;
  expression: string;
}

/** Items that are required of this request and not there, in the order required. Pure. */
export function missingItems(parts: RequestParts, required: readonly RequestItem[]): MissingItem[] {
  return required.flatMap((item) => {
    const { text, expression, applies, isThere } = requestItems[item];
    return (applies?.(parts) ?? true) && !isThere(parts) ? [{ item, text, expression }] : [];
  });
}

/** One French sentence that names what is missing. */
export function missingText(items: readonly string[]): string {
  const named = items.map((item) => (isRequestItem(item) ? requestItems[item].text : item));
  return `Demande incomplète : il manque ${named.join(' ; ')}.`;
}
