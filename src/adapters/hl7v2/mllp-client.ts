/** Sends messages over MLLP and waits for their acknowledgements; for deliveries, tests and the demonstration. */
import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { readHeader } from './acknowledgement.ts';
import { createFrameDecoder, frame } from './frames.ts';
import { acknowledgementOf } from './receive.ts';

export interface MllpAddress {
  host: string;
  port: number;
  /** MLLPS; `ca` when the other side's certificate is not publicly signed. */
  tls?: { ca?: string | Buffer; servername?: string; rejectUnauthorized?: boolean };
  connectMs?: number;
  /** How long an acknowledgement may take. */
  answerMs?: number;
  /** An idle connection does not keep the process alive. */
  background?: boolean;
}

/** One connection. Several messages may be under way: answers are matched on MSA-2 alone. */
export interface MllpClient {
  /** @returns octets of the acknowledgement. @throws MllpError when none came; the message may have been taken in charge all the same. */
  send(message: Buffer): Promise<Buffer>;
  /** False once the connection is lost: open another. */
  readonly open: boolean;
  close(): Promise<void>;
}

/** No acknowledgement: unreachable, lost, too late, or unreadable. */
export class MllpError extends Error {
  override name = 'MllpError';
}

const defaultConnectMs = 10_000;
const defaultAnswerMs = 30_000;
const answerLimitBytes = 1024 * 1024;

/** Opens a connection. @throws MllpError. */
export async function connectMllp(address: MllpAddress): Promise<MllpClient> {
  const socket = await open(address);
  const decoder = createFrameDecoder(answerLimitBytes);
  const waiting = new Map<string, { resolve(answer: Buffer): void; reject(error: Error): void }>();
  let alive = true;

  const lose = (reason: string) => {
    alive = false;
    for (const { reject } of waiting.values()) reject(new MllpError(reason));
    waiting.clear();
    socket.destroy();
  };
  socket.setNoDelay(true);
  if (address.background) socket.unref();
  socket.on('error', (error: Error & { code?: string }) => lose(`connection lost (${error.code ?? error.name})`));
  socket.on('close', () => lose('connection closed'));
  socket.on('end', () => lose('connection closed by the other side'));
  socket.on('data', (chunk: Buffer) => {
    for (const event of decoder.push(chunk)) {
      const bytes = event.kind === 'message' ? event.bytes : event.head;
      const msa = acknowledgementOf(bytes);
      const entry = msa && waiting.get(msa.controlId);
      if (!msa || !entry) continue;
      waiting.delete(msa.controlId);
      entry.resolve(bytes);
    }
  });

  return {
    get open() {
      return alive;
    },
    async send(message) {
      if (!alive) throw new MllpError('connection closed');
      const { controlId } = readHeader(message);
      if (controlId === '') throw new MllpError('the message has no control id');
      if (waiting.has(controlId)) throw new MllpError('a message with this control id is under way');
      let timer: NodeJS.Timeout | undefined;
      const answer = new Promise<Buffer>((resolve, reject) => {
        waiting.set(controlId, { resolve, reject });
        // An answer that comes later must not be taken for the next message's: the connection goes with the wait.
        timer = setTimeout(() => lose('no acknowledgement in time'), address.answerMs ?? defaultAnswerMs);
      });
      socket.write(frame(message));
      try {
        return await answer;
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      alive = false;
      await new Promise<void>((resolve) => {
        if (socket.destroyed) return resolve();
        socket.once('close', () => resolve());
        socket.end();
        socket.destroySoon();
      });
    },
  };
}

/** Sends one message on a connection of its own. @throws MllpError. */
export async function sendMessage(address: MllpAddress, message: Buffer): Promise<Buffer> {
  const client = await connectMllp(address);
  try {
    return await client.send(message);
  } finally {
    await client.close();
  }
}

function open({ host, port, tls, connectMs = defaultConnectMs }: MllpAddress): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = tls ? connectTls({ host, port, ...tls }) : createConnection({ host, port });
    const timer = setTimeout(() => socket.destroy(new Error('timeout')), connectMs);
    socket.once('error', (error: Error & { code?: string }) => {
      clearTimeout(timer);
      reject(new MllpError(`cannot connect (${error.code ?? error.message})`));
    });
    socket.once(tls ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

const lost: readonly (readonly [start: string, french: string])[] = [
  ['cannot connect', 'connexion impossible'],
  ['connection', 'connexion coupée avant l’accusé'],
  ['no acknowledgement', 'pas d’accusé dans le temps prévu'],
];

/** What people read, with the system's code where there is one: it helps whoever repairs the line. */
export function frenchReason({ message }: MllpError): string {
  const words = lost.find(([start]) => message.startsWith(start))?.[1] ?? 'échange interrompu';
  const code = /\([A-Z_]+\)$/.exec(message)?.[0];
  return code === undefined ? words : `${words} ${code}`;
}
