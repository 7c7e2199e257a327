/** Order, acts and encounter of the header (cda-imaging-report §6). */
import type { Act, ReportModel } from '../model.ts';
import { hl7Time } from '../paris-time.ts';
import { instance, rootOf, roots } from './identifiers.ts';
import { addr, assignedEntity } from './parties.ts';
import type { CdaTables } from './tables.ts';
import { el, type XmlElement } from './xml.ts';

export const systems = {
  loinc: { codeSystem: '2.16.840.1.113883.6.1', codeSystemName: 'LOINC' },
  ccam: { codeSystem: '1.2.250.1.215.300.1', codeSystemName: 'CCAM' },
  dcm: { codeSystem: '1.2.840.10008.2.16.4', codeSystemName: 'DCM' },
  snomed: { codeSystem: '2.16.840.1.113883.6.96', codeSystemName: 'SNOMED CT' },
} as const;

const unscopedAccession = 'https://fhir.passerelle.example/sid/accession';
const unscopedOrder = 'https://fhir.passerelle.example/sid/order';
const unscopedVisit = 'https://fhir.passerelle.example/sid/visit';

/** The order and its accession number; a request without number says so. */
export function inFulfillmentOf({ input, establishment }: ReportModel): XmlElement {
  const scope = establishment.nationalId ?? '';
  const order = input.placerOrderNumber;
  const accession = input.accessionNumber;
  return el(
    'inFulfillmentOf',
    {},
    el(
      'order',
      {},
      order
        ? instance(rootOf(order.system ?? `${unscopedOrder}/${scope}`), order.value)
        : el('id', { nullFlavor: 'NAV' }),
      accession &&
        instance(
          rootOf(accession.system ?? `${unscopedAccession}/${scope}`),
          accession.value,
          'ps3-20:accessionNumber',
        ),
    ),
  );
}

/** One documentationOf per act: LOINC and CCAM are paired in their order, a leftover of either repeats the first of the other kind. */
export function documentationOf(model: ReportModel, tables: CdaTables): XmlElement[] {
  const { loinc, ccam, input, studyUid } = model;
  const count = Math.max(loinc.length, ccam.length, 1);
  const start = input.examDate ?? input.signedAt;
  return Array.from({ length: count }, (_, index) =>
    el(
      'documentationOf',
      {},
      el(
        'serviceEvent',
        { classCode: 'ACT' },
        studyUid && instance(studyUid),
        actCode(loinc[index] ?? loinc[0], ccam[index], model, tables),
        el(
          'effectiveTime',
          {},
          el('low', { value: hl7Time(start) }),
          // Only the start is known to us; a high bound we would invent is left open.
          el('high', { nullFlavor: 'UNK' }),
        ),
        index === 0 && performer(model, tables),
      ),
    ),
  );
}

/** LOINC first; without it the CCAM act is the code itself, and without any the type of the document. */
function actCode(loinc: Act | undefined, ccam: Act | undefined, model: ReportModel, tables: CdaTables): XmlElement {
  const main = loinc
    ? { code: loinc.code, displayName: loinc.display || loinc.code, ...systems.loinc }
    : ccam
      ? { code: ccam.code, displayName: ccam.display || ccam.code, ...systems.ccam }
      : { code: model.form.type.code, displayName: model.form.type.display, ...systems.loinc };
  return el(
    'code',
    main,
    loinc && ccam && el('translation', { code: ccam.code, displayName: ccam.display || ccam.code, ...systems.ccam }),
    model.modalities.map((code) =>
      el(
        'translation',
        { code, displayName: tables.modalities[code], ...systems.dcm },
        qualifier('121139', "Modalité d'imagerie", systems.dcm),
      ),
    ),
    model.regions.map((code) =>
      el(
        'translation',
        { code, displayName: tables.regions[code], ...systems.snomed },
        qualifier('39111-0', 'Localisation anatomique', systems.loinc),
      ),
    ),
  );
}

function qualifier(code: string, displayName: string, system: Record<string, string>): XmlElement {
  return el('qualifier', {}, el('name', { code, displayName, ...system }));
}

/** Who performed the exam on site: the physician in charge there, else the radiologist for the hospital. */
function performer(model: ReportModel, tables: CdaTables): XmlElement {
  const person = model.requester?.nationalId ? model.requester : model.radiologist;
  return el('performer', { typeCode: 'PRF' }, assignedEntity(person, model.establishment, tables));
}

export function componentOf(model: ReportModel, tables: CdaTables): XmlElement {
  const { input, establishment } = model;
  const encounter = tables.encounters[input.encounterClass ?? ''] ?? tables.encounters.default;
  const facility =
    establishment.facilityType && establishment.facilityType in tables.facilityTypes
      ? establishment.facilityType
      : 'SA01';
  const start = input.examDate ?? input.requestDate ?? input.signedAt;
  return el(
    'componentOf',
    {},
    el(
      'encompassingEncounter',
      {},
      input.visitNumber && instance(rootOf(`${unscopedVisit}/${establishment.nationalId ?? ''}`), input.visitNumber),
      el('code', { code: encounter.code, displayName: encounter.display, codeSystem: encounter.system }),
      el('effectiveTime', {}, el('low', { value: hl7Time(start) })),
      el(
        'location',
        {},
        el(
          'healthCareFacility',
          {},
          establishment.nationalId ? instance(roots.structure, establishment.nationalId) : undefined,
          el('code', {
            code: facility,
            displayName: tables.facilityTypes[facility],
            codeSystem: '1.2.250.1.71.4.2.4',
          }),
          el('location', {}, el('name', {}, establishment.name), addr(establishment.address)),
        ),
      ),
    ),
  );
}
