/** The software of a hospital on a real socket. */
import { createServer, type Server } from 'node:net';
import { readHeader } from '../../../src/adapters/hl7v2/acknowledgement.ts';
import { createFrameDecoder, frame } from '../../../src/adapters/hl7v2/frames.ts';

/** Keeps what arrives and answers what the test says. */
export async function openRis() {
  const received: Buffer[] = [];
  /** `undefined`: silence; `null`: the line is lost. */
  type Answer = string | undefined | null;
  const state = {
    answer: (id: string): Answer | Promise<Answer> => `MSA|AA|${id}`,
    received,
    /** What it says its character set is (MSH-18), and what it writes. */
    charset: '',
    encoding: 'utf8' as BufferEncoding,
    connections: 0,
    port: 0,
  };
  const server: Server = createServer((socket) => {
    state.connections += 1;
    const decoder = createFrameDecoder(1_000_000);
    socket.on('error', () => undefined);
    socket.on('data', async (chunk: Buffer) => {
      for (const event of decoder.push(chunk)) {
        if (event.kind !== 'message') continue;
        received.push(event.bytes);
        const segments = await state.answer(readHeader(event.bytes).controlId);
        if (segments === null) socket.destroy();
        if (!segments) continue;
        const header = `MSH|^~\\&|RIS|CH|P|P|2026||ACK^X^ACK|A1|P|2.5.1||||||${state.charset}`;
        socket.write(frame(Buffer.from(`${header}\r${segments}\r`, state.encoding)));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  state.port = typeof address === 'object' && address ? address.port : 0;
  return Object.assign(state, { close: () => server.close() });
}
