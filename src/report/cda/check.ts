/**
 * Our own check of a CI-SIS header (cda-imaging-report §2-§6), with what the national rules let pass (§11.5): times without zone,
 * wrong INS key, a document that replaces itself, a study UID in the extension, versions and replacement that disagree, a body
 * that is no PDF.
 */

import { checkBody, checkContext } from './check-context.ts';
import { checkParties, checkPatient } from './check-parties.ts';
import { type CdaProblem, problemList } from './check-problems.ts';
import { all, at, attribute, descendants, hl7, parseXml, textOf, type XmlNode } from './dom.ts';
import { isOid } from './identifiers.ts';

/** Children of ClinicalDocument in the order of the XSD. */
const order = [
  'realmCode typeId templateId id code title effectiveTime confidentialityCode languageCode setId versionNumber copyTime',
  'recordTarget author dataEnterer informant custodian informationRecipient legalAuthenticator authenticator participant',
  'inFulfillmentOf documentationOf relatedDocument authorization componentOf component',
].flatMap((line) => line.split(' '));

const exactlyOne =
  'realmCode typeId id code title effectiveTime confidentialityCode languageCode setId versionNumber recordTarget custodian legalAuthenticator componentOf component';
const atLeastOne = 'author inFulfillmentOf documentationOf templateId';

const levelOneTemplates = ['2.16.840.1.113883.2.8.2.1', '1.2.250.1.213.1.1.1.1', '1.3.6.1.4.1.19376.1.2.20'];
const uuid = /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/i;

/** Every fault found in a level-1 report; empty when the header is complete. */
export function checkCdaHeader(cda: Buffer | string): CdaProblem[] {
  const { problems, report } = problemList();
  let root: XmlNode;
  try {
    root = parseXml(cda.toString());
  } catch (error) {
    return [{ path: '/', text: (error as Error).message }];
  }
  if (root.localName !== 'ClinicalDocument' || root.namespaceURI !== hl7) {
    return [{ path: '/', text: 'root is not ClinicalDocument of urn:hl7-org:v3' }];
  }
  checkShape(root, report);
  checkIdentity(root, report);
  checkTimes(root, report);
  checkPatient(root, report);
  checkParties(root, report);
  checkContext(root, report);
  checkBody(root, report);
  return problems;
}

type Report = (path: string, text: string) => void;

function checkShape(root: XmlNode, report: Report): void {
  let last = 0;
  for (let child = root.firstChild; child; child = child.nextSibling) {
    const { localName } = child as XmlNode;
    if (child.nodeType !== 1 || !localName) continue;
    const position = order.indexOf(localName);
    if (position < 0) report(localName, 'unknown element');
    else if (position < last) report(localName, 'out of order');
    last = Math.max(last, position);
  }
  for (const name of exactlyOne.split(' ')) {
    const { length } = all(root, name);
    if (length !== 1) report(name, `${length} instead of exactly one`);
  }
  for (const name of atLeastOne.split(' ')) if (all(root, name).length === 0) report(name, 'missing');
  const templates = all(root, 'templateId').map((node) => attribute(node, 'root'));
  if (templates.join(' ') !== levelOneTemplates.join(' ')) report('templateId', 'not the three of a level-1 document');
}

function checkIdentity(root: XmlNode, report: Report): void {
  const value = (name: string, key: string) => attribute(at(root, name), key);
  const expected: [string, string, string][] = [
    ['realmCode', 'code', 'FR'],
    ['typeId', 'root', '2.16.840.1.113883.1.3'],
    ['typeId', 'extension', 'POCD_HD000040'],
    ['code', 'codeSystem', '2.16.840.1.113883.6.1'],
    ['languageCode', 'code', 'fr-FR'],
    ['confidentialityCode', 'codeSystem', '2.16.840.1.113883.5.25'],
  ];
  // An imaging report, or the report of an act of telemedicine (volet TLM-CR).
  if (!/^(18748-4|85208-7)$/.test(value('code', 'code'))) report('code', 'not the type of one of our reports');
  for (const [name, key, wanted] of expected) if (value(name, key) !== wanted) report(name, `${key} is not ${wanted}`);
  if (!/^[NRV]$/.test(value('confidentialityCode', 'code'))) report('confidentialityCode', 'not N, R or V');
  if (textOf(at(root, 'title')) === '') report('title', 'empty');
  const [id, set] = [value('id', 'root'), value('setId', 'root')];
  if (!isOid(id) && !uuid.test(id)) report('id', 'root is neither OID nor UUID');
  if (id === set) report('setId', 'equal to id');
  const version = Number(value('versionNumber', 'value'));
  if (!Number.isInteger(version) || version < 1) report('versionNumber', 'not an integer ≥ 1');
  const related = all(root, 'relatedDocument');
  const parents = related
    .flatMap((node) => all(at(node, 'parentDocument'), 'id'))
    .map((node) => attribute(node, 'root'));
  if (related.some((node) => attribute(node, 'typeCode') !== 'RPLC')) report('relatedDocument', 'not RPLC');
  if (parents.length !== related.length || related.length > 1) report('relatedDocument', 'not exactly one parent');
  if (parents.includes(id)) report('relatedDocument', 'the document replaces itself');
  if (version > 1 !== related.length > 0) report('versionNumber', 'disagrees with relatedDocument');
}

/** Every instant of the header carries its offset; a birth date is a date. */
function checkTimes(root: XmlNode, report: Report): void {
  for (const node of descendants(root)) {
    const name = node.localName ?? '';
    if (!['effectiveTime', 'time', 'low', 'high', 'birthTime'].includes(name)) continue;
    const value = attribute(node, 'value');
    const valid = name === 'birthTime' ? /^\d{4}(\d{2}){0,2}$/ : /^\d{14}[+-]\d{4}$/;
    if (value !== '' && !valid.test(value)) report(name, 'time without seconds or zone');
    if (value !== '' && attribute(node, 'nullFlavor') !== '') report(name, 'value and nullFlavor together');
    const empty = value === '' && attribute(node, 'nullFlavor') === '' && node.getElementsByTagName('*').length === 0;
    if (empty) report(name, 'neither value nor nullFlavor');
  }
}
