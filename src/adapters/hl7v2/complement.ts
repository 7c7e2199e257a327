/** Flow 4: OMI^O23 SR → one exam per ORDER group. */
import type { Device, MedicationAdministration } from '@medplum/fhirtypes';
import type { ExamComplement } from '../../teleradiology/contract.ts';
import { codedValue, concept } from './coding.ts';
import { entityIdentifier, isOid } from './identifier.ts';
import type { Segment } from './message.ts';
import {
  observationsOf,
  occurrences,
  readBodySites,
  readEncapsulated,
  readQuantity,
  requireOneObservation,
  requireText,
} from './observation.ts';
import { placerOf, segmentOf } from './order.ts';
import { patientSegment, readPatient } from './patient.ts';
import { Refusal } from './refusal.ts';
import { location, type OrderGroup, required, type Translation, timestampOf } from './translation.ts';

const gs1System = 'http://hl7.org/fhir/NamingSystem/gs1';
const udiSystem = 'https://fhir.passerelle.example/sid/udi';
/** Longest partial viewer URL taken. */
const maximumUrlLength = 4096;

/** @throws Refusal naming the first element that cannot be used. */
export function readComplement(translation: Translation, group: OrderGroup): ExamComplement {
  const { tables, message } = translation;
  const dictionary = tables.observations.complement;
  const ipc = segmentOf(group, 'IPC');
  const studyInstanceUid = required(ipc, 3, 'Study Instance UID');
  if (!isOid(studyInstanceUid)) {
    throw new Refusal('bad-type', location(ipc, 3), {
      path: 'IPC-3',
      name: 'Study Instance UID',
      expected: 'UID DICOM attendu',
    });
  }
  const act = codedValue(translation, requireOneObservation(group, dictionary.act), 5, dictionary.act, 'act');
  if (ipc.value(2) !== undefined && ipc.value(2) !== act.code) {
    translation.warnings.push('IPC-2 diffère du code de l’acte réalisé (OBX CODE_ACTE_IMAGERIE), qui est retenu');
  }
  const examDate = timestampOf(translation, segmentOf(group, 'TQ1'), 7, 'date de l’examen');
  const transmitted = timestampOf(translation, message.segments[0]!, 7, 'date du message');
  const modality = observationsOf(group, dictionary.modality.code)[0];
  const bodySite = readBodySites(translation, group, dictionary.region);
  const device = readDevice(observationsOf(group, dictionary.device.code));
  const retentionDays = readRetention(translation, group);
  return {
    placer: placerOf(translation, group),
    patient: readPatient(translation, patientSegment(translation)),
    studyInstanceUid,
    accessionNumber: entityIdentifier(ipc, 1, 'ACSN', 'accession number', tables),
    act: { system: act.system ?? '', code: act.code ?? '', ...(act.display ? { display: act.display } : {}) },
    partialViewerUrl: readViewerUrl(requireOneObservation(group, dictionary.viewerUrl), dictionary.viewerUrl.name),
    products: readProducts(translation, group, examDate?.dateTime),
    ...(bodySite.length > 0 ? { bodySite } : {}),
    ...(modality ? { modality: plain(codedValue(translation, modality, 5, dictionary.modality, 'modality')) } : {}),
    ...(examDate ? { examDate: examDate.instant } : {}),
    ...(retentionDays === undefined ? {} : { retentionDays }),
    ...(device ? { device } : {}),
    ...(transmitted ? { transmittedAt: transmitted.instant } : {}),
  };
}

function plain(coding: { system?: string; code?: string; display?: string }) {
  return {
    system: coding.system ?? '',
    code: coding.code ?? '',
    ...(coding.display ? { display: coding.display } : {}),
  };
}

/** TQ1-6: how long the hospital keeps the images, in days. */
function readRetention(translation: Translation, group: OrderGroup): number | undefined {
  const tq1 = segmentOf(group, 'TQ1');
  const value = tq1.value(6);
  if (value === undefined) return undefined;
  const sent = tq1.value(6, 2) ?? '';
  const unit = translation.tables.observations.retentionUnits.find((known) => known.v2.includes(sent.toLowerCase()));
  if (!/^\d{1,6}$/.test(value) || !unit) {
    throw new Refusal('bad-type', location(tq1, 6), {
      path: 'TQ1-6',
      name: 'durée de conservation',
      expected: 'nombre de jours attendu',
    });
  }
  return Number(value) * unit.days;
}

/** The part of the viewer's address that the hospital knows, never re-encoded: the platform only appends to it. */
function readViewerUrl(segment: Segment, name: string): string {
  const url = readEncapsulated(segment, name).toString('utf8');
  // Exactly printable ASCII without blanks: an address that is anything else would not survive being printed and typed.
  if (/^https?:\/\/[\x21-\x7e]+$/.test(url) && url.length <= maximumUrlLength) return url;
  throw new Refusal('bad-type', location(segment, 5), { path: 'OBX-5', name, expected: 'adresse http(s) attendue' });
}

/** Products given: n.1 what, n.2 lot (an identifier: kept as text whatever OBX-2 says), n.3 quantity. */
function readProducts(
  translation: Translation,
  group: OrderGroup,
  examDate: string | undefined,
): Omit<MedicationAdministration, 'subject'>[] {
  const { tables } = translation;
  const element = tables.observations.complement.product;
  return occurrences(observationsOf(group, element.code)).map(({ properties }) => {
    const what = properties.get('1');
    const lot = properties.get('2');
    const quantity = properties.get('3');
    if (!what || !lot) {
      const at = what ?? lot ?? quantity;
      throw new Refusal('incoherent', at && location(at, 4), {
        reason: `OBX ${element.code} : ${what ? 'numéro de lot (n.2)' : 'produit (n.1)'} absent`,
      });
    }
    const product = codedValue(translation, what, 5, element, 'product');
    return {
      resourceType: 'MedicationAdministration',
      status: 'completed',
      contained: [
        {
          resourceType: 'Medication',
          id: 'produit',
          code: concept(product),
          batch: { lotNumber: requireText(lot, 5, 'numéro de lot') },
        },
      ],
      medicationReference: { reference: '#produit', ...(product.display ? { display: product.display } : {}) },
      ...(examDate ? { effectiveDateTime: examDate } : {}),
      ...(quantity ? { dosage: { dose: readQuantity(quantity, 'quantité administrée', tables) } } : {}),
    } as Omit<MedicationAdministration, 'subject'>;
  });
}

/** The machine: n.1 its UDI carrier as read, n.2 its model. GS1 application identifiers 01 and 21 are its article and serial numbers. */
function readDevice(segments: readonly Segment[]): Device | undefined {
  const [first] = occurrences(segments);
  const carrier = first?.properties.get('1')?.text(5);
  const model = first?.properties.get('2')?.text(5);
  if (!carrier && !model) return undefined;
  const article = carrier && /\(01\)(\d{14})/.exec(carrier)?.[1];
  const serial = carrier && /\(21\)([^(]{1,20})/.exec(carrier)?.[1];
  return {
    resourceType: 'Device',
    // The same machine in the next exam is the same Device: found by what it carries.
    ...(carrier ? { identifier: [{ system: article ? gs1System : udiSystem, value: carrier }] } : {}),
    ...(carrier ? { udiCarrier: [{ carrierHRF: carrier, ...(article ? { deviceIdentifier: article } : {}) }] } : {}),
    ...(serial ? { serialNumber: serial } : {}),
    ...(model ? { deviceName: [{ name: model, type: 'model-name' }], modelNumber: model } : {}),
  };
}
