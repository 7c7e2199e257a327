import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dimse } from '../../../src/adapters/dimse/index.ts';
import { blobFiles } from '../../imaging/room.ts';
import { smallCt } from '../../support/synthetic-ct.ts';
import { type Archive, openArchive } from './archive.ts';
import {
  associate,
  associateRequest,
  command,
  ctClass,
  dataPdu,
  explicitLe,
  openRaw,
  type Pdu,
  pduBytes,
  type Scu,
  u16,
  uid,
  verification,
} from './scu.ts';

let archive: Archive;
let dimse: Dimse;
beforeAll(async () => {
  archive = await openArchive();
  dimse = await archive.listen();
});
afterAll(() => archive.close());

const contexts = [{ abstractSyntax: ctClass, transferSyntaxes: [explicitLe] }];
const storing = (port = dimse.port) => associate({ port, contexts });
const storeCommand = command([
  [0x0002, uid(ctClass)],
  [0x0100, u16(1)],
  [0x0110, u16(1)],
  [0x0800, u16(1)],
  [0x1000, uid('2.25.7201')],
]);

/** Everything said until the end. */
async function allOf({ next, socket }: Pick<Scu, 'next' | 'socket'>): Promise<Pdu[]> {
  const said: Pdu[] = [];
  for (let pdu = await next(); pdu; pdu = await next()) said.push(pdu);
  socket.destroy();
  return said;
}

async function afterwards(): Promise<void> {
  const scu = await associate({ port: dimse.port });
  expect((await scu.echo()).status).toBe(0);
  await scu.release();
}

describe('what is no association is aborted with its reason', () => {
  const huge = Buffer.from([1, 0, 0x7f, 0xff, 0xff, 0xff]);
  const request = associateRequest({});
  const cutItem = Buffer.from(request);
  cutItem.writeUInt16BE(0xffff, request.length - 9);
  it.each([
    ['a PDU of an unknown type', Buffer.from([9, 0, 0, 0, 0, 0]), 1],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: archive\r\n\r\n'), 1],
    ['data before anything was agreed', dataPdu(1, 3, storeCommand), 2],
    ['a request of two gigabytes', huge, 6],
    ['a request that is too short', pduBytes(1, Buffer.alloc(20)), 6],
    ['a request whose items are longer than it', cutItem, 6],
    ['a release of an impossible length', pduBytes(5, Buffer.alloc(9)), 6],
  ])('%s', async (_, bytes, reason) => {
    const raw = await openRaw({ port: dimse.port });
    raw.send(bytes);
    expect(await allOf(raw)).toEqual([{ type: 7, body: Buffer.from([0, 0, 2, reason]) }]);
    await afterwards();
  });
});

describe('what breaks an association is answered by A-ABORT', () => {
  const emptyPieces = Buffer.concat(Array.from({ length: 1_100 }, () => dataPdu(1, 1, Buffer.alloc(0))));
  it.each([
    ['a second request', associateRequest({}), 2],
    ['a context that was not accepted', dataPdu(9, 3, storeCommand), 6],
    ['a data set without a command', dataPdu(1, 2, Buffer.alloc(10)), 2],
    ['a command within a data set', Buffer.concat([dataPdu(1, 3, storeCommand), dataPdu(1, 3, storeCommand)]), 6],
    [
      'data of another context within a data set',
      Buffer.concat([dataPdu(1, 3, storeCommand), dataPdu(3, 2, storeCommand)]),
      6,
    ],
    ['a release within a data set', Buffer.concat([dataPdu(1, 3, storeCommand), pduBytes(5, Buffer.alloc(4))]), 2],
    [
      'a command that never ends',
      Buffer.concat(Array.from({ length: 20 }, () => dataPdu(1, 1, Buffer.alloc(1_000)))),
      6,
    ],
    ['a command that is none', dataPdu(1, 3, Buffer.from('not a command set')), 6],
    ['a command without a field', dataPdu(1, 3, command([[0x0110, u16(1)]])), 6],
    ['pieces of nothing for ever', emptyPieces, 6],
    ['P-DATA longer than agreed', Buffer.from([4, 0, 0, 0xff, 0xff, 0xff]), 6],
    ['P-DATA whose item is longer than it', pduBytes(4, Buffer.from([0, 0, 0, 99, 1, 3, 0, 0])), 6],
    ['P-DATA of no item', pduBytes(4, Buffer.alloc(3)), 6],
  ])('%s', async (_, bytes, reason) => {
    const scu = await storing();
    scu.send(bytes);
    expect(await allOf(scu)).toEqual([{ type: 7, body: Buffer.from([0, 0, 2, reason]) }]);
    await afterwards();
  });

  it('and one that was aborted by the other side is simply over', async () => {
    const scu = await storing();
    scu.send(dataPdu(1, 3, storeCommand));
    scu.send(dataPdu(1, 0, Buffer.alloc(1_000)));
    scu.send(pduBytes(7, Buffer.from([0, 0, 0, 0])));
    expect(await allOf(scu)).toEqual([]);
    await afterwards();
  });
});

describe('who is slow or silent', () => {
  it('and asks for nothing, is not waited for', async () => {
    const brief = await archive.listen({ limits: { artimMs: 60 } });
    const raw = await openRaw({ port: brief.port });
    expect(await allOf(raw)).toEqual([]);
    const dribbling = await openRaw({ port: brief.port });
    const timer = setInterval(() => dribbling.send(Buffer.from([1])), 10);
    expect((await allOf(dribbling)).length).toBeLessThan(2);
    clearInterval(timer);
  });

  it('and keeps an association without using it, loses it', async () => {
    const brief = await archive.listen({ limits: { idleMs: 50 } });
    expect(await allOf(await storing(brief.port))).toEqual([]);
  });

  it('and stops in the middle of an instance, leaves nothing behind', async () => {
    const brief = await archive.listen({ limits: { stalledMs: 50, idleMs: 10_000 } });
    const before = (await blobFiles(archive.folder)).length;
    const scu = await storing(brief.port);
    scu.send(Buffer.concat([dataPdu(1, 3, storeCommand), dataPdu(1, 0, Buffer.alloc(5_000))]));
    expect(await allOf(scu)).toEqual([]);
    await expect.poll(async () => (await blobFiles(archive.folder)).length).toBe(before);
  });

  it('and sends an octet now and then, is given up though it never stalls', async () => {
    const brief = await archive.listen({ limits: { stalledMs: 5_000, graceMs: 80, octetsPerSecond: 10_000 } });
    const scu = await storing(brief.port);
    scu.send(dataPdu(1, 3, storeCommand));
    scu.send(Buffer.from([4, 0, 0, 1, 0, 0, 0, 0, 0xff, 0xfc, 1, 0]));
    const timer = setInterval(() => scu.send(Buffer.from([0])), 8);
    expect(await allOf(scu)).toEqual([]);
    clearInterval(timer);
    expect(archive.logged).toContainEqual(expect.objectContaining({ details: { reason: 'too slow' } }));
  });

  it('and takes no answer, is left, and the operator can read why', async () => {
    const brief = await archive.listen({ limits: { stalledMs: 300 } });
    const scu = await associate({ port: brief.port });
    scu.socket.pause();
    const echo = command([
      [0x0002, uid(verification)],
      [0x0100, u16(0x0030)],
      [0x0110, u16(1)],
      [0x0800, u16(0x0101)],
    ]);
    // More answers than an operating system keeps for a connection.
    const many = Buffer.concat(Array.from({ length: 5_000 }, () => dataPdu(1, 3, echo)));
    for (let sent = 0; sent < 60; sent++) scu.send(many);
    const left = () => archive.logged.filter(({ details }) => JSON.stringify(details).includes('takes no answer'));
    await expect.poll(left, { timeout: 20_000 }).toHaveLength(1);
    scu.socket.destroy();
  }, 30_000);

  it('because we are, is not given up', async () => {
    const patient = await archive.listen({ limits: { stalledMs: 500, idleMs: 500, graceMs: 1, octetsPerSecond: 1 } });
    const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7202', slices: 1 });
    archive.imaging.onStudy(async ({ identity }) => {
      // As long as it takes to lose an association that is silent of its own accord.
      if (identity.studyInstanceUid === '2.25.7202') expect(await allOf(await storing(patient.port))).toEqual([]);
    });
    const scu = await storing(patient.port);
    expect((await scu.store(file)).status).toBe(0);
    scu.socket.destroy();
  });
});

it('whatever comes, before or within an association, the server lives and serves the next', async () => {
  const patient = await archive.listen({ limits: { artimMs: 300, stalledMs: 200, idleMs: 200, refusalsOfOne: 1e9 } });
  const valid = associateRequest({ contexts });
  const mutated = fc
    .tuple(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(valid.length))
    .map(([changes, cut]) => {
      const bytes = Buffer.from(valid);
      for (const [at, value] of changes) bytes[at] = value;
      return cut % 3 === 0 ? bytes.subarray(0, cut) : bytes;
    });
  const noise = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  const pdus = fc
    .array(fc.tuple(fc.nat(9), fc.uint8Array({ maxLength: 60 })), { maxLength: 4 })
    .map((list) => Buffer.concat(list.map(([type, body]) => pduBytes(type, Buffer.from(body)))));
  const commands = fc
    .array(fc.tuple(fc.nat(0x1100), fc.uint8Array({ maxLength: 20 })), { maxLength: 8 })
    .map((list) =>
      dataPdu(1, 3, Buffer.concat(list.map(([number, value]) => command([[number, Buffer.from(value)]])))),
    );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(true, false), fc.oneof(mutated, noise, pdus, commands), async (agreed, bytes) => {
      const raw = await openRaw({ port: patient.port });
      if (agreed) {
        raw.send(valid);
        expect((await raw.next())?.type).toBe(2);
      }
      raw.send(bytes);
      raw.socket.end();
      for (const { type } of await allOf(raw)) expect([2, 3, 4, 6, 7]).toContain(type);
    }),
    { numRuns: 120 },
  );
  const scu = await associate({ port: patient.port });
  expect((await scu.echo()).status).toBe(0);
  await scu.release();
  expect(archive.logged.filter(({ level }) => level === 'error')).toEqual([]);
});
