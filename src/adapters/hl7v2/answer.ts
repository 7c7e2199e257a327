/** Flow 3 received: ORU^R01 OK or OC, the answer of another platform about a request we know. */
import type { Communication, Identifier, Patient, ServiceRequest } from '@medplum/fhirtypes';
import { type FhirTransaction, identifierQuery } from '../../fhir/index.ts';
import { idOf } from './case-data.ts';
import type { Segment } from './message.ts';
import { observationsOf, readEncapsulated, requireText } from './observation.ts';
import { placerOf, requirePractitioner, segmentOf } from './order.ts';
import { patientSegment, readPatient } from './patient.ts';
import { readOrganization } from './people.ts';
import { Refusal } from './refusal.ts';
import { type OrderGroup, type Translation, timestampOf } from './translation.ts';

/** An answer as received. */
export interface ReceivedAnswer {
  placer: Identifier;
  /** PID: must be the request's patient. */
  patient: Patient;
  accepted: boolean;
  /** ORC-12, e.g. `Practitioner` display and RPPS. */
  decidedBy: { display: string; identifier: Identifier | undefined };
  /** ORC-21 */
  platform: string;
  /** Clear texts, or octets of an agreed form; empty on a refusal. */
  protocols: (string | Buffer)[];
  reason: string | undefined;
  sentAt: Date | undefined;
}

/** @throws Refusal naming the first element that cannot be used. */
export function readAnswer(translation: Translation, group: OrderGroup): ReceivedAnswer {
  const { tables, message } = translation;
  const element = tables.observations.answer.protocol;
  const orc = segmentOf(group, 'ORC');
  const patient = readPatient(translation, patientSegment(translation));
  const accepted = orc.value(1) === tables.documents.answer.accepted;
  const protocols = observationsOf(group, element.code).map((segment) => readProtocol(segment, element.name));
  if (accepted && protocols.length === 0) {
    throw new Refusal('observation-missing', `OBX^${group.first('OBX')?.ordinal ?? 1}^3`, {
      path: element.code,
      name: element.name,
    });
  }
  const practitioner = requirePractitioner(translation, orc, 12, 'téléradiologue qui décide');
  const name = practitioner.name?.[0];
  return {
    placer: placerOf(translation, group),
    patient,
    accepted,
    decidedBy: {
      display: [name?.given?.[0], name?.family].filter(Boolean).join(' '),
      identifier: practitioner.identifier?.[0],
    },
    platform: readOrganization(translation, orc, 21, 'plateforme de téléradiologie').name ?? '',
    protocols,
    reason: orc.value(16, 2) ?? orc.value(16),
    sentAt: timestampOf(translation, message.segments[0]!, 7, 'date du message')?.instant,
  };
}

/**
 * Records the answer beside the request, as a Communication. The state of our own case is not touched: what another platform
 * decides is not a decision of this one.
 * @returns reference of the ServiceRequest.
 * @throws Refusal `unknown-key`; `incoherent` when PID-3 is not the request's patient.
 */
export async function recordAnswer(
  tx: FhirTransaction,
  answer: ReceivedAnswer,
  establishmentId: string,
): Promise<string> {
  const { system = '', value = '' } = answer.placer;
  const [request] = await tx.search('ServiceRequest', `${identifierQuery(system, value)}&_count=1`);
  if (!request || !(await isOf(tx, request, establishmentId))) throw new Refusal('unknown-key', 'ORC^1^2');
  if (!(await isAbout(tx, request, answer.patient))) {
    throw new Refusal('incoherent', 'PID^1^3', { reason: 'PID-3 ne désigne pas le patient de cette demande' });
  }
  const reference = `ServiceRequest/${request.id}`;
  const texts = answer.protocols.map((protocol) =>
    typeof protocol === 'string' ? { contentString: protocol } : attachment(protocol),
  );
  const communication: Communication = {
    resourceType: 'Communication',
    status: 'completed',
    basedOn: [{ reference }],
    about: [{ reference }],
    subject: { reference: request.subject.reference ?? '' },
    category: [
      {
        coding: [
          { system: 'https://fhir.passerelle.example/CodeSystem/communication-category', code: 'request-answer' },
        ],
        text: 'Réponse à une demande',
      },
    ],
    sender: {
      ...(answer.decidedBy.identifier ? { type: 'Practitioner', identifier: answer.decidedBy.identifier } : {}),
      display: [answer.decidedBy.display, answer.platform].filter((part) => part !== '').join(', '),
    },
    recipient: [{ reference: `Organization/${establishmentId}` }],
    received: tx.context.now().toISOString(),
    ...(answer.sentAt ? { sent: answer.sentAt.toISOString() } : {}),
    topic: { text: answer.accepted ? 'Demande acceptée' : 'Demande refusée' },
    payload: [...texts, ...(answer.reason ? [{ contentString: answer.reason }] : [])],
  };
  if (communication.payload?.length === 0) delete communication.payload;
  await tx.create(communication);
  return reference;
}

/** Whether the request's case, when it has one, is this establishment's. */
async function isOf(tx: FhirTransaction, request: ServiceRequest, establishmentId: string): Promise<boolean> {
  const cases = await tx.search('Task', `focus=ServiceRequest/${request.id}&_count=10`);
  return cases.every((task) => {
    const requester = idOf(task.requester?.reference, 'Organization');
    return requester === undefined || requester === establishmentId;
  });
}

/** Whether a number of the message is one of the request's patient. */
async function isAbout(tx: FhirTransaction, request: ServiceRequest, received: Patient): Promise<boolean> {
  const known = await tx.find('Patient', idOf(request.subject.reference, 'Patient') ?? '');
  const numbers = known?.identifier?.filter((identifier) => identifier.use !== 'old') ?? [];
  return numbers.some((number) =>
    received.identifier?.some(({ system, value }) => system === number.system && value === number.value),
  );
}

/** FT in clear, or ED: always announced as TEXT, so the octets say what it is. */
function readProtocol(segment: Segment, name: string): string | Buffer {
  if (segment.value(2) !== 'ED') return requireText(segment, 5, name);
  const octets = readEncapsulated(segment, name);
  if (octets.subarray(0, 5).toString('latin1') === '%PDF-') return octets;
  const text = octets.toString('utf8');
  return text.includes('\uFFFD') ? octets : text;
}

function attachment(octets: Buffer) {
  const pdf = octets.subarray(0, 5).toString('latin1') === '%PDF-';
  return {
    contentAttachment: {
      contentType: pdf ? 'application/pdf' : 'application/octet-stream',
      data: octets.toString('base64'),
    },
  };
}
