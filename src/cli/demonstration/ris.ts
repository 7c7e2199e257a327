/** The simulated RIS's listening side: receives what Passerelle sends back, keeps it, acknowledges it. */
import { createServer, type Socket } from 'node:net';
import { acknowledge } from './messages.ts';

const startBlock = 0x0b;
const endBlock = Buffer.from([0x1c, 0x0d]);

/** What arrived at the hospital. */
export interface Received {
  /** `ORU^R01` or `MDM^T02`, from MSH-9. */
  event: string;
  text: string;
  bytes: Buffer;
  at: Date;
}

export interface SimulatedRis {
  port: number;
  received: readonly Received[];
  /** Resolves with the first message (past or coming) that satisfies the condition. */
  next(condition: (message: Received) => boolean): Promise<Received>;
  close(): Promise<void>;
}

/** Listens on a loopback port (0: any free one). Everything is answered AA. */
export async function startSimulatedRis(
  port: number,
  onMessage: (message: Received) => void = () => undefined,
): Promise<SimulatedRis> {
  const received: Received[] = [];
  const waiting = new Set<(message: Received) => void>();
  const sockets = new Set<Socket>();
  let answers = 0;

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (let end = pending.indexOf(endBlock); end >= 0; end = pending.indexOf(endBlock)) {
        const bytes = Buffer.from(pending.subarray(pending.indexOf(startBlock) + 1, end));
        pending = pending.subarray(end + endBlock.length);
        const text = bytes.toString('utf8');
        const message = { event: eventOf(text), text, bytes, at: new Date() };
        received.push(message);
        const answer = acknowledge(text, `HOP${String(++answers).padStart(7, '0')}`, message.at);
        socket.write(Buffer.concat([Buffer.from([startBlock]), Buffer.from(answer), endBlock]));
        onMessage(message);
        for (const tell of [...waiting]) tell(message);
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();

  return {
    port: typeof address === 'object' && address ? address.port : port,
    received,
    next(condition) {
      const known = received.find(condition);
      if (known) return Promise.resolve(known);
      return new Promise((resolve) => {
        const tell = (message: Received) => {
          if (!condition(message)) return;
          waiting.delete(tell);
          resolve(message);
        };
        waiting.add(tell);
      });
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** First two components of MSH-9. */
function eventOf(text: string): string {
  return (text.split('|', 9)[8] ?? '').split('^').slice(0, 2).join('^');
}

/** Fields of the first segment with that name, `[0]` being the name; for MSH, `[n]` is MSH-(n+1). */
export function segment(text: string, name: string): string[] {
  return (
    text
      .split(/[\r\n]+/)
      .find((line) => line.startsWith(`${name}|`))
      ?.split('|') ?? []
  );
}
