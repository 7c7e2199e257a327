/** CDA R2 level 1 of the imaging report: the CI-SIS header in the order of the XSD, the very bytes of the signed PDF as body. */
import type { ReportModel } from '../model.ts';
import { hl7Time } from '../paris-time.ts';
import type { Professional, Structure } from '../people.ts';
import { componentOf, documentationOf, inFulfillmentOf, systems } from './acts.ts';
import { instance } from './identifiers.ts';
import {
  addr,
  assignedEntity,
  organization,
  organizationCore,
  personId,
  personName,
  professionCode,
  telecoms,
} from './parties.ts';
import { recordTarget } from './record-target.ts';
import type { CdaTables } from './tables.ts';
import { el, type XmlElement, xmlDocument } from './xml.ts';

/** Templates of an unstructured document: HL7 France, CI-SIS, IHE XDS-SD; exactly these three, in this order. */
const templates = ['2.16.840.1.113883.2.8.2.1', '1.2.250.1.213.1.1.1.1', '1.3.6.1.4.1.19376.1.2.20'];

/** @param pdf the signed PDF, embedded as it is */
export function cdaDocument(model: ReportModel, tables: CdaTables, pdf: Buffer): Buffer {
  const { input, establishment, platform, radiologist } = model;
  const { document } = input;
  const at = hl7Time(input.signedAt);
  const root = el(
    'ClinicalDocument',
    {
      xmlns: 'urn:hl7-org:v3',
      'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
      'xmlns:ps3-20': 'urn:dicom-org:ps3-20',
    },
    el('realmCode', { code: 'FR' }),
    el('typeId', { root: '2.16.840.1.113883.1.3', extension: 'POCD_HD000040' }),
    templates.map((template) => el('templateId', { root: template })),
    instance(document.oid),
    documentCode(model),
    el('title', {}, model.title),
    el('effectiveTime', { value: at }),
    el('confidentialityCode', { code: 'N', displayName: 'Normal', codeSystem: '2.16.840.1.113883.5.25' }),
    el('languageCode', { code: 'fr-FR' }),
    instance(document.setOid, undefined, 'setId'),
    el('versionNumber', { value: String(document.version) }),
    recordTarget(input.patient, model.patient, establishment.nationalId ?? ''),
    author(radiologist, platform, at, tables),
    onSitePhysician(model) && author(model.requester!, establishment, at, tables),
    custodian(establishment),
    el('legalAuthenticator', {}, el('time', { value: at }), signature(), assignedEntity(radiologist, platform, tables)),
    el('authenticator', {}, el('time', { value: at }), signature(), assignedEntity(radiologist, platform, tables)),
    requester(model, tables),
    inFulfillmentOf(model),
    documentationOf(model, tables),
    document.replaces !== undefined &&
      el('relatedDocument', { typeCode: 'RPLC' }, el('parentDocument', {}, instance(document.replaces))),
    componentOf(model, tables),
    el(
      'component',
      {},
      el('nonXMLBody', {}, el('text', { mediaType: 'application/pdf', representation: 'B64' }, pdf.toString('base64'))),
    ),
  );
  return Buffer.from(xmlDocument(root), 'utf8');
}

function documentCode({ loinc, form }: ReportModel): XmlElement {
  return el(
    'code',
    { code: form.type.code, displayName: form.type.display, ...systems.loinc },
    loinc.map((act) => el('translation', { code: act.code, displayName: act.display || act.code, ...systems.loinc })),
  );
}

function author(person: Professional, place: Structure, at: string, tables: CdaTables): XmlElement {
  return el(
    'author',
    {},
    el('time', { value: at }),
    el(
      'assignedAuthor',
      {},
      personId(person),
      professionCode(person, tables),
      addr(person.address),
      telecoms(person.telecom),
      el('assignedPerson', {}, personName(person)),
      organization(place, tables),
    ),
  );
}

/** The physician in charge on site is a further author when we can name them by their national identifier. */
function onSitePhysician({ requester }: ReportModel): boolean {
  return requester?.nationalId !== undefined && requester.family !== '';
}

function custodian(place: Structure): XmlElement {
  return el(
    'custodian',
    {},
    el('assignedCustodian', {}, el('representedCustodianOrganization', {}, organizationCore(place))),
  );
}

function signature(): XmlElement {
  return el('signatureCode', { code: 'S' });
}

/** REF: who asked, dated by the request. */
function requester(model: ReportModel, tables: CdaTables): XmlElement | undefined {
  const person = model.requester;
  if (!person || !onSitePhysician(model)) return undefined;
  const { requestDate } = model.input;
  return el(
    'participant',
    { typeCode: 'REF' },
    el('time', requestDate ? { value: hl7Time(requestDate) } : { nullFlavor: 'NA' }),
    el(
      'associatedEntity',
      { classCode: 'PROV' },
      personId(person),
      professionCode(person, tables),
      addr(person.address),
      telecoms(person.telecom),
      el('associatedPerson', {}, personName(person)),
      el('scopingOrganization', {}, organizationCore(model.establishment)),
    ),
  );
}
