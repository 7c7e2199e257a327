/**
 * A keep-alive HTTP/1.1 client for a load, straight on sockets: on two cores shared with the server and the database, what the client
 * spends is missing in the measurement (node:http takes 90 µs a request, this 30 µs). Knows what our server answers: a Content-Length or
 * chunks.
 */
import { connect, type Socket } from 'node:net';

export interface HttpLoad {
  /** Answers the length of the body. @throws Error when the status is 300 or more. */
  send(method: string, path: string, body?: Buffer | string, headers?: Record<string, string>): Promise<number>;
  close(): void;
}

interface Connection {
  socket: Socket;
  /** Of the answer under way. */
  received: Buffer[];
  settle?: { resolve(bytes: number): void; reject(error: Error): void; what: string };
}

const noHeaders: Readonly<Record<string, string>> = {};
const usualAtMost = 1_000;
const endOfHead = Buffer.from('\r\n\r\n');
const endOfChunks = Buffer.from('\r\n0\r\n\r\n');

/** @param connections most requests at the same time; further ones wait. */
export function httpLoad(httpUrl: string, token: string, connections: number): HttpLoad {
  const { hostname, port } = new URL(httpUrl);
  const idle: Connection[] = [];
  const all = new Set<Connection>();
  const waiting: ((connection: Connection) => void)[] = [];

  function open(): Connection {
    const connection: Connection = {
      socket: connect({ host: hostname, port: Number(port), noDelay: true }),
      received: [],
    };
    all.add(connection);
    const lost = (error: Error) => {
      all.delete(connection);
      const at = idle.indexOf(connection);
      if (at >= 0) idle.splice(at, 1);
      connection.settle?.reject(error);
    };
    connection.socket.on('data', (chunk: Buffer) => receive(connection, chunk));
    connection.socket.on('error', lost);
    connection.socket.on('close', () => lost(new Error('the server closed the connection')));
    return connection;
  }

  function receive(connection: Connection, chunk: Buffer): void {
    connection.received.push(chunk);
    const whole = connection.received.length === 1 ? chunk : Buffer.concat(connection.received);
    const answer = readAnswer(whole);
    if (!answer) {
      connection.received = [whole];
      return;
    }
    connection.received = [];
    const { settle } = connection;
    connection.settle = undefined;
    const next = waiting.shift();
    if (next) next(connection);
    else idle.push(connection);
    if (answer.status < 300) settle?.resolve(answer.body.length);
    else settle?.reject(new Error(`${settle.what}: ${answer.status} ${answer.body.toString().slice(0, 400)}`));
  }

  const free = (): Connection | Promise<Connection> => {
    const connection = idle.pop() ?? (all.size < connections ? open() : undefined);
    return connection ?? new Promise((resolve) => waiting.push(resolve));
  };

  /** All but what tells of a body, and the empty line. */
  function headOf(method: string, path: string, headers: Readonly<Record<string, string>>): string {
    const lines = [
      `${method} ${path} HTTP/1.1`,
      `host: ${hostname}:${port}`,
      `authorization: Bearer ${token}`,
      ...(headers.accept ? [] : ['accept: application/fhir+json']),
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    return lines.map((line) => `${line}\r\n`).join('');
  }
  // Nearly all requests of a load say the same.
  const usual = new Map<string, string>();
  function usualHead(method: string, path: string): string {
    const known = usual.get(`${method} ${path}`);
    if (known !== undefined) return known;
    const head = headOf(method, path, noHeaders);
    if (usual.size < usualAtMost) usual.set(`${method} ${path}`, head);
    return head;
  }

  return {
    async send(method, path, body, headers = noHeaders) {
      const connection = await free();
      return new Promise((resolve, reject) => {
        connection.settle = { resolve, reject, what: `${method} ${path}` };
        const head = headers === noHeaders ? usualHead(method, path) : headOf(method, path, headers);
        if (body === undefined) return void connection.socket.write(`${head}\r\n`);
        const type = headers['content-type'] ? '' : 'content-type: application/fhir+json\r\n';
        const whole = `${head}${type}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
        if (typeof body === 'string') connection.socket.write(whole + body);
        else connection.socket.write(Buffer.concat([Buffer.from(whole), body]));
      });
    },
    close() {
      for (const { socket } of all) socket.destroy();
    },
  };
}

/** A whole answer, or nothing while some of it is missing. */
function readAnswer(data: Buffer): { status: number; body: Buffer } | undefined {
  const end = data.indexOf(endOfHead);
  if (end < 0) return undefined;
  const head = data.toString('latin1', 0, end);
  const status = Number(head.slice(9, 12));
  const start = end + endOfHead.length;
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length === undefined) {
    if (!/\r\ntransfer-encoding: chunked/i.test(head)) return { status, body: data.subarray(start) };
    const isWhole = data.length - start >= 5 && data.subarray(-endOfChunks.length).equals(endOfChunks);
    return isWhole ? { status, body: data.subarray(start) } : undefined;
  }
  return data.length - start >= Number(length) ? { status, body: data.subarray(start) } : undefined;
}
