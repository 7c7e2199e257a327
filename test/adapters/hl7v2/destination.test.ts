import { createHash } from 'node:crypto';
import type {
  Binary,
  DocumentReference,
  Endpoint,
  Organization,
  Patient,
  Practitioner,
  ServiceRequest,
  Task,
} from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RisDestination, type RisOptions, risDestination } from '../../../src/adapters/hl7v2/index.ts';
import { systemClock } from '../../../src/config/index.ts';
import type { DeliveryItem } from '../../../src/delivery/contract.ts';
import { type FhirTransaction, systemContext } from '../../../src/fhir/index.ts';
import { establishment, openHospital, recordingLog, segment, storedMessages, tenant } from './hospital.ts';
import { openRis } from './ris.ts';

const base = 'https://fhir.passerelle.example';
const item = (code: string, value: object) => ({
  type: { coding: [{ system: `${base}/CodeSystem/case-item`, code }] },
  ...value,
});
const type = (code: string) => ({ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code }] });
const frenchType = (code: string) => ({
  coding: [{ system: 'https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203', code }],
});
const cda = Buffer.from(
  '<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><title>Ça</title></ClinicalDocument>',
);
const protocols = ['Sans injection | coupes 1 mm\nSi négatif : angio', 'Diffusion & T2*'];

let rooms: Awaited<ReturnType<typeof openHospital>>;
let destination: RisDestination;
let log: ReturnType<typeof recordingLog>;
let ris: Awaited<ReturnType<typeof openRis>>;

const write = <T>(work: (tx: FhirTransaction) => Promise<T>) =>
  rooms.store.transaction(systemContext(tenant, 'system:test', systemClock), work);

let counter = 0;

/** A case with everything a message tells; what the test changes comes last. */
async function makeCase(
  change: { task?: Partial<Task>; patient?: Partial<Patient>; replaced?: boolean } = {},
): Promise<string> {
  const n = ++counter;
  return write(async (tx) => {
    const patient = await tx.create<Patient>({
      resourceType: 'Patient',
      identifier: [
        {
          use: 'official',
          type: frenchType('INS-NIR-TEST'),
          system: 'urn:oid:1.2.250.1.213.1.4.10',
          value: '190027505600114',
        },
        {
          use: 'usual',
          type: type('PI'),
          system: `${base}/sid/ipp/590099991`,
          value: `IPP-${n}`,
          assigner: {
            display: 'CH-TEST',
            identifier: { type: frenchType('FINEG'), system: 'https://finess.esante.gouv.fr', value: '590099991' },
          },
        },
      ],
      extension: [
        {
          url: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability',
          extension: [{ url: 'identityStatus', valueCoding: { code: 'VALI' } }],
        },
        {
          url: 'http://hl7.org/fhir/StructureDefinition/patient-birthPlace',
          valueAddress: {
            extension: [
              {
                url: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code',
                valueCoding: { code: '75056' },
              },
            ],
          },
        },
      ],
      name: [
        {
          use: 'official',
          family: 'TEST-DUPRE',
          given: ['MARIN'],
          extension: [
            {
              url: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name',
              valueString: 'MARIN ELIE',
            },
          ],
        },
        { use: 'usual', family: 'TEST-NOUR', given: ['ELIE'] },
      ],
      gender: 'male',
      birthDate: '1990-02-14',
      address: [{ use: 'home', line: ['4 QUAI'], city: 'LILLE', postalCode: '59000', country: 'FRA' }],
      telecom: [{ system: 'phone', use: 'mobile', value: '0600000002' }],
      ...change.patient,
    });
    const subject = { reference: `Patient/${patient.id}` };
    const request = await tx.create<ServiceRequest>({
      resourceType: 'ServiceRequest',
      status: 'active',
      intent: 'order',
      subject,
      identifier: [
        { type: type('PLAC'), system: 'urn:oid:2.999.59.10', value: `DEM-${n}` },
        {
          type: type('AN'),
          system: `${base}/sid/account/590099983`,
          value: 'DOS-77',
          assigner: { display: 'CH-TEST' },
        },
      ],
    });
    const old = change.replaced ? await makeDocument(tx, subject, '2.25.100', undefined) : undefined;
    const document = await makeDocument(tx, subject, `2.25.${200 + n}`, old);
    const task = await tx.create<Task>({
      resourceType: 'Task',
      status: 'accepted',
      intent: 'order',
      focus: { reference: `ServiceRequest/${request.id}` },
      for: subject,
      requester: { reference: `Organization/${establishment}` },
      owner: { reference: 'Practitioner/lecteur' },
      input: [
        item('encounter-class', { valueCode: 'E' }),
        item('appointment', {
          valueIdentifier: {
            type: type('VN'),
            system: `${base}/sid/appointment/590099983`,
            value: 'RDV-1',
            assigner: {
              display: 'CH-TEST',
              identifier: { type: frenchType('FINEJ'), system: 'https://finess.esante.gouv.fr', value: '590099983' },
            },
          },
        }),
      ] as Task['input'],
      output: [
        ...protocols.map((valueString) => item('protocol', { valueString })),
        item('document', { valueReference: { reference: document } }),
      ] as Task['output'],
      ...change.task,
    });
    return `Task/${task.id}`;
  });
}

async function makeDocument(
  tx: FhirTransaction,
  subject: { reference: string },
  oid: string,
  replaces: string | undefined,
): Promise<string> {
  const binary = await tx.create<Binary>({
    resourceType: 'Binary',
    contentType: 'text/xml',
    data: cda.toString('base64'),
  });
  const document = await tx.create<DocumentReference>({
    resourceType: 'DocumentReference',
    status: 'current',
    masterIdentifier: { system: 'urn:ietf:rfc:3986', value: `urn:oid:${oid}` },
    subject,
    ...(replaces ? { relatesTo: [{ code: 'replaces', target: { reference: replaces } }] } : {}),
    content: [
      {
        attachment: {
          contentType: 'text/xml',
          url: `Binary/${binary.id}`,
          size: cda.length,
          hash: createHash('sha1').update(cda).digest('base64'),
        },
      },
    ],
  });
  return `DocumentReference/${document.id}`;
}

const delivery = (kind: string, focus: string, more: Partial<DeliveryItem> = {}): DeliveryItem => ({
  tenant,
  id: `ITEM${String(++counter).padStart(8, '0')}`,
  destination: `ris:${establishment}`,
  kind,
  focus,
  queuedAt: new Date(),
  attempts: 1,
  ...more,
});

function open(options: Partial<RisOptions> = {}) {
  log = recordingLog();
  destination = risDestination({ ...rooms, clock: systemClock, log, answerMs: 5_000, ...options });
}

beforeAll(async () => {
  rooms = await openHospital();
  await write(async (tx) => {
    const hospital = await tx.read('Organization', establishment);
    await tx.create<Endpoint>({
      resourceType: 'Endpoint',
      id: 'ris',
      status: 'active',
      connectionType: { system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type', code: 'hl7v2-mllp' },
      payloadType: [{ text: 'HL7 v2' }],
      address: 'mllp://127.0.0.1:1',
    });
    await tx.create<Organization>({
      resourceType: 'Organization',
      id: 'plateforme',
      name: 'PLATEFORME TEST',
      identifier: [{ type: frenchType('FINEG'), system: 'https://finess.esante.gouv.fr', value: '750099970' }],
    });
    await tx.update<Organization>({
      ...hospital,
      endpoint: [{ reference: 'Endpoint/ris' }],
      extension: [
        {
          url: `${base}/StructureDefinition/establishment-settings`,
          extension: [{ url: 'platform', valueReference: { reference: 'Organization/plateforme' } }],
        },
      ],
    });
    for (const [id, family, rpps] of [
      ['lecteur', 'TEST-LECTEUR', '99700990031'],
      ['autre', 'TEST-AUTRE', '99700990049'],
    ] as const) {
      await tx.create<Practitioner>({
        resourceType: 'Practitioner',
        id,
        identifier: [{ type: type('RPPS'), system: 'https://rpps.esante.gouv.fr', value: rpps }],
        name: [{ use: 'official', family, given: ['ANOUK'], suffix: ['DR'] }],
      });
    }
  });
});
afterAll(() => rooms.database.close());

beforeEach(async () => {
  ris = await openRis();
  await moveRis(ris.port);
  open();
});
afterEach(async () => {
  await destination.close();
  ris.close();
});

const moveRis = (port: number) =>
  write(async (tx) =>
    tx.update<Endpoint>({ ...(await tx.read('Endpoint', 'ris')), address: `mllp://127.0.0.1:${port}` }),
  );
const last = () => ris.received.at(-1) ?? Buffer.alloc(0);
const lines = (message: Buffer) =>
  message
    .toString('utf8')
    .split('\r')
    .filter((line) => line !== '');
const names = (message: Buffer) =>
  lines(message)
    .map((line) => line.slice(0, 3))
    .join(' ');
const xcn = (title: string) =>
  `899700990031^TEST-LECTEUR^ANOUK^^^${title}^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS`;
const xon = 'PLATEFORME TEST^^^^^ASIP-SANTE-ST&1.2.250.1.71.4.2.2&ISO^FINEG^^^750099970';

describe('the answer to a request', () => {
  it('leaves as ORU^R01 OK with one OBX per protocol and is delivered by its AA', async () => {
    const sent = delivery('request-answer', await makeCase());
    expect(await destination.deliver(sent)).toEqual({ status: 'delivered', evidence: `MSA|AA|${sent.id}` });
    const header = segment(last(), 'MSH');
    expect([header[2], header[3], header[4], header[5]]).toEqual(['PASSERELLE', 'PASSERELLE', 'RIS-TEST', 'CH-TEST']);
    expect([header[8], header[9], header[11], header[16], header[17], header[20]]).toEqual([
      'ORU^R01^ORU_R01',
      sent.id,
      '2.5.1',
      'FRA',
      'UNICODE UTF-8',
      '1.0^CISIS_TLR_HL7_V2',
    ]);
    expect(names(last())).toBe('MSH PID ORC OBR OBX OBX');
    const placer = `DEM-${counter - 1}^^2.999.59.10^ISO`;
    expect(lines(last()).slice(2)).toEqual([
      `ORC|OK|${placer}||||||||||${xcn('DR')}|||||PLATEFORME_TLR^^TLR_TYPE_ORGANISATION||||${xon}`,
      `OBR|1|${placer}||REPONSE_DEMANDE^Réponse à une demande d’examen^TLR_OBR_PROCEDURE||||||||||||${xcn('DR')}`,
      'OBX|1|FT|PROTOCOLE_IMAGERIE^Protocole^TLR_OBSERVATION|1|Sans injection \\F\\ coupes 1 mm\\.br\\Si négatif : angio||||||F',
      'OBX|2|FT|PROTOCOLE_IMAGERIE^Protocole^TLR_OBSERVATION|2|Diffusion \\T\\ T2*||||||F',
    ]);
  });

  it('writes the line ends of any keyboard as HL7 does', async () => {
    const focus = await makeCase();
    await write(async (tx) => {
      const task = (await tx.read('Task', focus.replace('Task/', ''))) as Task & { id: string };
      const output = task.output?.map((each) =>
        each.valueString ? { ...each, valueString: 'un\r\ndeux\rtrois' } : each,
      );
      await tx.update<Task>({ ...task, output });
    });
    await destination.deliver(delivery('request-answer', focus));
    expect(segment(last(), 'OBX')[5]).toBe('un\\.br\\deux\\.br\\trois');
  });

  it('names the patient as PAM-FR does, the INS only when the identity is qualified', async () => {
    await destination.deliver(delivery('request-answer', await makeCase()));
    const pid = segment(last(), 'PID');
    expect(pid[3]).toMatch(
      /^IPP-\d+\^\^\^CH-TEST&590099991&N\^PI~190027505600114\^\^\^ASIP-SANTE-INS-NIR&1\.2\.250\.1\.213\.1\.4\.10&ISO\^INS$/,
    );
    expect(pid[5]).toBe('TEST-DUPRE^MARIN^MARIN ELIE^^^^L~TEST-NOUR^ELIE^^^^^D');
    expect([pid[7], pid[8], pid[11], pid[13], pid[18], pid[32]]).toEqual([
      '19900214',
      'M',
      '4 QUAI^^LILLE^^59000^FRA^H~^^^^^^BDL^^75056',
      '^PRN^CP^^^^^^^^^0600000002',
      'DOS-77^^^CH-TEST^AN',
      'VALI',
    ]);
    const provisional = [
      {
        url: 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability',
        extension: [{ url: 'identityStatus', valueCoding: { code: 'PROV' } }],
      },
    ];
    await destination.deliver(delivery('request-answer', await makeCase({ patient: { extension: provisional } })));
    expect(segment(last(), 'PID')[3]).not.toContain('INS');
    expect(segment(last(), 'PID')[32]).toBe('PROV');
  });

  it.each([
    ['whose type nobody wrote, of an identity that is not qualified', { type: undefined }, { extension: undefined }],
    [
      'whose key is wrong',
      { system: 'urn:oid:1.2.250.1.213.1.4.8', type: frenchType('INS-NIR'), value: '190027505600115' },
      {},
    ],
    ['under a type that is not its system’s', { type: frenchType('INS-NIR') }, {}],
    ['under the type of a number of the hospital', { type: type('PI') }, {}],
    ['of traits that are not whole', {}, { birthDate: '1990-02' }],
  ])('leaves out an INS %s', async (_what, ins, change) => {
    const id = await makeCase();
    const [task] = await rooms.store.search(tenant, 'Task', `_id=${id.replace('Task/', '')}`);
    const patientId = task?.for?.reference?.split('/')[1] ?? '';
    await rooms.store.transaction(systemContext(tenant, 'test', systemClock), async (tx) => {
      const patient = await tx.read('Patient', patientId);
      const numbers = patient.identifier!.map((each) =>
        each.system?.startsWith('urn:oid:1.2.250.1.213') ? { ...each, ...ins } : each,
      );
      await tx.update({ ...patient, ...change, identifier: numbers });
    });
    await destination.deliver(delivery('request-answer', id));
    expect(segment(last(), 'PID')[3]).toMatch(/^IPP-\d+\^\^\^CH-TEST&590099991&N\^PI$/);
  });

  it('of a refused request is OC with the reason and no OBX', async () => {
    const focus = await makeCase({
      task: { status: 'rejected', statusReason: { text: 'Examen ^ non justifié' }, output: undefined },
    });
    await destination.deliver(delivery('request-answer', focus));
    expect(names(last())).toBe('MSH PID ORC OBR');
    expect([segment(last(), 'ORC')[1], segment(last(), 'ORC')[16]]).toEqual(['OC', '^Examen \\S\\ non justifié']);
  });

  it('names who decided, not who owns the case since', async () => {
    const focus = await makeCase();
    const child = await write((tx) =>
      tx.create<Task>({
        resourceType: 'Task',
        status: 'requested',
        intent: 'order',
        requester: { reference: 'Practitioner/autre' },
      }),
    );
    await destination.deliver(delivery('request-answer', focus, { task: `Task/${child.id}` }));
    expect(segment(last(), 'ORC')[12]).toContain('TEST-AUTRE');
  });

  it('of a case without protocol fails with a reason people can read', async () => {
    const result = await destination.deliver(
      delivery('request-answer', await makeCase({ task: { output: undefined } })),
    );
    expect(result).toEqual({ status: 'failed', reason: 'Le dossier n’a ni protocole ni refus à transmettre.' });
    expect(ris.received).toHaveLength(0);
  });
});

describe('the report', () => {
  it('of a case that turned out to be an error never leaves, not even when it was made ready before', async () => {
    const sent = delivery('report-mdm', await makeCase());
    ris.answer = () => undefined;
    open({ answerMs: 50 });
    expect(await destination.deliver(sent)).toMatchObject({ status: 'retry' });
    await write(async (tx) => {
      const task = await tx.read('Task', sent.focus.replace('Task/', ''));
      await tx.update({ ...task, status: 'entered-in-error' });
    });
    ris.answer = (id) => `MSA|AA|${id}`;
    const before = ris.received.length;
    expect(await destination.deliver(sent)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('erroné'),
    });
    expect(ris.received).toHaveLength(before);
  });

  it('leaves as MDM^T02 with the CDA octet for octet, its sender and its flags in order', async () => {
    const sent = delivery('report-mdm', await makeCase());
    expect(await destination.deliver(sent)).toMatchObject({ status: 'delivered' });
    expect(names(last())).toBe(`MSH EVN PID PV1 ORC OBR TXA OBX PRT${' OBX'.repeat(10)}`);
    const header = segment(last(), 'MSH');
    expect([header[8], header[11], header[20]]).toEqual(['MDM^T02^MDM_T02', '2.6', '2.1^CISIS_CDA_HL7_V2']);
    expect(segment(last(), 'PV1').join('|')).toBe(`PV1|1|E${'|'.repeat(17)}RDV-1^^^CH-TEST&590099983&M^VN`);
    expect(segment(last(), 'ORC').join('|')).toBe('ORC|NW');
    expect(segment(last(), 'OBR').join('|')).toBe("OBR|1|||18748-4^CR d'imagerie médicale^LN");
    expect(segment(last(), 'TXA').join('|')).toBe(`TXA|1|18748-4|TEXT|||||||||2.25.${200 + counter - 1}|||||AU`);
    const [document, ...flags] = lines(last())
      .filter((line) => line.startsWith('OBX'))
      .map((line) => line.split('|'));
    expect(document?.slice(0, 5)).toEqual(['OBX', '1', 'ED', "18748-4^CR d'imagerie médicale^LN", '']);
    expect(document?.[5]).toBe(`^text^XML^Base64^${cda.toString('base64')}`);
    expect(document?.[11]).toBe('F');
    expect(segment(last(), 'PRT').join('|')).toBe(`PRT||UC||SB^Send by^participation|${xcn('')}|||${xon}`);
    expect(flags.map((flag) => [flag[1], flag[2], flag[3]?.split('^')[0], flag[3]?.split('^')[2], flag[11]])).toEqual(
      [
        'MASQUE_PS',
        'INVISIBLE_PATIENT',
        'INVISIBLE_REP_LEGAUX',
        'CONNEXION_SECRETE',
        'MODIF_CONF_CODE',
        'DESTDMP',
        'DESTMSSANTEPS',
        'DESTMSSANTEPAT',
        'ACK_RECEPTION',
        'ACK_LECTURE_MSS',
      ].map((code, index) => [String(index + 2), 'CWE', code, 'MetaDMPMSS', 'F']),
    );
    expect(flags.every((flag) => /^[YN]\^\^expandedYes-NoIndicator$/.test(flag[5] ?? ''))).toBe(true);
  });

  it('leaves as ORU^R01 in HL7 2.5 where the establishment wants it so', async () => {
    await destination.deliver(delivery('report-oru', await makeCase()));
    expect(names(last())).toBe(`MSH PID PV1 ORC OBR OBX PRT${' OBX'.repeat(10)}`);
    expect([segment(last(), 'MSH')[8], segment(last(), 'MSH')[11]]).toEqual(['ORU^R01^ORU_R01', '2.5']);
    expect(segment(last(), 'OBX')[5]?.startsWith('^TEXT^XML^Base64^')).toBe(true);
    expect(lines(last()).at(-1)?.split('|')[2]).toBe('CE');
  });

  it('that replaces another says so everywhere', async () => {
    await destination.deliver(delivery('report-mdm', await makeCase({ replaced: true })));
    expect(segment(last(), 'MSH')[8]).toBe('MDM^T10^MDM_T02');
    expect([segment(last(), 'ORC')[1], segment(last(), 'TXA')[13], segment(last(), 'OBX')[11]]).toEqual([
      'RO',
      '2.25.100',
      'C',
    ]);
  });

  it('whose octets are not those that were signed does not leave', async () => {
    const focus = await makeCase();
    await write(async (tx) => {
      const task = await tx.read('Task', focus.slice(5));
      const reference = task.output?.find((each) => each.valueReference)?.valueReference?.reference ?? '';
      const document = await tx.read('DocumentReference', reference.split('/')[1] ?? '');
      const binary = document.content[0]?.attachment.url?.split('/')[1] ?? '';
      await tx.update<Binary>({
        ...(await tx.read('Binary', binary)),
        data: Buffer.from('<autre/>').toString('base64'),
      });
    });
    expect(await destination.deliver(delivery('report-mdm', focus))).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('empreinte'),
    });
    expect(ris.received).toHaveLength(0);
  });
});

describe('a scanned page', () => {
  const pdf = Buffer.from('%PDF-1.4 ordonnance');
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);

  /** A document of a case, and the child Task that sends it. */
  async function attached(files: readonly Buffer[], code = 'prescription'): Promise<DeliveryItem> {
    const focus = await makeCase();
    return write(async (tx) => {
      const task = await tx.read('Task', focus.slice('Task/'.length));
      const content = [];
      for (const file of files) {
        const data = file.toString('base64');
        const binary = await tx.create<Binary>({ resourceType: 'Binary', contentType: 'application/pdf', data });
        content.push({ attachment: { contentType: 'application/pdf', url: `Binary/${binary.id}` } });
      }
      const document = await tx.create<DocumentReference>({
        resourceType: 'DocumentReference',
        status: 'current',
        date: '2026-05-12T08:00:00Z',
        type: { coding: [{ system: `${base}/CodeSystem/attachment-kind`, code }] },
        subject: task.for as DocumentReference['subject'],
        content,
      });
      const child = await tx.create<Task>({
        resourceType: 'Task',
        status: 'requested',
        intent: 'order',
        input: [
          item('attachment', { valueReference: { reference: `DocumentReference/${document.id}` } }),
        ] as Task['input'],
      });
      return { ...delivery('attachment-mdm', focus), task: `Task/${child.id}` };
    });
  }

  it('leaves as MDM^T02 with the file itself, under its own type, for the request it belongs to', async () => {
    const sent = await attached([pdf, jpeg]);
    expect(await destination.deliver(sent)).toMatchObject({ status: 'delivered', evidence: `MSA|AA|${sent.id}` });
    expect(names(last())).toBe('MSH EVN PID PV1 ORC OBR TXA OBX OBX');
    expect(segment(last(), 'ORC').slice(1, 3)).toEqual(['NW', `DEM-${counter - 1}^^2.999.59.10^ISO`]);
    const txa = segment(last(), 'TXA');
    expect([txa[2], txa[4], txa[17]]).toEqual(['55115-0', '20260512100000', 'AU']);
    expect(txa[12]).toBe(`2.25.${BigInt(`0x${sent.task?.slice('Task/'.length).replaceAll('-', '')}`)}`);
    const values = lines(last())
      .filter((line) => line.startsWith('OBX'))
      .map((line) => line.split('|')[5]);
    expect(values).toEqual([
      `^application^PDF^Base64^${pdf.toString('base64')}`,
      `^image^JPEG^Base64^${jpeg.toString('base64')}`,
    ]);
  });

  it('needs nobody who reads the case, and says what it is', async () => {
    const sent = await attached([pdf], 'consent');
    await write(async (tx) => {
      const { owner: _owner, ...task } = await tx.read('Task', sent.focus.slice('Task/'.length));
      await tx.update(task as Task & { id: string });
    });
    expect(await destination.deliver(sent)).toMatchObject({ status: 'delivered' });
    expect(segment(last(), 'OBR')[4]).toBe('59284-0^Consentement du patient^LN');
  });

  it('that is neither PDF nor JPEG, or was marked as an error, is not sent', async () => {
    expect(await destination.deliver(await attached([Buffer.from('<html>')]))).toMatchObject({ status: 'failed' });
    const sent = await attached([pdf]);
    await write(async (tx) => {
      const child = await tx.read('Task', sent.task?.slice('Task/'.length) ?? '');
      const id = child.input?.[0]?.valueReference?.reference?.split('/')[1] ?? '';
      await tx.update({ ...(await tx.read('DocumentReference', id)), status: 'entered-in-error' });
    });
    expect(await destination.deliver(sent)).toMatchObject({ status: 'failed' });
    expect(ris.received).toEqual([]);
  });
});

describe('an acknowledgement', () => {
  it('AE is a failure with the text of the other side', async () => {
    ris.answer = (id) => `MSA|AE|${id}\rERR||OBX^1^5|102^Data type error^messageErrorCondition|E||||Document illisible`;
    const sent = delivery('request-answer', await makeCase());
    expect(await destination.deliver(sent)).toEqual({
      status: 'failed',
      reason: 'Message refusé (AE) 102 – Document illisible – OBX^1^5',
      evidence: `MSA|AE|${sent.id}`,
    });
  });

  it.each([
    ['8859/15', 'latin1' as const],
    ['UNICODE UTF-8', 'utf8' as const],
    ['', 'utf8' as const],
    ['', 'latin1' as const],
  ])(
    'announced as "%s" and written in %s is told in readable words, wherever they stand',
    async (charset, encoding) => {
      Object.assign(ris, { charset, encoding });
      ris.answer = (id) => `MSA|AE|${id}|Patient décédé \\T\\ fermé`;
      const sent = delivery('request-answer', await makeCase());
      expect(await destination.deliver(sent)).toEqual({
        status: 'failed',
        reason: 'Message refusé (AE) Patient décédé & fermé',
        evidence: `MSA|AE|${sent.id}|Patient décédé \\T\\ fermé`,
      });
    },
  );

  it('AR is tried again', async () => {
    ris.answer = (id) => `MSA|AR|${id}\rERR|||207^x^y|E`;
    expect(await destination.deliver(delivery('request-answer', await makeCase()))).toMatchObject({ status: 'retry' });
  });

  it('of another message is not taken for ours: without an answer in time the item waits', async () => {
    open({ answerMs: 200 });
    ris.answer = () => 'MSA|AA|SOMETHING-ELSE';
    expect(await destination.deliver(delivery('request-answer', await makeCase()))).toMatchObject({
      status: 'retry',
      reason: expect.stringContaining('pas d’accusé dans le temps prévu'),
    });
  });

  it('of another event is ours all the same when MSA-2 says so', async () => {
    ris.answer = (id) => `MSA|CA|${id}`;
    expect(await destination.deliver(delivery('request-answer', await makeCase()))).toMatchObject({
      status: 'delivered',
    });
  });
});

describe('another attempt', () => {
  it('sends the same octets, and none once the message was acknowledged', async () => {
    const sent = delivery('report-mdm', await makeCase());
    ris.answer = (id) => `MSA|AR|${id}`;
    await destination.deliver(sent);
    await destination.close();
    open();
    ris.answer = (id) => `MSA|AA|${id}`;
    await destination.deliver({ ...sent, attempts: 2 });
    expect(ris.received).toHaveLength(2);
    expect(ris.received[1]).toEqual(ris.received[0]);
    expect(await destination.deliver({ ...sent, attempts: 3 })).toMatchObject({ status: 'delivered' });
    expect(ris.received).toHaveLength(2);
    const kept = (await storedMessages(rooms.database)).filter((row) => row.control_id === sent.id);
    expect(kept).toMatchObject([{ direction: 'out', outcome: 'AA', message_type: 'MDM^T02', raw: ris.received[0] }]);
  });

  it('after a refusal tells the case as it is now: the correction leaves, not the octets that were refused', async () => {
    const focus = await makeCase();
    const sent = delivery('request-answer', focus);
    ris.answer = (id) => `MSA|AE|${id}\rERR||PID^1^8|103^x^y|E`;
    expect(await destination.deliver(sent)).toMatchObject({ status: 'failed' });
    await write(async (tx) => {
      const task = await tx.read('Task', focus.replace('Task/', ''));
      const patient = await tx.read('Patient', (task as Task).for?.reference?.replace('Patient/', '') ?? '');
      await tx.update<Patient>({ ...(patient as Patient), gender: 'female' });
    });
    ris.answer = (id) => `MSA|AR|${id}`;
    expect(await destination.deliver({ ...sent, attempts: 2 })).toMatchObject({ status: 'retry' });
    expect([segment(last(), 'MSH')[9], segment(last(), 'PID')[8]]).toEqual([sent.id, 'F']);
    ris.answer = (id) => `MSA|AA|${id}`;
    expect(await destination.deliver({ ...sent, attempts: 3 })).toMatchObject({ status: 'delivered' });
    expect(ris.received.at(-1)).toEqual(ris.received.at(-2));
    expect(await destination.deliver({ ...sent, attempts: 4 })).toMatchObject({ status: 'delivered' });
    expect(ris.received).toHaveLength(3);
    const kept = (await storedMessages(rooms.database)).filter((row) => row.control_id === sent.id);
    expect(kept.map((row) => row.outcome)).toEqual(['AE', 'AA']);
  });

  it('follows the endpoint where it moved, and waits while it is away', async () => {
    const sent = delivery('request-answer', await makeCase());
    await moveRis(1);
    expect(await destination.deliver(sent)).toMatchObject({
      status: 'retry',
      reason: expect.stringContaining('RIS injoignable'),
    });
    await moveRis(ris.port);
    expect(await destination.deliver(sent)).toMatchObject({ status: 'delivered' });
  });

  it('uses the same connection while it lasts', async () => {
    await destination.deliver(delivery('request-answer', await makeCase()));
    await destination.deliver(delivery('request-answer', await makeCase()));
    expect(ris.connections).toBe(1);
  });

  it('waits for an establishment without an active MLLP endpoint', async () => {
    const focus = await makeCase();
    const off = (status: Endpoint['status']) =>
      write(async (tx) => tx.update<Endpoint>({ ...(await tx.read('Endpoint', 'ris')), status }));
    await off('off');
    expect(await destination.deliver(delivery('request-answer', focus))).toMatchObject({
      status: 'retry',
      reason: expect.stringContaining('Endpoint'),
    });
    await off('active');
  });
});

it('what was read for a message is told to the audit trail, and nothing of it to the log', async () => {
  const audited: string[] = [];
  open({
    auditRead: async (context, access) => {
      audited.push(context.interaction, ...access.resources.map((resource) => resource.resourceType));
    },
  });
  await destination.deliver(delivery('report-mdm', await makeCase()));
  expect(audited).toEqual([
    'hl7v2:report-mdm',
    'Task',
    'ServiceRequest',
    'Patient',
    'Practitioner',
    'DocumentReference',
  ]);
  expect(log.lines.join()).not.toContain('TEST-DUPRE');
});
