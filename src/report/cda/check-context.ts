/** Order, acts, encounter and body (cda-imaging-report §6, §1). */
import { rootIsOid } from './check-parties.ts';
import { all, at, attribute, textOf, type XmlNode } from './dom.ts';

type Report = (path: string, text: string) => void;

const dicom = 'urn:dicom-org:ps3-20';
const actSystems = new Set(['2.16.840.1.113883.6.1', '1.2.250.1.215.300.1']);
const encounterSystems = new Set(['2.16.840.1.113883.5.4', '1.2.250.1.213.1.1.4.2.291']);

export function checkContext(root: XmlNode, report: Report): void {
  for (const order of all(root, 'inFulfillmentOf').map((node) => at(node, 'order'))) {
    const id = at(order, 'id');
    if (!id) report('inFulfillmentOf', 'order without id');
    else if (attribute(id, 'nullFlavor') === '' && (!rootIsOid(id) || attribute(id, 'extension') === '')) {
      report('inFulfillmentOf', 'order number without root or extension');
    }
    for (const number of all(order, 'accessionNumber', dicom)) {
      if (!rootIsOid(number) || attribute(number, 'extension') === '')
        report('inFulfillmentOf', 'accession number incomplete');
    }
    if (all(order, 'accessionNumber').length > 0)
      report('inFulfillmentOf', 'accession number outside the DICOM namespace');
  }
  const events = all(root, 'documentationOf').map((node) => at(node, 'serviceEvent'));
  if (
    events.length > 0 &&
    !at(events[0], 'performer', 'assignedEntity', 'representedOrganization', 'standardIndustryClassCode')
  ) {
    report('documentationOf', 'first act without performer or practice setting');
  }
  for (const event of events) checkEvent(event, report);
  const encounter = at(root, 'componentOf', 'encompassingEncounter');
  if (!encounterSystems.has(attribute(at(encounter, 'code'), 'codeSystem'))) report('componentOf', 'type of encounter');
  if (!at(encounter, 'effectiveTime', 'low')) report('componentOf', 'start missing');
  const facility = at(encounter, 'location', 'healthCareFacility');
  if (!/^SA\d\d$/.test(attribute(at(facility, 'code'), 'code'))) report('componentOf', 'type of facility');
  for (const visit of all(encounter, 'id')) if (!rootIsOid(visit)) report('componentOf', 'visit number without OID');
}

function checkEvent(event: XmlNode | undefined, report: Report): void {
  const id = at(event, 'id');
  if (id && (!rootIsOid(id) || id.hasAttribute('extension')))
    report('documentationOf', 'study UID must be the whole root');
  const code = at(event, 'code');
  if (!actSystems.has(attribute(code, 'codeSystem')) || attribute(code, 'code') === '')
    report('documentationOf', 'act without code');
  const systems = all(code, 'translation').map((node) => attribute(node, 'codeSystem'));
  if (systems.filter((system) => system === '1.2.250.1.215.300.1').length > 1)
    report('documentationOf', 'two CCAM codes on one act');
  if (systems.includes('1.2.250.1.213.2.5')) report('documentationOf', 'retired CCAM identifier');
  for (const translation of all(code, 'translation')) {
    const modality = attribute(translation, 'codeSystem') === '1.2.840.10008.2.16.4';
    if (modality && attribute(at(translation, 'qualifier', 'name'), 'code') !== '121139') {
      report('documentationOf', 'modality without its qualifier');
    }
    if (modality && attribute(translation, 'code') === 'RM') report('documentationOf', 'modality RM is MR');
  }
  if (!at(event, 'effectiveTime', 'low')) report('documentationOf', 'start missing');
}

/** The body is a PDF, and looks like one once decoded. */
export function checkBody(root: XmlNode, report: Report): void {
  const text = at(root, 'component', 'nonXMLBody', 'text');
  if (attribute(text, 'mediaType') !== 'application/pdf' || attribute(text, 'representation') !== 'B64') {
    report('component', 'body is not a base64 PDF');
    return;
  }
  const pdf = embeddedPdf(text);
  if (!pdf.subarray(0, 5).equals(Buffer.from('%PDF-'))) report('component', 'body is not a PDF');
}

/** Bytes of the embedded PDF. */
export function embeddedPdf(text: XmlNode | undefined): Buffer {
  return Buffer.from(textOf(text), 'base64');
}
