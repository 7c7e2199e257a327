import { createServer, type Socket } from 'node:net';

/** The test file of EICAR, put together here so that no scanner stumbles over this source. */
export const eicar = Buffer.from(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR', 'STANDARD', 'ANTIVIRUS', 'TEST', 'FILE!$H+H*'].join('-'),
);

export interface ClamdPeer {
  port: number;
  /** How it behaves from now on. */
  mood: 'scans' | 'hangs' | 'hangs-up' | 'babbles' | 'too-large';
  /** Sizes of what it was given, in order. */
  scanned: number[];
  close(): Promise<void>;
}

/** Speaks clamd's INSTREAM and finds the EICAR file, wherever it is in the stream. */
export async function startClamdPeer(): Promise<ClamdPeer> {
  const sockets = new Set<Socket>();
  const peer: ClamdPeer = { port: 0, mood: 'scans', scanned: [], close };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    if (peer.mood === 'hangs-up') return void socket.destroy();
    let waiting = Buffer.alloc(0);
    let isAsked = false;
    const content: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk]);
      if (!isAsked) {
        const end = waiting.indexOf(0);
        if (end < 0) return;
        if (waiting.subarray(0, end).toString() !== 'zINSTREAM') return void socket.destroy();
        isAsked = true;
        waiting = waiting.subarray(end + 1);
      }
      while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32BE(0)) {
        const length = waiting.readUInt32BE(0);
        if (length === 0) return answer(socket, Buffer.concat(content));
        content.push(waiting.subarray(4, 4 + length));
        waiting = waiting.subarray(4 + length);
      }
    });
  });

  function answer(socket: Socket, file: Buffer): void {
    peer.scanned.push(file.length);
    if (peer.mood === 'hangs') return;
    const found = file.includes(eicar) ? 'stream: Eicar-Test-Signature FOUND' : 'stream: OK';
    const said = { babbles: 'hello', 'too-large': 'INSTREAM size limit exceeded. ERROR' } as Record<string, string>;
    socket.end(`${said[peer.mood] ?? found}\0`);
  }

  function close(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  peer.port = (server.address() as { port: number }).port;
  return peer;
}
