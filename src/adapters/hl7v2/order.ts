/** Flows 1 and 2: ORM^O01 NW and CA → what the domain calls a request and a cancellation. */
import type { Annotation, Identifier, ServiceRequest } from '@medplum/fhirtypes';
import type { IncomingCancellation, IncomingRequest } from '../../teleradiology/contract.ts';
import { codedValue, concept } from './coding.ts';
import { readAllergies, readFurtherNotes, readOtherResults } from './further-facts.ts';
import { authorityOf, entityIdentifier, localIdentifier } from './identifier.ts';
import type { Segment } from './message.ts';
import {
  readBodySites,
  readObservations,
  requireObservation,
  requireOneObservation,
  requireText,
} from './observation.ts';
import { patientSegment, readPatient, readTelecom } from './patient.ts';
import { readOrganization, readPractitioner } from './people.ts';
import { Refusal } from './refusal.ts';
import { location, type OrderGroup, type Translation, timestampOf } from './translation.ts';

/** Says what a note of the request is about: code of NTE-4. */
const noteKindUrl = 'https://fhir.passerelle.example/StructureDefinition/note-kind';

const imagingCategory = { system: 'http://snomed.info/sct', code: '363679005', display: 'Imaging' };

/** One ORDER group of flow 1. @throws Refusal naming the first element that cannot be used. */
export function readRequest(translation: Translation, group: OrderGroup): IncomingRequest {
  const { message, tables } = translation;
  const orc = segmentOf(group, 'ORC');
  const obr = segmentOf(group, 'OBR');
  const pv1 = message.first('PV1');
  const dictionary = tables.observations.request;
  const made = timestampOf(translation, orc, 9, 'date de la demande');
  const modality = codedValue(
    translation,
    requireOneObservation(group, dictionary.modality),
    5,
    dictionary.modality,
    'modality',
  );
  requireObservation(group, dictionary.region);
  const bodySite = readBodySites(translation, group, dictionary.region);
  const note = [...readNotes(translation, group), ...readFurtherNotes(translation, group)];
  const account = readAccount(translation);
  const title = [modality.display ?? modality.code, ...bodySite.map((site) => site.text)].filter(Boolean).join(' – ');
  const serviceRequest: Omit<ServiceRequest, 'subject'> = {
    resourceType: 'ServiceRequest',
    identifier: [placerOf(translation, group), ...(account ? [account] : [])],
    status: 'active',
    intent: 'order',
    category: [{ coding: [imagingCategory] }],
    code: { text: title },
    orderDetail: [concept(modality)],
    bodySite,
    reasonCode: [{ text: requireText(obr, 13, 'justification de la demande') }],
    ...(made ? { authoredOn: made.dateTime } : {}),
    ...(note.length > 0 ? { note } : {}),
  };
  const encounterClass = pv1 && readEncounterClass(translation, pv1);
  const appointment = pv1 && readAppointment(translation, pv1, encounterClass);
  const callback = readTelecom(orc, 14)[0]?.value;
  const wantedPerformer = orc.value(11) ? readPractitioner(translation, orc, 11, 'téléradiologue souhaité') : undefined;
  const transmitted = timestampOf(translation, message.segments[0]!, 7, 'date du message');
  return {
    patient: readPatient(translation, patientSegment(translation)),
    organization: readOrganization(translation, orc, 21, 'structure demandeuse'),
    requester: requirePractitioner(translation, orc, 12, 'professionnel demandeur'),
    serviceRequest,
    observations: [
      ...readObservations(translation, group, made?.dateTime),
      ...readOtherResults(translation, group, made?.dateTime),
      ...readAllergies(translation, made?.dateTime),
    ],
    ...(wantedPerformer ? { wantedPerformer } : {}),
    ...(encounterClass ? { encounterClass } : {}),
    ...(appointment ? { appointment } : {}),
    ...(callback ? { callback } : {}),
    ...(transmitted ? { transmittedAt: transmitted.instant } : {}),
  };
}

/** One ORDER group of flow 2. @throws Refusal naming the first element that cannot be used. */
export function readCancellation(translation: Translation, group: OrderGroup): IncomingCancellation {
  const orc = segmentOf(group, 'ORC');
  const cancelled = timestampOf(translation, orc, 9, 'date de l’annulation');
  // ORC-16: free text in .2; a code alone is better than nothing.
  const reason = orc.value(16, 2) ?? orc.value(16);
  return {
    placer: placerOf(translation, group),
    patient: readPatient(translation, patientSegment(translation)),
    organization: readOrganization(translation, orc, 21, 'structure demandeuse'),
    requester: requirePractitioner(translation, orc, 12, 'professionnel qui annule'),
    ...(cancelled ? { cancelledAt: cancelled.instant } : {}),
    ...(reason ? { reason } : {}),
  };
}

/** ORC-2, which OBR-2 must repeat when it is there. @throws Refusal `incoherent`. */
export function placerOf({ tables }: Translation, group: OrderGroup): Identifier {
  const orc = segmentOf(group, 'ORC');
  const placer = entityIdentifier(orc, 2, 'PLAC', 'numéro de la demande', tables);
  const obr = group.first('OBR');
  const repeated = obr?.value(2);
  const authority = obr?.value(2, 3);
  const differs = repeated !== undefined && repeated !== placer.value;
  const otherAuthority =
    repeated !== undefined && authority !== undefined && orc.value(2, 3) !== undefined && authority !== orc.value(2, 3);
  if (obr && (differs || otherAuthority)) {
    throw new Refusal('incoherent', location(obr, 2), { reason: 'OBR-2 et ORC-2 ne désignent pas la même demande' });
  }
  return placer;
}

/** A segment whose presence was checked. @throws Refusal `segment-missing`. */
export function segmentOf(group: OrderGroup, name: string): Segment {
  const segment = group.first(name);
  if (!segment) throw new Refusal('segment-missing', `${name}^1`, { path: name, name, flow: 'ce message' });
  return segment;
}

/** @throws Refusal `field-missing`. */
export function requirePractitioner(translation: Translation, segment: Segment, field: number, name: string) {
  const practitioner = readPractitioner(translation, segment, field, name);
  if (practitioner) return practitioner;
  throw new Refusal('field-missing', location(segment, field), { path: `${segment.name}-${field}`, name });
}

/** PV1-2. @throws Refusal `bad-code`. */
function readEncounterClass({ tables }: Translation, pv1: Segment): string | undefined {
  const code = pv1.value(2);
  if (code === undefined) return undefined;
  const { classes } = tables['encounter-classes'];
  if (classes.some((known) => known.code === code)) return code;
  throw new Refusal('bad-code', location(pv1, 2), {
    path: 'PV1-2',
    name: 'classe de la venue',
    expected: `${classes.map((known) => known.code).join(', ')} attendu`,
  });
}

/** PV1-19: in this volume the appointment's number, whatever its type says. */
function readAppointment(
  { tables, warnings }: Translation,
  pv1: Segment,
  encounterClass: string | undefined,
): Identifier | undefined {
  const value = pv1.value(19);
  if (value === undefined) {
    const known = tables['encounter-classes'].classes.find((candidate) => candidate.code === encounterClass);
    if (known?.appointmentExpected) warnings.push('PV1-19 absent (identifiant du rendez-vous)');
    return undefined;
  }
  return localIdentifier(value, pv1.value(19, 5) ?? 'VN', authorityOf(pv1, 19, 0), 'appointment', tables);
}

/** PID-18: number of the administrative file, kept with the order so that documents can name it. */
function readAccount({ message, tables }: Translation): Identifier | undefined {
  const pid = message.first('PID');
  const value = pid?.value(18);
  if (!pid || value === undefined) return undefined;
  return localIdentifier(value, pid.value(18, 5) ?? 'AN', authorityOf(pid, 18, 0), 'account', tables);
}

/** NTE under OBR or under an OBX: what it means is said by what it follows and by NTE-4. */
function readNotes({ tables }: Translation, group: OrderGroup): Annotation[] {
  const notes: Annotation[] = [];
  let previous = '';
  for (const segment of group.segments) {
    if (segment.name !== 'NTE') {
      previous = segment.name;
      continue;
    }
    const text = segment.text(3);
    if (text === undefined) continue;
    const sent = segment.value(4);
    const kind = tables.observations.notes.find((note) =>
      sent === undefined ? note.after === previous : note.code === sent,
    );
    const code = kind?.code ?? sent;
    notes.push({ text, ...(code ? { extension: [{ url: noteKindUrl, valueCode: code }] } : {}) });
  }
  return notes;
}
