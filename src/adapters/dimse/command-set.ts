/** PS3.7 §6.3, Annex E: the command sets of DIMSE, implicit little endian elements of group 0000. */
import { malformed } from './protocol-error.ts';

export const commandField = {
  storeRequest: 0x0001,
  echoRequest: 0x0030,
  actionRequest: 0x0130,
  cancel: 0x0fff,
  /** Added to a request's number in its response. */
  response: 0x8000,
} as const;

/** Value of (0000,0800) when no data set follows. */
const noDataset = 0x0101;

export interface Command {
  field: number;
  /** (0000,0110); of responses (0000,0120). */
  messageId: number;
  hasDataset: boolean;
  /** (0000,0002), or (0000,0003) where a request has that one. */
  sopClassUid?: string;
  /** (0000,1000), or (0000,1001). */
  sopInstanceUid?: string;
  /** (0000,1008) */
  actionType?: number;
  /** (0000,0900), of a response. */
  status?: number;
}

/** @throws ProtocolError when it is no command set, or lacks what every command has. */
export function readCommand(bytes: Buffer): Command {
  const values = new Map<number, Buffer>();
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) throw malformed('a command element is cut');
    const length = bytes.readUInt32LE(at + 4);
    if (bytes.readUInt16LE(at) !== 0 || length > bytes.length - at - 8) throw malformed('no command set');
    values.set(bytes.readUInt16LE(at + 2), bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  const number = (element: number): number | undefined => {
    const value = values.get(element);
    return value && value.length >= 2 ? value.readUInt16LE(0) : undefined;
  };
  const uid = (...elements: number[]): string | undefined => {
    const value = elements.map((element) => values.get(element)).find((found) => found !== undefined);
    return value?.toString('latin1').replace(/[\0 ]+$/, '');
  };
  const field = number(0x0100);
  const messageId = number(field !== undefined && field >= commandField.response ? 0x0120 : 0x0110);
  const type = number(0x0800);
  if (field === undefined || type === undefined) throw malformed('a command without its field or its data set type');
  // C-CANCEL names the message it is about; everything else has a number of its own.
  const id = messageId ?? number(0x0120);
  if (id === undefined) throw malformed('a command without a message number');
  const [actionType, status] = [number(0x1008), number(0x0900)];
  const sopClassUid = uid(0x0002, 0x0003);
  const sopInstanceUid = uid(0x1000, 0x1001);
  return {
    field,
    messageId: id,
    hasDataset: type !== noDataset,
    ...(sopClassUid === undefined ? {} : { sopClassUid }),
    ...(sopInstanceUid === undefined ? {} : { sopInstanceUid }),
    ...(actionType === undefined ? {} : { actionType }),
    ...(status === undefined ? {} : { status }),
  };
}

export interface Response {
  status: number;
  /** Error Comment (0000,0902), 64 characters at most; never a value of the data set. */
  comment?: string;
}

/** The response to a request, without a data set. */
export function responseTo(request: Command, { status, comment }: Response): Buffer {
  const { sopClassUid, sopInstanceUid } = request;
  return commandSet([
    ...(sopClassUid === undefined ? [] : [uidElement(0x0002, sopClassUid)]),
    shortElement(0x0100, request.field | commandField.response),
    shortElement(0x0120, request.messageId),
    shortElement(0x0800, noDataset),
    shortElement(0x0900, status),
    ...(comment ? [textElement(0x0902, comment)] : []),
    ...(sopInstanceUid === undefined ? [] : [uidElement(0x1000, sopInstanceUid)]),
  ]);
}

/** Elements in the order of their numbers behind their group length. */
export function commandSet(elements: readonly Buffer[]): Buffer {
  const body = Buffer.concat(elements);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([element(0x0000, length), body]);
}

export function shortElement(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return element(number, bytes);
}

const longestUid = 64;
const longestComment = 64;

export function uidElement(number: number, uid: string): Buffer {
  const text = uid.slice(0, longestUid);
  return element(number, Buffer.from(text.length % 2 === 0 ? text : `${text}\0`, 'latin1'));
}

function textElement(number: number, text: string): Buffer {
  const ascii = text.replace(/[^ -~]/g, '?').slice(0, longestComment);
  return element(number, Buffer.from(ascii.length % 2 === 0 ? ascii : `${ascii} `, 'latin1'));
}

function element(number: number, value: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(number, 2);
  head.writeUInt32LE(value.length, 4);
  return Buffer.concat([head, value]);
}
