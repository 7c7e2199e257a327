/** A small service class user of this test's own: associations, C-ECHO and C-STORE over real sockets, written from PS3.7 and PS3.8. */
import { connect as connectPlain, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

export const ctClass = '1.2.840.10008.5.1.4.1.1.2';
export const rawClass = '1.2.840.10008.5.1.4.1.1.66';
export const verification = '1.2.840.10008.1.1';
export const implicitLe = '1.2.840.10008.1.2';
export const explicitLe = '1.2.840.10008.1.2.1';

export interface Context {
  abstractSyntax: string;
  transferSyntaxes: string[];
}

export interface ScuOptions {
  port: number;
  calling?: string;
  called?: string;
  /** Numbered 1, 3, 5… */
  contexts?: Context[];
  tls?: ConnectionOptions;
  applicationContext?: string;
  protocolVersion?: number;
  maximumLength?: number;
  /** Octets of data in one P-DATA. */
  pieceBytes?: number;
  /** SOP classes a role selection is sent for. */
  roles?: string[];
}

export interface Reply {
  field: number;
  messageId: number;
  status: number;
  comment: string;
  sopClassUid: string;
  sopInstanceUid: string;
}

export class Rejected extends Error {
  readonly answer: { result: number; source: number; reason: number };
  constructor(answer: { result: number; source: number; reason: number }) {
    super(`rejected ${JSON.stringify(answer)}`);
    this.answer = answer;
  }
}

export interface Pdu {
  type: number;
  body: Buffer;
}

/** Bytes out, PDUs in. */
export interface RawScu {
  socket: Socket;
  send(bytes: Buffer): void;
  /** The next PDU; undefined at the end of the connection. */
  next(): Promise<Pdu | undefined>;
}

export interface Scu extends RawScu {
  /** Answer to each context, by its number. */
  contexts: Map<number, { result: number; transferSyntax: string }>;
  maximumLength: number;
  roles: { sopClass: string; scu: number; scp: number }[];
  implementationClass: string;
  echo(): Promise<Reply>;
  /** Sends what follows the File Meta Information of a file as its data set. */
  store(file: Buffer, options?: StoreOptions): Promise<Reply>;
  storeDataset(
    dataset: Buffer,
    options: Required<Pick<StoreOptions, 'sopClass' | 'sopInstance'>> & StoreOptions,
  ): Promise<Reply>;
  command(contextId: number, elements: Buffer): void;
  reply(): Promise<Reply>;
  release(): Promise<Pdu | undefined>;
}

export interface StoreOptions {
  contextId?: number;
  sopClass?: string;
  sopInstance?: string;
  /** False: more is to come, as from a sender that is interrupted. */
  isWhole?: boolean;
}

export async function openRaw({ port, tls }: Pick<ScuOptions, 'port' | 'tls'>): Promise<RawScu> {
  const socket = tls ? connectTls({ ...tls, port, host: '127.0.0.1' }) : connectPlain(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    socket.once(tls ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  let buffer = Buffer.alloc(0);
  let ended = false;
  let wake = () => {};
  socket.on('data', (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    wake();
  });
  for (const event of ['end', 'close'])
    socket.on(event, () => {
      ended = true;
      wake();
    });
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    async next() {
      for (;;) {
        const length = buffer.length >= 6 ? buffer.readUInt32BE(2) : 0;
        if (buffer.length >= 6 && buffer.length >= 6 + length) {
          const found = { type: buffer.readUInt8(0), body: buffer.subarray(6, 6 + length) };
          buffer = buffer.subarray(6 + length);
          return found;
        }
        if (ended) return undefined;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

/** @throws Rejected. */
export async function associate(options: ScuOptions): Promise<Scu> {
  const raw = await openRaw(options);
  raw.send(associateRequest(options));
  const answer = await raw.next();
  if (answer?.type === 3) {
    const [, result = 0, source = 0, reason = 0] = answer.body;
    raw.socket.end();
    throw new Rejected({ result, source, reason });
  }
  if (answer?.type !== 2) throw new Error(`answered by ${answer ? `PDU ${answer.type}` : 'the end'}`);
  const { pieceBytes = 16_000 } = options;
  const said = readAccept(answer.body);
  let messageId = 0;
  const closed = new Promise<void>((resolve) => raw.socket.once('close', () => resolve()));
  const storeDataset: Scu['storeDataset'] = async (dataset, options) => {
    const { contextId = 1, sopClass, sopInstance, isWhole = true } = options;
    messageId += 1;
    raw.send(
      dataPdu(
        contextId,
        3,
        command([
          [0x0002, uid(sopClass)],
          [0x0100, u16(0x0001)],
          [0x0110, u16(messageId)],
          [0x0700, u16(0)],
          [0x0800, u16(1)],
          [0x1000, uid(sopInstance)],
        ]),
      ),
    );
    for (let at = 0; at === 0 || at < dataset.length; at += pieceBytes) {
      const isLast = isWhole && at + pieceBytes >= dataset.length;
      const fits = raw.socket.write(dataPdu(contextId, isLast ? 2 : 0, dataset.subarray(at, at + pieceBytes)));
      if (!fits && !raw.socket.destroyed)
        await Promise.race([new Promise<void>((resolve) => raw.socket.once('drain', resolve)), closed]);
    }
    return scu.reply();
  };
  const scu: Scu = {
    ...raw,
    ...said,
    async echo() {
      messageId += 1;
      scu.command(
        1,
        command([
          [0x0002, uid(verification)],
          [0x0100, u16(0x0030)],
          [0x0110, u16(messageId)],
          [0x0800, u16(0x0101)],
        ]),
      );
      return scu.reply();
    },
    command: (contextId, elements) => raw.send(dataPdu(contextId, 3, elements)),
    async reply() {
      const pdu = await raw.next();
      if (pdu?.type !== 4)
        throw new Error(`answered by ${pdu ? `PDU ${pdu.type} ${pdu.body.toString('hex')}` : 'the end'}`);
      return readReply(pdu.body.subarray(6));
    },
    store: (file, named = {}) => {
      const { dataset, sopClass, sopInstance } = datasetOf(file);
      return storeDataset(dataset, { sopClass, sopInstance, ...named });
    },
    storeDataset,
    async release() {
      raw.send(pduBytes(5, Buffer.alloc(4)));
      const reply = await raw.next();
      raw.socket.end();
      return reply;
    },
  };
  return scu;
}

/** What of a Part 10 file travels, and what it is. Explicit little endian or implicit. */
export function datasetOf(file: Buffer): { dataset: Buffer; sopClass: string; sopInstance: string } {
  let at = 132;
  while (at + 8 <= file.length && file.readUInt16LE(at) === 2) {
    const long = ['OB', 'UN', 'OW'].includes(file.toString('latin1', at + 4, at + 6));
    at += long ? 12 + file.readUInt32LE(at + 8) : 8 + file.readUInt16LE(at + 6);
  }
  const dataset = file.subarray(at);
  const value = (element: number) => {
    const found = dataset.indexOf(Buffer.from([0x08, 0x00, element, 0x00, 0x55, 0x49]));
    if (found === -1) return '';
    const length = dataset.readUInt16LE(found + 6);
    return dataset.toString('latin1', found + 8, found + 8 + length).replace(/\0$/, '');
  };
  return { dataset, sopClass: value(0x16), sopInstance: value(0x18) };
}

export function associateRequest(options: Omit<ScuOptions, 'port'>): Buffer {
  const {
    calling = 'TEST_PACS',
    called = 'PASSERELLE',
    contexts = [{ abstractSyntax: verification, transferSyntaxes: [implicitLe] }],
    applicationContext = '1.2.840.10008.3.1.1.1',
    protocolVersion = 1,
    maximumLength = 16_384,
    roles = [],
  } = options;
  const version = Buffer.alloc(4);
  version.writeUInt16BE(protocolVersion);
  const maximum = Buffer.alloc(4);
  maximum.writeUInt32BE(maximumLength);
  return pduBytes(
    1,
    Buffer.concat([
      version,
      Buffer.from(called.padEnd(16).slice(0, 16), 'latin1'),
      Buffer.from(calling.padEnd(16).slice(0, 16), 'latin1'),
      Buffer.alloc(32),
      item(0x10, Buffer.from(applicationContext)),
      ...contexts.map(({ abstractSyntax, transferSyntaxes }, index) =>
        item(
          0x20,
          Buffer.concat([
            Buffer.from([index * 2 + 1, 0, 0, 0]),
            item(0x30, Buffer.from(abstractSyntax)),
            ...transferSyntaxes.map((syntax) => item(0x40, Buffer.from(syntax))),
          ]),
        ),
      ),
      item(
        0x50,
        Buffer.concat([
          item(0x51, maximum),
          item(0x52, Buffer.from('2.25.1')),
          // Asynchronous operations: nobody has to answer it.
          item(0x53, Buffer.from([0, 5, 0, 5])),
          ...roles.map((role) =>
            item(0x54, Buffer.concat([Buffer.from([0, role.length]), Buffer.from(role), Buffer.from([1, 1])])),
          ),
          item(0x55, Buffer.from('TESTSCU')),
        ]),
      ),
    ]),
  );
}

function readAccept(body: Buffer): Pick<Scu, 'contexts' | 'maximumLength' | 'roles' | 'implementationClass'> {
  const said = { contexts: new Map(), maximumLength: 0, roles: [] as Scu['roles'], implementationClass: '' };
  for (const { type, value } of items(body.subarray(68))) {
    if (type === 0x21) {
      const syntax = items(value.subarray(4)).find(({ type: kind }) => kind === 0x40);
      said.contexts.set(value[0], { result: value[2], transferSyntax: syntax?.value.toString('latin1') ?? '' });
    }
    if (type !== 0x50) continue;
    for (const { type: kind, value: part } of items(value)) {
      if (kind === 0x51) said.maximumLength = part.readUInt32BE(0);
      if (kind === 0x52) said.implementationClass = part.toString('latin1');
      if (kind === 0x53) throw new Error('an asynchronous window was agreed');
      if (kind !== 0x54) continue;
      const end = 2 + part.readUInt16BE(0);
      said.roles.push({ sopClass: part.toString('latin1', 2, end), scu: part[end] ?? 9, scp: part[end + 1] ?? 9 });
    }
  }
  return said;
}

function items(bytes: Buffer): { type: number; value: Buffer }[] {
  const found = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt16BE(at + 2);
    found.push({ type: bytes.readUInt8(at), value: bytes.subarray(at + 4, at + 4 + length) });
    at += 4 + length;
  }
  return found;
}

function readReply(bytes: Buffer): Reply {
  const values = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    values.set(bytes.readUInt16LE(at + 2), bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  const groupLength = values.get(0)?.readUInt32LE(0);
  if (groupLength !== bytes.length - 12) throw new Error('the group length is wrong');
  const number = (element: number) => values.get(element)?.readUInt16LE(0) ?? -1;
  const text = (element: number) => (values.get(element)?.toString('latin1') ?? '').replace(/[\0 ]+$/, '');
  return {
    field: number(0x0100),
    messageId: number(0x0120),
    status: number(0x0900),
    comment: text(0x0902),
    sopClassUid: text(0x0002),
    sopInstanceUid: text(0x1000),
  };
}

/** @param flags 1 command, 2 last. */
export function dataPdu(contextId: number, flags: number, bytes: Buffer): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt32BE(bytes.length + 2);
  head.writeUInt8(contextId, 4);
  head.writeUInt8(flags, 5);
  return pduBytes(4, Buffer.concat([head, bytes]));
}

export function pduBytes(type: number, body: Buffer): Buffer {
  const head = Buffer.from([type, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length, 2);
  return Buffer.concat([head, body]);
}

export function command(elements: (readonly [number, Buffer])[]): Buffer {
  const body = Buffer.concat(elements.map(([number, value]) => element(number, value)));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([element(0, length), body]);
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

export function uid(text: string): Buffer {
  return Buffer.from(text.length % 2 === 0 ? text : `${text}\0`, 'latin1');
}

function element(number: number, value: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(number, 2);
  head.writeUInt32LE(value.length, 4);
  return Buffer.concat([head, value]);
}

function item(type: number, value: Buffer): Buffer {
  const head = Buffer.from([type, 0, 0, 0]);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value]);
}
