/** The fixtures shared by the project, when they are beside the repository: every answer of expected.tsv, and its effects. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readHeader } from '../../../src/adapters/hl7v2/acknowledgement.ts';
import { connectMllp, type Mllp, sendMessage } from '../../../src/adapters/hl7v2/index.ts';
import { systemClock } from '../../../src/config/index.ts';
import type { Delivery } from '../../../src/delivery/contract.ts';
import { type Context, systemContext } from '../../../src/fhir/index.ts';
import type { Imaging } from '../../../src/imaging/contract.ts';
import type { ReportRoom, Signer } from '../../../src/report/contract.ts';
import { createTeleradiology } from '../../../src/teleradiology/index.ts';
import { addHospital, establishment, listen, openHospital, recordingLog, segment, storedMessages } from './hospital.ts';

const folder = join(import.meta.dirname, '../../../../shared/fixtures/hl7v2');
const present = existsSync(join(folder, 'expected.tsv'));

interface Row {
  file: string;
  family: string;
  after: string[];
  msa1: string;
  ackType: string;
  msa2: string;
  err: string;
}

function rows(): Row[] {
  if (!present) return [];
  return readFileSync(join(folder, 'expected.tsv'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .slice(1)
    .map((line) => {
      const [file = '', family = '', after = '', msa1 = '', ackType = '', msa2 = '', err = ''] = line.split('\t');
      return { file, family, after: after === '-' ? [] : after.split(','), msa1, ackType, msa2, err };
    });
}

/** The file as it goes on the wire: published ones end their segments with LF. */
function message(file: string): Buffer {
  const text = readFileSync(join(folder, file)).toString('latin1');
  return Buffer.from(text.includes('\r') ? text : text.replaceAll('\n', '\r'), 'latin1');
}

/** The real domain on one database; images, documents and deliveries play no part in these flows. */
async function openDomain() {
  const rooms = await openHospital([]);
  const nobody = () => Promise.reject(new Error('not part of these flows'));
  const imaging: Imaging = { store: nobody, onStudy: () => undefined, quarantine: nobody, liftQuarantine: nobody };
  const report: ReportRoom = { lint: () => [], build: nobody };
  let items = 0;
  const delivery: Delivery = {
    enqueue: async () => `ITEM${++items}`,
    hold: async () => undefined,
    release: async () => undefined,
    registerDestination: () => undefined,
    onOutcome: () => undefined,
    start: async () => undefined,
    stop: async () => undefined,
    replay: async () => undefined,
  };
  const teleradiology = createTeleradiology({
    ...rooms,
    imaging,
    report,
    delivery,
    clock: systemClock,
    signerFor: nobody as () => Promise<Signer>,
    log: recordingLog(),
  });
  return { ...rooms, teleradiology };
}

type Domain = Awaited<ReturnType<typeof openDomain>>;

/** Every row starts from an empty store: a tenant of its own, whose hospital every sender of the row belongs to. */
async function openTenant(domain: Domain, tenant: string) {
  await domain.database.addTenant(tenant, tenant);
  await addHospital(domain.store, tenant, []);
  const acceptUnknownLoopback = { tenant, organizationId: establishment };
  const mllp = await listen(domain, domain.teleradiology, { acceptUnknownLoopback });
  return { ...domain, tenant, mllp };
}

type Opened = Awaited<ReturnType<typeof openTenant>>;

/** A radiologist accepts, as the comment of the fixtures asks before a flow 4. */
async function protocol({ store, tenant }: Opened): Promise<void> {
  const operation = store.operations.find((candidate) => candidate.name === 'protocol');
  const [task] = await store.search(tenant, 'Task', 'code=teleradiology-case');
  if (!operation || !task?.id) throw new Error('nothing to accept');
  const context: Context = {
    ...systemContext(tenant, 'operation:Task/$protocol', systemClock),
    actor: {
      reference: 'Practitioner/radiologue',
      display: 'Dr TEST',
      account: 'radiologue',
      kind: 'person',
      roles: ['radiologist'],
    },
  };
  await store.transaction(context, (tx) =>
    operation.run({
      tx,
      id: task.id,
      base: 'http://localhost/fhir',
      query: '',
      authorize: () => undefined,
      isAllowed: () => true,
      parameters: { resourceType: 'Parameters', parameter: [{ name: 'text', valueString: 'Sans injection' }] },
    }),
  );
}

async function send(mllp: Mllp, file: string): Promise<Buffer> {
  return sendMessage({ host: '127.0.0.1', port: mllp.port, answerMs: 20_000 }, message(file));
}

async function onlyCase({ store, tenant }: Opened): Promise<Task> {
  const cases = await store.search(tenant, 'Task', 'code=teleradiology-case');
  expect(cases).toHaveLength(1);
  return cases[0] as Task;
}

const stateOf = (task: Task) => task.businessStatus?.coding?.[0]?.code;
const input = (task: Task, code: string) =>
  task.input?.find((each) => each.type.coding?.some((coding) => coding.code === code));

function checkRequest(placer: string) {
  return async (opened: Opened) => {
    const { store, tenant } = opened;
    const task = await onlyCase(opened);
    expect(task.groupIdentifier?.value).toBe(placer);
    const [request] = await store.search(tenant, 'ServiceRequest', `identifier=${placer}`);
    const [patient] = await store.search(tenant, 'Patient', '_count=2');
    const observations = await store.search(tenant, 'Observation', '_count=10');
    return {
      task,
      request,
      patient,
      history: observations.find((each) => each.valueString)?.valueString,
      observations,
    };
  };
}

const ct = checkRequest('DEM-2026-004512');
const effects: Record<string, (opened: Opened) => Promise<void>> = {
  'synthetic/teleradiology/flux1-orm-o01-nw.hl7': async (opened) => {
    const { task, request, patient, history, observations } = await ct(opened);
    expect(stateOf(task)).toBe('protocol-wanted');
    expect(request?.identifier?.[0]).toMatchObject({ system: 'urn:oid:2.999.33.10' });
    expect(request?.orderDetail?.[0]?.coding?.[0]?.code).toBe('CT');
    expect(request?.bodySite?.[0]?.coding?.[0]?.code).toBe('774007');
    expect(request?.note?.map((note) => note.text)).toEqual([
      'Éliminer une hémorragie sous-arachnoïdienne avant ponction lombaire',
      'Sans puis avec injection si doute',
    ]);
    expect(history).toBe('Migraine connue.\nAllergie iode non documentée.');
    expect(observations).toHaveLength(4);
    expect(patient?.identifier?.map((each) => each.value)).toEqual(
      expect.arrayContaining(['0000451234', '285043306321776']),
    );
    expect(input(task, 'encounter-class')?.valueCode).toBe('E');
    expect(input(task, 'callback')?.valueString).toBe('0556000000');
    expect(input(task, 'appointment')?.valueIdentifier?.value).toBe('RDV-2026-000871');
  },
  'synthetic/teleradiology/flux1-orm-o01-nw-8859-15.hl7': async (opened) => {
    const { history, request } = await ct(opened);
    expect(history?.startsWith('Œdème de Quincke en 2019, migraine connue.')).toBe(true);
    expect(request?.reasonCode?.[0]?.text).toContain('Céphalée brutale inhabituelle');
  },
  'ans/teleradiology/flux1-orm-o01-nw.er7': async (opened) => {
    const { task, request, patient } = await checkRequest('OPN101')(opened);
    expect(request?.authoredOn).toBe('2026-01-06T12:44:18Z');
    expect(request?.bodySite?.map((site) => site.coding?.[0]?.code)).toEqual(['774007', '24028007']);
    expect(patient?.identifier?.map((each) => each.value)).toEqual(['279035121518989']);
    expect(input(task, 'appointment')?.valueIdentifier?.value).toBe('000897406');
    const [requester] = await opened.store.search(
      opened.tenant,
      'Practitioner',
      'identifier=https://rpps.esante.gouv.fr|01234567897',
    );
    expect(requester?.name?.[0]).toMatchObject({ family: 'Hoda', given: ['Adam'] });
  },
  'ans/teleradiology/flux3-oru-r01-ok-base64.er7': async (opened) => {
    const { store, tenant } = opened;
    expect(stateOf(await onlyCase(opened))).toBe('protocol-wanted');
    expect(await store.search(tenant, 'Communication', '_count=5')).toEqual([]);
  },
  'synthetic/teleradiology/flux2-orm-o01-ca.hl7': async (opened) => {
    const task = await onlyCase(opened);
    expect(stateOf(task)).toBe('cancelled');
    expect(task.statusReason?.text).toBe('Patient transféré vers un centre de recours');
  },
  'synthetic/teleradiology/flux3-oru-r01-ok-ft.hl7': async ({ store, tenant }) => {
    const [answer] = await store.search(tenant, 'Communication', '_count=5');
    expect(answer?.payload?.map((each) => each.contentString)).toEqual([
      'TDM cérébral sans injection, coupes 1 mm.\nSi négatif : angioscanner du polygone de Willis.',
    ]);
    expect(answer?.sender).toMatchObject({
      identifier: { value: '99700990031' },
      display: 'NOA TEST-TELERADIO, PASSERELLE EXEMPLE',
    });
  },
  'synthetic/teleradiology/flux4-omi-o23-ct-one-exam.hl7': async (opened) => {
    const { store, tenant } = opened;
    const task = await onlyCase(opened);
    expect(input(task, 'partial-viewer-url')?.valueUrl).toBe(
      'https://drimbox.ch-exemple.fr/viewer?requestType=STUDY&studyUID=2.25.180306273512948162037465928374610293847&accessionNumber=ACN26-09001',
    );
    expect(input(task, 'retention-days')?.valueInteger).toBe(730);
    expect(input(task, 'act')?.valueCodeableConcept?.coding?.[0]?.code).toBe('30799-1');
    const [request] = await store.search(tenant, 'ServiceRequest', 'identifier=urn:oid:2.999.33.20|ACN26-09001');
    expect(request?.id).toBeDefined();
  },
  'synthetic/teleradiology/flux4-omi-o23-pet-with-product.hl7': async ({ store, tenant }) => {
    const [product] = await store.search(tenant, 'MedicationAdministration', '_count=5');
    expect(product?.contained?.[0]).toMatchObject({
      batch: { lotNumber: 'FDG-26133-A' },
      code: { coding: [{ code: 'V09' }] },
    });
    expect(product?.dosage?.dose).toMatchObject({ value: 245, unit: 'MBq' });
  },
};

describe.runIf(present)('the shared fixtures', () => {
  let domain: Domain;
  let later: Opened;
  beforeAll(async () => {
    domain = await openDomain();
    later = await openTenant(domain, 'later');
  });
  afterAll(async () => {
    await later.mllp.close();
    await domain.database.close();
  });

  const teleradiology = rows().filter((row) => row.family === 'teleradiology');
  it.each(teleradiology.map((row, index) => ({ ...row, index })))(
    '$file is answered $msa1 and has its effect',
    async (row) => {
      const opened = await openTenant(domain, `row-${row.index}`);
      try {
        for (const file of row.after) {
          const earlier = await send(opened.mllp, file);
          // Messages of families that come later are refused; the request makes its patient known by itself.
          if (file.includes('/teleradiology/')) expect(segment(earlier, 'MSA')[1]).toBe('AA');
        }
        if (row.file.includes('flux4')) await protocol(opened);
        const answer = await send(opened.mllp, row.file);
        expect(segment(answer, 'MSA').slice(1, 3)).toEqual([row.msa1, row.msa2]);
        expect(segment(answer, 'MSH')[8]).toBe(row.ackType);
        expect(segment(answer, 'MSH')[11]).toBe('2.5.1');
        if (row.err !== '-') {
          const [codes = '', where] = row.err.split(' ');
          expect(codes.split('/')).toContain(segment(answer, 'ERR')[3]?.split('^')[0]);
          expect(segment(answer, 'ERR')[2]).toBe(where);
        }
        expect(effects[row.file], 'every row has its effect checked').toBeDefined();
        await effects[row.file]?.(opened);
        // Sent again, the same octets change nothing.
        expect(await send(opened.mllp, row.file)).toEqual(answer);
        await effects[row.file]?.(opened);
      } finally {
        await opened.mllp.close();
      }
    },
  );

  it.each(rows().filter((row) => !['teleradiology', 'ack'].includes(row.family)))(
    '$file, of a family that comes later, is refused by name and kept',
    async (row) => {
      const answer = await send(later.mllp, row.file);
      expect(['AE', 'AR']).toContain(segment(answer, 'MSA')[1]);
      expect(segment(answer, 'MSA')[2]).toBe(row.msa2);
      expect(['200', '201']).toContain(segment(answer, 'ERR')[3]?.split('^')[0]);
      expect(segment(answer, 'ERR')[8]).toMatch(/^(Type de message|Événement) non pris en charge : [A-Z]{3} [A-Z]\d\d/);
      expect(segment(answer, 'MSH')[8]).toBe(row.ackType);
      const version = /^(MDM|ZAM)/.test(readHeader(message(row.file)).type) ? '2.6' : '2.5';
      expect(segment(answer, 'MSH')[11]).toBe(version);
      expect(await kept(row.file)).toMatch(/^A[ER]$/);
    },
  );

  it.each(rows().filter((row) => row.family === 'ack'))(
    '$file, an acknowledgement, is kept and not acknowledged',
    async (row) => {
      const ack = message(row.file);
      const { controlId } = readHeader(ack);
      const client = await connectMllp({ host: '127.0.0.1', port: later.mllp.port, answerMs: 20_000 });
      const unanswered = client.send(ack).then(
        () => 'answered',
        () => 'not answered',
      );
      // One connection is answered in order: once the next message has its answer, no answer to the acknowledgement will come.
      await client.send(Buffer.from(`MSH|^~\\&|A|B|C|D|2026||ADT^A01|N${controlId}|T|2.5\r`));
      await client.close();
      expect(await unanswered).toBe('not answered');
      expect(await kept(row.file)).toBe('noted');
    },
  );

  async function kept(file: string): Promise<string | undefined> {
    const octets = message(file);
    return (await storedMessages(domain.database, later.tenant)).find((row) => row.raw.equals(octets))?.outcome;
  }
});
