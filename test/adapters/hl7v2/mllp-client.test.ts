/** What a RIS may do with what we send it, on real sockets: nothing of it is taken for an acknowledgement that it is not. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { readHeader } from '../../../src/adapters/hl7v2/acknowledgement.ts';
import { createFrameDecoder, frame } from '../../../src/adapters/hl7v2/frames.ts';
import { connectMllp } from '../../../src/adapters/hl7v2/index.ts';
import { render, request } from '../../fixtures/hl7v2/messages.ts';
import { segment } from './hospital.ts';

const open: (Server | Socket)[] = [];
afterEach(() => {
  for (const one of open.splice(0)) 'destroy' in one ? one.destroy() : one.close();
});

/** A RIS that does what the test says with every message; `arrived` tells it the control id. */
async function ris(arrived: (socket: Socket, controlId: string) => void, greeting?: Buffer) {
  const server = createServer((socket) => {
    open.push(socket);
    socket.on('error', () => undefined);
    if (greeting) socket.write(greeting);
    const decoder = createFrameDecoder(1_000_000);
    socket.on('data', (chunk) => {
      for (const event of decoder.push(chunk))
        if (event.kind === 'message') arrived(socket, readHeader(event.bytes).controlId);
    });
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 };
}

const message = (controlId: string) => Buffer.from(render(request({ controlId })));
const ack = (controlId: string, code = 'AA') =>
  frame(Buffer.from(`MSH|^~\\&|RIS|CH|P|P|2026||ACK^O01^ACK|R1|P|2.5.1\rMSA|${code}|${controlId}\r`));
const msa = (answer: Buffer) => segment(answer, 'MSA').slice(1, 3);

it('an acknowledgement said twice is the answer of its message alone', async () => {
  const client = await connectMllp(
    await ris((socket, id) => void socket.write(Buffer.concat([ack(id), ack(id, 'AE')]))),
  );
  for (const id of ['TWICE1', 'TWICE2', 'TWICE3']) expect(msa(await client.send(message(id)))).toEqual(['AA', id]);
  await client.close();
});

it('what nobody asked for is passed over: octets, acknowledgements of nothing, a message of the RIS on our connection', async () => {
  const stray = [
    Buffer.from('220 bienvenue\r\n'),
    ack('NEVER-SENT'),
    frame(message('THEIRS')),
    frame(Buffer.from('MSA')),
  ];
  const address = await ris(
    (socket, id) => void socket.write(Buffer.concat([...stray, ack(id)])),
    Buffer.concat(stray),
  );
  const client = await connectMllp(address);
  expect(msa(await client.send(message('ASKED')))).toEqual(['AA', 'ASKED']);
  await client.close();
});

it('a RIS that closes in the middle of its acknowledgement has given none, which is known at once', async () => {
  const address = await ris((socket, id) => void socket.end(ack(id).subarray(0, -3)));
  const client = await connectMllp({ ...address, answerMs: 60_000 });
  await expect(client.send(message('CUT'))).rejects.toThrow('connection closed by the other side');
  expect(client.open).toBe(false);
});

it('an acknowledgement that never ends is not kept whole, nor waited for longer than any other', async () => {
  let sent = 0;
  const address = await ris((socket) => {
    socket.write(Buffer.of(0x0b));
    const more = () => {
      sent += 1;
      if (!socket.destroyed) socket.write(Buffer.alloc(100_000, 0x41), more);
    };
    more();
  });
  const client = await connectMllp({ ...address, answerMs: 300 });
  await expect(client.send(message('ENDLESS'))).rejects.toThrow('no acknowledgement in time');
  expect(client.open).toBe(false);
  expect(sent).toBeGreaterThan(10);
});

it('a RIS that takes the connection and reads nothing is left after the wait, whatever is still to be sent', async () => {
  const server = createServer((socket) => void open.push(socket.pause()));
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const client = await connectMllp({ host: '127.0.0.1', port, answerMs: 200 });
  const large = Buffer.concat([message('UNREAD'), Buffer.alloc(24 * 1024 * 1024, 0x41)]);
  await expect(client.send(large)).rejects.toThrow('no acknowledgement in time');
  await client.close();
  expect(client.open).toBe(false);
});
