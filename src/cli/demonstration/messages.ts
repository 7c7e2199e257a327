/** The messages of the simulated RIS: flows 1 and 4 of the national teleradiology volume, and technical acknowledgements. */
import type { DemoCase } from './cases.ts';

const sender = 'RIS-EX|CH-EXEMPLE|PASSERELLE|PLATEFORME-EX';
const requester = '899700990015^TEST-RADIOLOGUE^ALIX^^^DR^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS';
const structure = 'CH-EXEMPLE IMAGERIE^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^FINEG^^^330099995';
const placerAuthority = '2.999.33.10^ISO';
const accessionAuthority = '2.999.33.20^ISO';

/** `YYYYMMDDHHMMSS+ZZZZ` of an instant, in UTC. */
function timestamp(instant: Date): string {
  return `${instant.toISOString().replace(/[-:T]/g, '').slice(0, 14)}+0000`;
}

/** Text inside a field: the delimiters are escaped, line ends become `\.br\`. */
function field(text: string): string {
  const escapes: Record<string, string> = { '\\': '\\E\\', '|': '\\F\\', '^': '\\S\\', '&': '\\T\\', '~': '\\R\\' };
  return text.replace(/[\\|^&~]/g, (delimiter) => escapes[delimiter] ?? delimiter).replace(/\r?\n/g, '\\.br\\');
}

function header(event: string, controlId: string, now: Date): string {
  return `MSH|^~\\&|${sender}|${timestamp(now)}||${event}|${controlId}|T|2.5.1|||||FRA|UNICODE UTF-8|||1.0^CISIS_TLR_HL7_V2`;
}

function patient(exam: DemoCase, now: Date): string[] {
  const [firstGiven = ''] = exam.givenNames.split(' ');
  const ins = exam.ins ? `~${exam.ins}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS^^20260105` : '';
  const pid = [
    'PID',
    '1',
    '',
    `${exam.ipp}^^^CH-EXEMPLE&330099995&N^PI${ins}`,
    '',
    `${field(exam.birthName)}^${field(firstGiven)}^${field(exam.givenNames)}^^^^L`,
    '',
    exam.birthDate,
    exam.sex,
    '',
    '',
    exam.birthPlace ? `^^^^^^BDL^^${exam.birthPlace}` : '',
  ];
  const tail = ['', '', '', '', '', '', '26004711^^^CH-EXEMPLE&330099987&M^AN'];
  const status = exam.ins ? 'VALI' : 'PROV';
  const upTo32 = [...pid, ...tail];
  while (upTo32.length < 32) upTo32.push('');
  const pv1 = [
    'PV1',
    '1',
    exam.encounterClass,
    ...Array<string>(16).fill(''),
    `${exam.appointment}^^^CH-EXEMPLE&330099987&M^VN`,
  ];
  while (pv1.length < 44) pv1.push('');
  return [[...upTo32, status, timestamp(now)].join('|'), [...pv1, timestamp(now)].join('|')];
}

const join = (segments: string[]): string => `${segments.join('\r')}\r`;

/** Flow 1: the request. */
export function requestMessage(exam: DemoCase, controlId: string, now: Date): string {
  const placer = `${exam.placerNumber}^^${placerAuthority}`;
  let sequence = 0;
  const obx = (type: string, code: string, subId: string, value: string, unit = '') =>
    `OBX|${++sequence}|${type}|${code}|${subId}|${value}|${unit}|||||O`;
  return join([
    header('ORM^O01^ORM_O01', controlId, now),
    ...patient(exam, now),
    `ORC|NW|${placer}|||||||${timestamp(now)}|||${requester}||^WPN^PH^^^^^^^^^0556000000|||STRUCTURE_IMAGERIE^^TLR_TYPE_ORGANISATION||||${structure}`,
    `OBR|1|${placer}||TRANSMISSION_DEMANDE^^TLR_OBR_PROCEDURE|||||||||${field(exam.justification)}|||${requester}`,
    `NTE|1||${field(exam.purpose)}|FINALITE_EXAMEN^^HL70364`,
    obx('CE', 'MODALITE_IMAGERIE^^TLR_OBSERVATION', '', 'CT^Scanner^DCM'),
    obx('CE', 'REGION_ANATOMIQUE^^TLR_OBSERVATION', '1.1', `${exam.region.code}^${exam.region.display}^SCT`),
    ...(exam.modifier
      ? [obx('CE', 'REGION_ANATOMIQUE^^TLR_OBSERVATION', '1.2', `${exam.modifier.code}^${exam.modifier.display}^SCT`)]
      : []),
    obx('FT', '11322-5^^LN', '', field(exam.history)),
    obx('NM', '8302-2^^LN', '', String(exam.heightCm), 'cm'),
    obx('NM', '29463-7^^LN', '', String(exam.weightKg), 'kg'),
    ...(exam.pregnant ? [obx('CE', '82810-3^^LN', '', `${exam.pregnant}^^expandedYes-NoIndicator`)] : []),
  ]);
}

/** Flow 2: the request is cancelled. */
export function cancellationMessage(exam: DemoCase, reason: string, controlId: string, now: Date): string {
  const placer = `${exam.placerNumber}^^${placerAuthority}`;
  return join([
    header('ORM^O01^ORM_O01', controlId, now),
    ...patient(exam, now),
    `ORC|CA|${placer}|||||||${timestamp(now)}|||${requester}||||^${field(reason)}|STRUCTURE_IMAGERIE^^TLR_TYPE_ORGANISATION||||${structure}`,
    `OBR|1|${placer}||ANNULATION_DEMANDE^^TLR_OBR_PROCEDURE||||||||||||${requester}`,
  ]);
}

/** Flow 4: the exam is done, here is its study. */
export function complementMessage(
  exam: DemoCase,
  studyUid: string,
  examDate: Date,
  controlId: string,
  now: Date,
): string {
  const placer = `${exam.placerNumber}^^${placerAuthority}`;
  const url = `https://drimbox.ch-exemple.example/viewer?requestType=STUDY&studyUID=${studyUid}&accessionNumber=${exam.accessionNumber}`;
  const act = `${exam.act.code}^^2.16.840.1.113883.6.1^ISO`;
  return join([
    header('OMI^O23^OMI_O23', controlId, now),
    ...patient(exam, now),
    `ORC|SR|${placer}`,
    `TQ1||||||730^jours|${timestamp(examDate)}`,
    `OBR|1|${placer}||COMPLEMENT_POST_ACTE^^TLR_OBR_PROCEDURE`,
    `OBX|1|ED|URL_PARTIELLE_VIEWER^^TLR_OBSERVATION||^TEXT^^Base64^${Buffer.from(url).toString('base64')}||||||F`,
    `OBX|2|CE|CODE_ACTE_IMAGERIE^^TLR_OBSERVATION||${exam.act.code}^${field(exam.act.display)}^LN||||||F`,
    `OBX|3|CE|REGION_ANATOMIQUE^^TLR_OBSERVATION|1.1|${exam.region.code}^${exam.region.display}^SCT||||||F`,
    `OBX|4|CE|MODALITE_IMAGERIE^^TLR_OBSERVATION||CT^Scanner^DCM||||||F`,
    `OBX|5|TX|APPAREIL_IMAGERIE^^TLR_OBSERVATION|1.1|(01)03700000000017(21)SN4471||||||F`,
    `OBX|6|TX|APPAREIL_IMAGERIE^^TLR_OBSERVATION|1.2|ScanEx 128||||||F`,
    `IPC|${exam.accessionNumber}^^${accessionAuthority}|${act}|${studyUid}|${act}`,
  ]);
}

/** Technical acknowledgement of what arrived, taken in charge. */
export function acknowledge(message: string, controlId: string, now: Date): string {
  const msh = message.split(/[\r\n]+/, 1)[0]?.split('|') ?? [];
  const event = msh[8]?.split('^')[1] ?? '';
  const answer = `MSH|^~\\&|${msh[4] ?? ''}|${msh[5] ?? ''}|${msh[2] ?? ''}|${msh[3] ?? ''}|${timestamp(now)}||ACK^${event}^ACK`;
  return join([
    `${answer}|${controlId}|${msh[10] ?? 'T'}|${msh[11] ?? '2.5.1'}|||||FRA|UNICODE UTF-8`,
    `MSA|AA|${msh[9] ?? ''}`,
  ]);
}
