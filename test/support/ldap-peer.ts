/**
 * A small directory for tests: the server's side of RFC 4511 as far as our client speaks it (bind, search, StartTLS), over real
 * sockets. It notes what it was asked, and can misbehave on request.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { BerReader, BerWriter, FilterParser } from 'ldapts';

export interface PeerEntry {
  dn: string;
  /** Absent: nobody can bind as this entry. */
  password?: string;
  /** Result code of a bind as this entry, whatever the password. */
  bindResult?: number;
  attributes: Record<string, string[] | Buffer>;
}

export interface LdapPeer {
  port: number;
  entries: PeerEntry[];
  /** `bind <dn> <password>`, `search <filter>`, with `clear ` in front of what came without TLS. */
  readonly heard: string[];
  /** Of every search, when set. */
  searchResult: number | undefined;
  /** What to send right behind the answer to StartTLS, in clear. */
  afterStartTls: Buffer | undefined;
  /** Accept connections and say nothing. */
  silent: boolean;
  close(): Promise<void>;
}

interface Operation {
  id: number;
  tag: number;
  reader: BerReader;
}

const startTlsName = '1.3.6.1.4.1.1466.20037';
const answerTag: Record<number, number> = { 96: 0x61, 99: 0x65, 119: 0x78 };

export async function openLdapPeer(
  pem: { key: string; cert: string },
  options: { secure: boolean; entries: PeerEntry[] },
): Promise<LdapPeer> {
  const sockets = new Set<Socket>();
  const heard: string[] = [];
  const server = options.secure ? createTlsServer(pem, attend) : createServer(attend);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  if (options.secure) server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const peer: LdapPeer = {
    port: (server.address() as AddressInfo).port,
    entries: options.entries,
    heard,
    searchResult: undefined,
    afterStartTls: undefined,
    silent: false,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };

  function attend(socket: Socket): void {
    socket.on('error', () => undefined);
    const clear = socket instanceof TLSSocket ? '' : 'clear ';
    let bytes = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let message = takeMessage(); message; message = takeMessage()) answer(message);
    };
    socket.on('data', onData);

    function takeMessage(): Operation | undefined {
      const reader = new BerReader(bytes);
      if (reader.readSequence() === null || reader.length > reader.remain) return undefined;
      const end = reader.offset + reader.length;
      const id = reader.readInt() ?? 0;
      const tag = reader.readSequence() ?? 0;
      const body = new BerReader(Buffer.from(bytes.subarray(reader.offset, end)));
      bytes = bytes.subarray(end);
      return { id, tag, reader: body };
    }

    function answer({ id, tag, reader }: Operation): void {
      if (peer.silent) return;
      if (tag === 0x77) {
        const isStartTls = reader.readString(0x80) === startTlsName;
        socket.write(result(id, 0x78, isStartTls ? 0 : 2));
        if (peer.afterStartTls) socket.write(peer.afterStartTls);
        socket.off('data', onData);
        attend(new TLSSocket(socket, { isServer: true, ...pem }));
      } else if (tag === 0x60) {
        reader.readInt();
        const dn = reader.readString() ?? '';
        const password = reader.readString(0x80) ?? '';
        heard.push(`${clear}bind ${dn} ${password}`);
        socket.write(result(id, 0x61, bindResult(dn, password)));
      } else if (tag === 0x63) {
        for (const found of search(reader)) socket.write(entryMessage(id, found));
        socket.write(result(id, 0x65, peer.searchResult ?? 0));
      }
    }

    function search(reader: BerReader): PeerEntry[] {
      const base = (reader.readString() ?? '').toLowerCase();
      reader.readEnumeration();
      reader.readEnumeration();
      const limit = reader.readInt() ?? 0;
      reader.readInt();
      reader.readBoolean();
      const filter = FilterParser.parse(reader);
      heard.push(`${clear}search ${filter.toString()}`);
      const matching = peer.entries.filter(
        (entry) => entry.dn.toLowerCase().endsWith(base) && filter.matches(matchable(entry), false),
      );
      return limit > 0 ? matching.slice(0, limit) : matching;
    }
  }

  function bindResult(dn: string, password: string): number {
    // Like many real servers: a name without a password is nobody in particular, and welcome.
    if (password === '') return 0;
    const entry = peer.entries.find((one) => one.dn.toLowerCase() === dn.toLowerCase());
    return entry?.bindResult ?? (entry?.password === password ? 0 : 49);
  }

  return peer;
}

/** Filters of the library look at single values: each of several gets its turn by a name of its own. */
function matchable(entry: PeerEntry): Record<string, string> {
  const pairs = Object.entries(entry.attributes).map(([name, values]) => [
    name,
    Buffer.isBuffer(values) ? values.toString('latin1') : (values[0] ?? ''),
  ]);
  return Object.fromEntries([...pairs, ['dn', entry.dn]]);
}

/** LDAPResult with an empty name and text. */
function result(id: number, tag: number, code: number): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  writer.startSequence(answerTag[tag] ?? tag);
  writer.writeEnumeration(code);
  writer.writeString('');
  writer.writeString('');
  writer.endSequence();
  writer.endSequence();
  return writer.buffer;
}

function entryMessage(id: number, { dn, attributes }: PeerEntry): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  writer.startSequence(0x64);
  writer.writeString(dn);
  writer.startSequence();
  for (const [name, values] of Object.entries(attributes)) {
    writer.startSequence();
    writer.writeString(name);
    writer.startSequence(0x31);
    for (const value of Buffer.isBuffer(values) ? [values] : values) {
      if (typeof value === 'string') writer.writeString(value);
      else writer.writeBuffer(value, 0x04);
    }
    writer.endSequence();
    writer.endSequence();
  }
  writer.endSequence();
  writer.endSequence();
  writer.endSequence();
  return writer.buffer;
}
