/**
 * A connection to a directory over which a password may travel: LDAPS, or LDAP raised by StartTLS (RFC 4511 §4.14, RFC 4513 §3). We
 * raise it ourselves, before the LDAP client sees the socket, for three reasons: what arrives in clear behind the answer to StartTLS
 * must not be taken for something said inside TLS; the handshake has an end; and a client that reconnects by itself would do so in
 * clear.
 */
import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { LdapSource } from '../../config/index.ts';

const defaultPort = { 'ldap:': 389, 'ldaps:': 636 } as const;

/** LDAPMessage 1, ExtendedRequest `1.3.6.1.4.1.1466.20037`. */
const startTlsRequest = Buffer.concat([
  Buffer.from([0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16]),
  Buffer.from('1.3.6.1.4.1.1466.20037'),
]);
/** The answer names a result and a text; more is not what was asked for. */
const startTlsAnswerLimitBytes = 4_096;

/** The server cannot be used for this: unreachable, not who it should be, or unwilling. The message holds no name and no password. */
export class DirectoryUnavailable extends Error {
  override name = 'DirectoryUnavailable';
}

/** @throws DirectoryUnavailable */
export async function openSocket(
  address: string,
  source: Pick<LdapSource, 'ca' | 'startTls' | 'timeoutMs'>,
): Promise<Socket> {
  const { protocol, hostname, port: portText } = new URL(address);
  const isLdaps = protocol === 'ldaps:';
  const port = Number(portText) || defaultPort[isLdaps ? 'ldaps:' : 'ldap:'];
  const host = hostname.replace(/^\[|\]$/g, '');
  const ca = source.ca === undefined ? undefined : await readFile(source.ca);
  const identity = {
    host,
    ...(isIP(host) ? {} : { servername: host }),
    ...(ca ? { ca } : {}),
    minVersion: 'TLSv1.2' as const,
  };
  const { signal, clear } = deadline(source.timeoutMs);
  try {
    if (isLdaps) return await secured(connectTls({ ...identity, port }), signal);
    const socket = await settled(connectTcp({ host, port }), 'connect', signal);
    if (!source.startTls) return socket;
    await startTls(socket, signal);
    return await secured(connectTls({ ...identity, socket }), signal);
  } finally {
    clear();
  }
}

async function startTls(socket: Socket, signal: AbortSignal): Promise<void> {
  socket.write(startTlsRequest);
  let answer = Buffer.alloc(0);
  while (messageLength(answer) === undefined || answer.length < (messageLength(answer) ?? 0)) {
    if (answer.length > startTlsAnswerLimitBytes) throw dropped(socket, 'the answer to StartTLS is too long');
    await settled(socket, 'readable', signal);
    const chunk: Buffer | null = socket.read();
    if (chunk === null) throw dropped(socket, 'the connection ended instead of an answer to StartTLS');
    answer = Buffer.concat([answer, chunk]);
  }
  if (answer.length !== messageLength(answer))
    throw dropped(socket, 'something followed the answer to StartTLS in clear');
  if (!isStartTlsAccepted(answer)) throw dropped(socket, 'StartTLS was refused');
}

/** BER: tag, then a length in its short or long form. Undefined while it is not all there. */
function messageLength(bytes: Buffer): number | undefined {
  const first = bytes[1];
  if (first === undefined) return undefined;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  if (count === 0 || count > 2) return Number.POSITIVE_INFINITY;
  return bytes.length < 2 + count ? undefined : 2 + count + bytes.readUIntBE(2, count);
}

/** ExtendedResponse (tag 0x78) to message 1, whose first element is the result code `success`. */
function isStartTlsAccepted(answer: Buffer): boolean {
  const body = answer.subarray(2 + ((answer[1] ?? 0) < 0x80 ? 0 : (answer[1] ?? 0) & 0x7f));
  if (!body.subarray(0, 3).equals(Buffer.from([0x02, 0x01, 0x01])) || body[3] !== 0x78) return false;
  const lengthBytes = (body[4] ?? 0) < 0x80 ? 1 : 1 + ((body[4] ?? 0) & 0x7f);
  return body.subarray(4 + lengthBytes, 7 + lengthBytes).equals(Buffer.from([0x0a, 0x01, 0x00]));
}

async function secured(socket: TLSSocket, signal: AbortSignal): Promise<TLSSocket> {
  return settled(socket, 'secureConnect', signal);
}

/** Resolves with the socket at the event; destroys it when it fails, ends or the time is over before. */
function settled<S extends Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const stop = (why: string) => {
      clear();
      reject(dropped(socket, why));
    };
    const done = () => {
      clear();
      resolve(socket);
    };
    const failed = (error: NodeJS.ErrnoException) => stop(error.code ?? error.name);
    const closed = () => stop('closed');
    const late = () => stop('timeout');
    function clear() {
      socket.off(event, done);
      socket.off('error', failed);
      socket.off('close', closed);
      signal.removeEventListener('abort', late);
    }
    socket.once(event, done);
    socket.once('error', failed);
    socket.once('close', closed);
    signal.addEventListener('abort', late, { once: true });
    if (signal.aborted) late();
  });
}

function dropped(socket: Socket, why: string): DirectoryUnavailable {
  // What comes after the reason is no news.
  socket.on('error', () => undefined);
  socket.destroy();
  return new DirectoryUnavailable(why);
}

function deadline(milliseconds: number): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), milliseconds);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
