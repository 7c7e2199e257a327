/** A report that left and was an error, withdrawn from the software of the hospital: the domain, the queue and the wire together. */
import type { Communication, Endpoint, Organization, Patient, Task } from '@medplum/fhirtypes';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RisDestination, risDestination } from '../../src/adapters/hl7v2/index.ts';
import { createDelivery, type DeliveryRoom } from '../../src/delivery/index.ts';
import { type FhirTransaction, systemContext } from '../../src/fhir/index.ts';
import { openRis } from '../adapters/hl7v2/ris.ts';
import { outputs, refusal, signedCase, stateOf } from './support/requests.ts';
import { createWorld, hospital, tenant, type World } from './support/world.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const reason = { reason: 'Compte rendu dicté pour un autre patient' };
const base = 'https://fhir.passerelle.example';

let world: World;
let delivery: DeliveryRoom;
let destination: RisDestination;
let ris: Awaited<ReturnType<typeof openRis>>;

const system = (name: string, interaction: string) => systemContext(name, interaction, world.clock);
const write = <T>(work: (tx: FhirTransaction) => Promise<T>) =>
  world.store.transaction(system(tenant, 'system:test'), work);

beforeAll(async () => {
  world = await createWorld('2026-05-12T06:10:00Z', [], async ({ database, store, clock }) => {
    delivery = createDelivery({ database, store, clock, sweepEveryMs: 0, random: () => 0.5 });
    destination = risDestination({ database, store, clock, log });
    delivery.registerDestination(destination);
    return { delivery };
  });
  await write((tx) =>
    tx.create({
      resourceType: 'Device',
      id: 'ris-ch',
      identifier: [{ system: `${base}/sid/hl7v2-sender`, value: 'RIS-TEST|CH-TEST' }],
      owner: { reference: 'Organization/ch-exemple' },
    }),
  );
  await delivery.start(system);
});
afterAll(async () => {
  await delivery.stop();
  await destination.close();
  await world.close();
});

beforeEach(async () => {
  ris = await openRis();
  await listensOn(ris.port);
  await settings([]);
});
afterEach(() => ris.close());

const listensOn = (port: number) =>
  write((tx) =>
    tx.update<Endpoint>({
      resourceType: 'Endpoint',
      id: 'ris-ch',
      status: 'active',
      connectionType: { system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type', code: 'hl7v2-mllp' },
      payloadType: [{ text: 'HL7 v2' }],
      address: `mllp://127.0.0.1:${port}`,
    }),
  );
const settings = (values: Record<string, unknown>[]) =>
  write((tx) => tx.update<Organization>({ ...hospital(values), endpoint: [{ reference: 'Endpoint/ris-ch' }] }));

const pass = async (minutes: number): Promise<void> => {
  world.clock.pass(minutes * 60_000);
  await world.room.sweep();
  await delivery.sweep();
};

/** Signed; what becomes of it is up to the hospital. */
const signed = () => signedCase(world, false);
/** Signed, sent and acknowledged. */
async function delivered() {
  const made = await signed();
  await delivery.sweep();
  expect(stateOf(await world.task(made.id))).toBe('delivered');
  return made;
}
async function amend(id: string): Promise<void> {
  await world.operate('radiologist', 'open-addendum', id, { reason: 'Antériorités reçues' });
  await world.operate('radiologist', 'claim-addendum', id);
  await world.operate('radiologist', 'sign-addendum', id, { reason: 'Antériorités reçues', nature: 'amended' });
}
async function foundToBeAnError(id: string): Promise<void> {
  await world.operate('radiologist', 'declare-error', id, reason);
  await world.operate('quality', 'enter-in-error', id, reason);
}

const lines = (message: Buffer) => message.toString('utf8').split('\r');
const fields = (message: Buffer | undefined, name: string) =>
  lines(message ?? Buffer.alloc(0))
    .find((line) => line.startsWith(`${name}|`))
    ?.split('|') ?? [];
const type = (message: Buffer) => fields(message, 'MSH')[8]?.split('^').slice(0, 2).join('^');
const last = () => ris.received.at(-1) ?? Buffer.alloc(0);
/** Documents the hospital was given or told to delete, in order. */
const reports = () =>
  ris.received.filter((message) => type(message)?.startsWith('MDM') || fields(message, 'OBX')[2] === 'ED');
const types = () => reports().map(type);
const withdrawals = async (id: string): Promise<Task[]> =>
  (await world.store.search(tenant, 'Task', `part-of=Task/${id}`)).filter((child) =>
    child.input?.some((each) => each.type.coding?.[0]?.code === 'withdraws'),
  );
const told = async (id: string, category: string): Promise<Communication[]> =>
  (await world.store.search(tenant, 'Communication', `category=${category}&_count=1000`)).filter(
    (each) => each.about?.[0]?.reference === `Task/${id}`,
  );

describe('a delivered report that turns out to be an error', () => {
  it('is deleted at the hospital by the document, the patient and the codes it was sent with', async () => {
    const { id } = await delivered();
    const task = await world.task(id);
    await write(async (tx) => {
      const patient = (await tx.read('Patient', task.for?.reference?.split('/')[1] ?? '')) as Patient & { id: string };
      await tx.update({ ...patient, name: [{ use: 'official', family: 'TEST-CORRIGE', given: ['CAMILLE'] }] });
    });
    await foundToBeAnError(id);
    await delivery.sweep();
    expect(types()).toEqual(['MDM^T02', 'MDM^T04']);
    const [sent, withdrawn] = reports();
    for (const same of ['PID', 'PV1', 'OBR', 'TXA', 'PRT']) expect(fields(withdrawn, same)).toEqual(fields(sent, same));
    expect(fields(sent, 'PID')[5]).toContain('TEST-MOREAU');
    expect([fields(sent, 'ORC')[1], fields(sent, 'OBX')[11]]).toEqual(['NW', 'F']);
    expect([fields(withdrawn, 'ORC')[1], fields(withdrawn, 'OBX')[11]]).toEqual(['CA', 'D']);
    expect(fields(withdrawn, 'OBX')[5]).toBe(fields(sent, 'OBX')[5]);
    expect(fields(withdrawn, 'MSH')[20]).toBe('2.1^CISIS_CDA_HL7_V2');
    expect(fields(withdrawn, 'MSH')[9]).not.toBe(fields(sent, 'MSH')[9]);
  });

  it('is told once, whoever confirms it and however often', async () => {
    const { id } = await delivered();
    await world.operate('radiologist', 'declare-error', id, reason);
    const confirmed = await Promise.allSettled(
      Array.from({ length: 3 }, () => world.operate('quality', 'enter-in-error', id, reason)),
    );
    expect(confirmed.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(world.operate('quality', 'enter-in-error', id, reason)).rejects.toMatchObject(refusal('state'));
    await delivery.sweep();
    await pass(60);
    expect(types()).toEqual(['MDM^T02', 'MDM^T04']);
    expect(await withdrawals(id)).toHaveLength(1);
  });

  it('shows on the case with who confirmed it and the acknowledgement of the hospital', async () => {
    const { id } = await delivered();
    await foundToBeAnError(id);
    const [queued] = await withdrawals(id);
    expect(queued).toMatchObject({
      description: 'Annulation du compte rendu',
      requester: { reference: 'Practitioner/qualite' },
      owner: { reference: 'Organization/ch-exemple' },
    });
    await delivery.sweep();
    const [done] = await withdrawals(id);
    expect(done?.status).toBe('completed');
    expect(outputs(done!, 'evidence')[0]?.valueString).toMatch(/^MSA\|AA\|/);
    expect(stateOf(await world.task(id))).toBe('entered-in-error');
    const proofs = await world.store.search(tenant, 'Provenance', `target=Task/${id}`);
    expect(
      proofs.some(
        ({ activity, agent, reason: why }) =>
          activity?.coding?.[0]?.code === 'enter-in-error' &&
          agent[0]?.who?.reference === 'Practitioner/qualite' &&
          why?.[0]?.text === reason.reason,
      ),
    ).toBe(true);
  });

  it('is withdrawn in the version the hospital holds: the one that replaced the others', async () => {
    const { id } = await delivered();
    await amend(id);
    await delivery.sweep();
    await foundToBeAnError(id);
    await delivery.sweep();
    expect(types()).toEqual(['MDM^T02', 'MDM^T10', 'MDM^T04']);
    const [first, second, withdrawn] = reports();
    expect(fields(second, 'TXA')[13]).toBe(fields(first, 'TXA')[12]);
    expect([fields(second, 'ORC')[1], fields(second, 'OBX')[11]]).toEqual(['RO', 'C']);
    expect(fields(withdrawn, 'TXA')[12]).toBe(fields(second, 'TXA')[12]);
    expect(fields(withdrawn, 'TXA')[13] ?? '').toBe('');
  });

  it('is withdrawn in the version before, when the hospital refused the amended one', async () => {
    const { id } = await delivered();
    await amend(id);
    ris.answer = (number) => `MSA|AE|${number}`;
    await delivery.sweep();
    ris.answer = (number) => `MSA|AA|${number}`;
    await foundToBeAnError(id);
    await delivery.sweep();
    expect(types()).toEqual(['MDM^T02', 'MDM^T10', 'MDM^T04']);
    expect(fields(reports()[2], 'TXA')[12]).toBe(fields(reports()[0], 'TXA')[12]);
  });

  it('leaves after a restart when the server fell before it was sent, and once', async () => {
    const { id } = await delivered();
    await delivery.stop();
    await destination.close();
    await foundToBeAnError(id);
    expect(types()).toEqual(['MDM^T02']);
    await world.restart();
    await delivery.start(system);
    expect(types()).toEqual(['MDM^T02', 'MDM^T04']);
    await pass(60);
    expect(types()).toEqual(['MDM^T02', 'MDM^T04']);
    expect((await withdrawals(id))[0]?.status).toBe('completed');
  });
});

describe('a version that was refused and replaced', () => {
  it('does not come back over the one the hospital took since', async () => {
    ris.answer = (number) => `MSA|${type(last()) === 'MDM^T02' ? 'AE' : 'AA'}|${number}`;
    const { id } = await signed();
    await delivery.sweep();
    await amend(id);
    await delivery.sweep();
    expect(types()).toEqual(['MDM^T02', 'MDM^T10']);
    ris.answer = (number) => `MSA|AA|${number}`;
    const sent = await world.store.search(tenant, 'Task', `part-of=Task/${id}&status=failed`);
    await delivery.replay(tenant, sent[0]?.identifier?.[0]?.value ?? '');
    await delivery.sweep();
    expect(types()).toEqual(['MDM^T02', 'MDM^T10']);
    expect((await world.task(sent[0]?.id ?? '')).statusReason?.text).toContain('version plus récente');
  });
});

describe('a withdrawal the hospital does not take', () => {
  it('is sent again, the same octets, and somebody is told that it does not answer', async () => {
    const { id } = await delivered();
    ris.answer = () => null;
    await foundToBeAnError(id);
    await delivery.sweep();
    await pass(16);
    expect((await told(id, 'delivery-late')).map((each) => each.payload?.[0]?.contentString)).toEqual([
      expect.stringContaining('Annulation du compte rendu'),
    ]);
    ris.answer = (number) => `MSA|AA|${number}`;
    await pass(60);
    const [, first, ...again] = reports();
    expect(again.length).toBeGreaterThan(0);
    for (const each of again) expect(each.equals(first!)).toBe(true);
    expect((await withdrawals(id))[0]?.status).toBe('completed');
  });

  it('is told to the coordinators when it was refused, and can be put back', async () => {
    const { id } = await delivered();
    ris.answer = (number) => `MSA|AE|${number}`;
    await foundToBeAnError(id);
    await delivery.sweep();
    expect((await told(id, 'delivery-failed')).map((each) => each.payload?.[0]?.contentString)).toEqual([
      expect.stringContaining("L'annulation du compte rendu"),
    ]);
    const [failed] = await withdrawals(id);
    expect(failed?.status).toBe('failed');
    ris.answer = (number) => `MSA|AA|${number}`;
    await delivery.replay(tenant, failed?.identifier?.[0]?.value ?? '');
    await delivery.sweep();
    expect((await withdrawals(id))[0]?.status).toBe('completed');
  });
});

describe('a hospital that may have the report without having said so', () => {
  it('is told of the error when the answer to the report was lost, and does not get the report again', async () => {
    const { id } = await signed();
    ris.answer = (number) => (type(last()) === 'MDM^T02' ? null : `MSA|AA|${number}`);
    await delivery.sweep();
    await foundToBeAnError(id);
    ris.answer = (number) => `MSA|AA|${number}`;
    await pass(60);
    expect(types()).toEqual(['MDM^T02', 'MDM^T04']);
  });

  it.each(['AA', 'AE'])(
    'that answers %s to the report while the error is confirmed is told what it needs',
    async (code) => {
      let id = '';
      let signing: Promise<unknown> = Promise.resolve();
      ris.answer = async (number) => {
        if (type(last()) !== 'MDM^T02') return `MSA|AA|${number}`;
        await signing;
        await foundToBeAnError(id);
        expect(await withdrawals(id)).toHaveLength(0);
        return `MSA|${code}|${number}`;
      };
      signing = signed().then((made) => {
        id = made.id;
      });
      await signing;
      await delivery.sweep();
      await pass(60);
      expect(types()).toEqual(code === 'AA' ? ['MDM^T02', 'MDM^T04'] : ['MDM^T02']);
      expect(await withdrawals(id)).toHaveLength(code === 'AA' ? 1 : 0);
    },
  );
});

describe('a hospital that never got the report', () => {
  it('because its software was down is told nothing by message', async () => {
    await listensOn(1);
    const { id } = await signed();
    await delivery.sweep();
    await foundToBeAnError(id);
    await listensOn(ris.port);
    await pass(60);
    expect(reports()).toHaveLength(0);
    expect(await withdrawals(id)).toHaveLength(0);
    expect(await told(id, 'delivery-failed')).toHaveLength(0);
  });

  it('because it refused it is told nothing by message, whether it was asked to come back or not', async () => {
    for (const code of ['AE', 'AR']) {
      ris.answer = (number) => `MSA|${type(last()) === 'MDM^T02' ? code : 'AA'}|${number}`;
      const { id } = await signed();
      await delivery.sweep();
      await foundToBeAnError(id);
      ris.answer = (number) => `MSA|AA|${number}`;
      await pass(60);
      expect(await withdrawals(id)).toHaveLength(0);
    }
    expect(types()).toEqual(['MDM^T02', 'MDM^T02']);
  });
});

describe('the form of a withdrawal', () => {
  it('is an ORU where reports leave as ORU', async () => {
    await settings([{ url: 'reportFormat', valueCode: 'report-oru' }]);
    const { id } = await delivered();
    await foundToBeAnError(id);
    await delivery.sweep();
    expect(types()).toEqual(['ORU^R01', 'ORU^R01']);
    const [sent, withdrawn] = reports();
    expect([fields(withdrawn, 'ORC')[1], fields(withdrawn, 'OBX')[11]]).toEqual(['CA', 'D']);
    expect(fields(withdrawn, 'OBX')[5]).toBe(fields(sent, 'OBX')[5]);
  });

  it('is a result posted as wrong, with placer, filler and reason, where the contract says so', async () => {
    await settings([{ url: 'withdrawalFormat', valueCode: 'wrong-result' }]);
    const { id, number } = await delivered();
    await foundToBeAnError(id);
    await delivery.sweep();
    expect(types()).toEqual(['MDM^T02', 'ORU^R01']);
    const [sent, withdrawn] = reports();
    const oid = fields(sent, 'TXA')[12];
    expect(fields(withdrawn, 'MSH').slice(11)).toEqual(['2.5', '', '', '', '', 'FRA', 'UNICODE UTF-8']);
    expect(fields(withdrawn, 'PID')).toEqual(fields(sent, 'PID'));
    expect(fields(withdrawn, 'ORC').join('|')).toBe(`ORC|RE|${number}^^2.999.33.10^ISO|${oid}`);
    expect(fields(withdrawn, 'OBR').slice(2, 5)).toEqual([
      `${number}^^2.999.33.10^ISO`,
      oid,
      "18748-4^CR d'imagerie médicale^LN",
    ]);
    expect(fields(withdrawn, 'OBR')[25]).toBe('C');
    expect(fields(withdrawn, 'NTE')[3]).toBe(reason.reason);
    expect([fields(withdrawn, 'OBX')[2], fields(withdrawn, 'OBX')[11]]).toEqual(['ED', 'W']);
  });
});
