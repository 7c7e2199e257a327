/** Patient, professionals and structures of the header (cda-imaging-report §2.1, §3, §4). */
import { isInsKeyValid } from '../ins-key.ts';
import { all, at, attribute, descendants, textOf, type XmlNode } from './dom.ts';
import { isOid, roots } from './identifiers.ts';

type Report = (path: string, text: string) => void;

const insRoot = /^1\.2\.250\.1\.213\.1\.4\.(8|9|10|11)$/;
const telecomValue = /^(tel|fax|mailto|http|https|ftp|mllp):/;

export function checkPatient(root: XmlNode, report: Report): void {
  const role = at(root, 'recordTarget', 'patientRole');
  const patient = at(role, 'patient');
  const ids = all(role, 'id');
  if (ids.length === 0) report('recordTarget', 'no identifier');
  if (ids.some((id) => attribute(id, 'root') === '' || attribute(id, 'extension') === '')) {
    report('recordTarget', 'identifier without root or extension');
  }
  if (!at(role, 'addr') || !at(role, 'telecom')) report('recordTarget', 'addr or telecom missing');
  const name = at(patient, 'name');
  const families = all(name, 'family');
  const givens = all(name, 'given');
  const qualified = (nodes: XmlNode[], qualifier: string) =>
    nodes.filter((node) => attribute(node, 'qualifier') === qualifier && textOf(node) !== '');
  if (families.length === 0 || families.some((node) => !/^(BR|CL)$/.test(attribute(node, 'qualifier')))) {
    report('recordTarget', 'family without BR or CL');
  }
  if (!/^(M|F|UN)$/.test(attribute(at(patient, 'administrativeGenderCode'), 'code'))) report('recordTarget', 'gender');
  const ins = ids.filter((id) => insRoot.test(attribute(id, 'root')));
  if (ins.length === 0) return;
  if (ins.length > 1) report('recordTarget', 'more than one INS');
  const matricule = attribute(ins[0], 'extension');
  if (!/^[0-9]{5}[0-9AB]{2}[0-9]{8}$/.test(matricule)) report('recordTarget', 'INS not 15 characters');
  const test = /\.1[01]$/.test(attribute(ins[0], 'root'));
  if (!test && !isInsKeyValid(matricule)) report('recordTarget', 'INS control key');
  if (qualified(families, 'BR').length !== 1) report('recordTarget', 'INS without birth name');
  if (qualified(givens, 'BR').length !== 1) report('recordTarget', 'INS without first given name');
  if (qualified(givens, '').length !== 1) report('recordTarget', 'INS without list of given names');
  if (!/^\d{8}$/.test(attribute(at(patient, 'birthTime'), 'value'))) report('recordTarget', 'INS without birth date');
  if (!/^(M|F)$/.test(attribute(at(patient, 'administrativeGenderCode'), 'code')))
    report('recordTarget', 'INS without sex');
  const county = textOf(at(patient, 'birthplace', 'place', 'addr', 'county'));
  if (!/^(\d{5}|2[AB]\d{3})$/.test(county)) report('recordTarget', 'INS without birth place code');
}

export function checkParties(root: XmlNode, report: Report): void {
  for (const author of all(root, 'author')) {
    const assigned = at(author, 'assignedAuthor');
    checkProfessional(assigned, 'author', report);
    const people = all(assigned, 'assignedPerson').length + all(assigned, 'assignedAuthoringDevice').length;
    if (people !== 1) report('author', 'neither a person nor a device, or both');
    if (!at(assigned, 'representedOrganization', 'standardIndustryClassCode'))
      report('author', 'practice setting missing');
  }
  const signers = [...all(root, 'legalAuthenticator'), ...all(root, 'authenticator')];
  for (const signer of signers) {
    if (attribute(at(signer, 'signatureCode'), 'code') !== 'S') report(signer.localName!, 'signatureCode is not S');
    if (!at(signer, 'time')) report(signer.localName!, 'time missing');
    checkProfessional(at(signer, 'assignedEntity'), signer.localName!, report);
  }
  const custodian = at(root, 'custodian', 'assignedCustodian', 'representedCustodianOrganization');
  checkStructure(custodian, 'custodian', report);
  for (const participant of all(root, 'participant')) {
    if (!at(participant, 'time')) report('participant', 'time missing');
    checkPersonId(at(participant, 'associatedEntity'), 'participant', report);
  }
  for (const node of descendants(root)) {
    if (node.localName === 'telecom') checkTelecom(node, report);
    if (node.localName === 'addr') checkAddress(node, report);
  }
}

function checkProfessional(entity: XmlNode | undefined, path: string, report: Report): void {
  checkPersonId(entity, path, report);
  if (!at(entity, 'code')) report(path, 'profession missing');
  if (textOf(at(entity, 'assignedPerson', 'name', 'family')) === '') report(path, 'family name missing');
  checkStructure(at(entity, 'representedOrganization'), path, report);
}

function checkPersonId(entity: XmlNode | undefined, path: string, report: Report): void {
  const id = at(entity, 'id');
  const number = attribute(id, 'extension');
  if (attribute(id, 'root') !== roots.professional) report(path, 'not a national identifier of a professional');
  else if (!/^(8\d{11}|0\w{9}|[1-7].+)$/.test(number)) report(path, 'identifier of the professional malformed');
}

function checkStructure(place: XmlNode | undefined, path: string, report: Report): void {
  const id = at(place, 'id');
  if (attribute(id, 'root') !== roots.structure) report(path, 'structure without national identifier');
  else if (!/^(1[0-9AB]{9}|2\d{9}|3\d{14}|[04].+)$/.test(attribute(id, 'extension')))
    report(path, 'identifier of the structure malformed');
  if (textOf(at(place, 'name')) === '') report(path, 'structure without name');
  if (!at(place, 'telecom') || !at(place, 'addr')) report(path, 'structure without telecom or addr');
}

function checkTelecom(node: XmlNode, report: Report): void {
  const value = attribute(node, 'value');
  const flavor = attribute(node, 'nullFlavor');
  if ((value === '') === (flavor === '')) report('telecom', 'needs a value or a nullFlavor, not both');
  if (value !== '' && !telecomValue.test(value)) report('telecom', 'scheme missing');
}

function checkAddress(node: XmlNode, report: Report): void {
  const parts = descendants(node);
  const lines = parts.filter((part) => part.localName === 'streetAddressLine').length;
  if (lines > 0 && lines !== parts.length) report('addr', 'lines and structured parts mixed');
  if (parts.length === 0 && attribute(node, 'nullFlavor') === '') report('addr', 'empty');
}

/** Roots of instance identifiers are OIDs everywhere in the header. */
export function rootIsOid(node: XmlNode | undefined): boolean {
  return isOid(attribute(node, 'root'));
}
