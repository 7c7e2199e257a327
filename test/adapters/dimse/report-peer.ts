/** A PACS that is told of storage commitments: takes the association, keeps what it is told, answers as the test says. */
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { dataPdu, pduBytes } from './scu.ts';

export interface Told {
  calledAe: string;
  callingAe: string;
  /** Body of the request, for its role selection. */
  request: Buffer;
  command: Buffer;
  dataset: Buffer;
}

export interface ReportPeer {
  port: number;
  told: Told[];
  /** Status it answers, or what it does instead. */
  answer: { next: number | 'reject' | 'vanish' };
  close(): Promise<void>;
}

export async function openReportPeer(tls?: TlsOptions): Promise<ReportPeer> {
  const told: Told[] = [];
  const answer: ReportPeer['answer'] = { next: 0 };
  const serve = (socket: Socket) => {
    let buffer = Buffer.alloc(0);
    let current: Told | undefined;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      buffer = Buffer.concat([buffer, chunk]);
      while (buffer.length >= 6 && buffer.length >= 6 + buffer.readUInt32BE(2)) {
        const length = 6 + buffer.readUInt32BE(2);
        const [type, body] = [buffer.readUInt8(0), buffer.subarray(6, length)];
        buffer = buffer.subarray(length);
        if (type === 1) {
          if (answer.next === 'reject') return void socket.end(pduBytes(3, Buffer.from([0, 1, 1, 7])));
          const ae = (at: number) => body.toString('latin1', at, at + 16).trim();
          current = {
            calledAe: ae(4),
            callingAe: ae(20),
            request: body,
            command: Buffer.alloc(0),
            dataset: Buffer.alloc(0),
          };
          socket.write(acceptance(body));
        } else if (type === 4 && current) {
          const flags = body.readUInt8(5);
          const part = (flags & 1) === 1 ? 'command' : 'dataset';
          current[part] = Buffer.concat([current[part], body.subarray(6)]);
          if (part === 'command' || (flags & 2) === 0) continue;
          told.push(current);
          if (answer.next === 'vanish') return void socket.destroy();
          socket.write(dataPdu(1, 3, response(Number(answer.next))));
        } else if (type === 5) socket.end(pduBytes(6, Buffer.alloc(4)));
      }
    });
  };
  const server = tls ? createTlsServer(tls, serve) : createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    ...{ port, told, answer },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Takes context 1 in implicit little endian, and P-DATA of 256 octets only: what we send must be cut. */
function acceptance(request: Buffer): Buffer {
  const item = (type: number, value: Buffer) => {
    const head = Buffer.from([type, 0, 0, 0]);
    head.writeUInt16BE(value.length, 2);
    return Buffer.concat([head, value]);
  };
  const syntax = item(0x40, Buffer.from('1.2.840.10008.1.2'));
  return pduBytes(
    2,
    Buffer.concat([
      request.subarray(0, 68),
      item(0x10, Buffer.from('1.2.840.10008.3.1.1.1')),
      item(0x21, Buffer.concat([Buffer.from([1, 0, 0, 0]), syntax])),
      item(0x50, item(0x51, Buffer.from([0, 0, 1, 0]))),
    ]),
  );
}

function response(status: number): Buffer {
  const element = (number: number, value: number) => {
    const bytes = Buffer.from([0, 0, 0, 0, 2, 0, 0, 0, 0, 0]);
    bytes.writeUInt16LE(number, 2);
    bytes.writeUInt16LE(value, 8);
    return bytes;
  };
  return Buffer.concat([element(0x0100, 0x8100), element(0x0120, 1), element(0x0800, 0x0101), element(0x0900, status)]);
}
