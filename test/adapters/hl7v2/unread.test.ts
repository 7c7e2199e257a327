/** Senders that do not read their acknowledgements, or read them slowly; on real sockets, whose buffers have to be full first. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createFrameDecoder, frame } from '../../../src/adapters/hl7v2/frames.ts';
import { type MllpOptions, sendMessage } from '../../../src/adapters/hl7v2/index.ts';
import { render, request } from '../../fixtures/hl7v2/messages.ts';
import { listen, openHospital, segment, storedMessages } from './hospital.ts';
import { recordingTeleradiology } from './recording-teleradiology.ts';

/** A few of these fill whatever an operating system keeps for a connection (Linux: 4 MiB at most to send, some to receive). */
const answerBytes = 1_000_000;
const messages = 20;

let rooms: Awaited<ReturnType<typeof openHospital>>;
let mllp: Awaited<ReturnType<typeof listen>>;
const domain = recordingTeleradiology();
const clients: Socket[] = [];
beforeAll(async () => {
  rooms = await openHospital();
  domain.notice = 'x'.repeat(answerBytes);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await mllp.close();
});
afterAll(() => rooms.database.close());

/** A connection that sends everything at once and has not read anything yet. */
async function sending(prefix: string, limits: NonNullable<MllpOptions['limits']>) {
  mllp = await listen(rooms, domain, { limits });
  const socket = connect(mllp.port, '127.0.0.1');
  clients.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const ids = Array.from({ length: messages }, (_, index) => `${prefix}${index}`);
  for (const id of ids) socket.write(frame(message(id)));
  return { socket, ids };
}

const message = (controlId: string) => Buffer.from(render(request({ controlId, placer: `DEM-${controlId}` })));
const ended = () => mllp.log.lines.filter((line) => line.includes('reads no acknowledgement'));

it('a peer that reads none of its acknowledgements is read no further, and left once patience is over; what it sent before is kept', async () => {
  const { socket } = await sending('UNREAD', { unreadMs: 300 });
  // An octet now and then is no sign of reading.
  const dripping = setInterval(() => socket.write('\r'), 20);
  await expect.poll(ended, { timeout: 20_000 }).toHaveLength(1);
  clearInterval(dripping);
  expect(mllp.log.lines.join()).not.toMatch(/DUPR|IPP/);
  const kept = (await storedMessages(rooms.database)).filter(({ control_id }) => control_id.startsWith('UNREAD'));
  expect(kept.length).toBeGreaterThan(0);
  // The others are not handled ahead of who reads: their sender has them.
  expect(kept.length).toBeLessThan(messages / 2);
  expect(kept.every(({ outcome }) => outcome === 'AA')).toBe(true);
  // Whatever was not read is read by sending again, and done once.
  const told = domain.requests.length;
  const last = kept.at(-1);
  const again = await sendMessage({ host: '127.0.0.1', port: mllp.port }, message(last?.control_id ?? ''));
  expect(again.equals(last?.answer ?? Buffer.alloc(0))).toBe(true);
  expect(domain.requests).toHaveLength(told);
}, 30_000);

it('a peer that reads slowly, but reads, gets every acknowledgement, however long it takes', async () => {
  const unreadMs = 1_000;
  const { socket, ids } = await sending('SLOW', { unreadMs });
  const decoder = createFrameDecoder(2 * answerBytes);
  const answered: string[] = [];
  const begun = performance.now();
  socket.on('data', (chunk: Buffer) => {
    for (const event of decoder.push(chunk))
      if (event.kind === 'message') answered.push(segment(event.bytes, 'MSA')[2] ?? '');
    // 64 kB every few milliseconds: slower than we answer, and all the time.
    socket.pause();
    setTimeout(() => socket.resume(), 5);
  });
  await expect.poll(() => answered.length, { timeout: 50_000 }).toBe(messages);
  expect(answered).toEqual(ids);
  expect(performance.now() - begun).toBeGreaterThan(2 * unreadMs);
  expect(ended()).toEqual([]);
}, 60_000);
