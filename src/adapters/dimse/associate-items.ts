/** PS3.8 §9.3.2, Annex D and PS3.7 Annex D.3: what A-ASSOCIATE-RQ says. */
import { malformed } from './protocol-error.ts';

/** One presentation context as it is asked for. */
export interface ProposedContext {
  id: number;
  abstractSyntax: string;
  transferSyntaxes: string[];
}

export interface AssociateRequest {
  protocolVersion: number;
  /** Without padding. */
  calledAe: string;
  callingAe: string;
  applicationContext: string;
  contexts: ProposedContext[];
  /** Largest P-DATA the other side takes; 0: any. */
  maximumLength: number;
  /** Roles it wants, by SOP class (PS3.7 §D.3.3.4). */
  roles: { sopClass: string; scu: boolean; scp: boolean }[];
  implementationClass?: string;
  implementationVersion?: string;
}

const fixedBytes = 68;
const mostContexts = 128;

/** @throws ProtocolError when the body is not built as the standard says. */
export function readAssociateRequest(body: Buffer): AssociateRequest {
  if (body.length < fixedBytes) throw malformed('A-ASSOCIATE-RQ is too short');
  const request: AssociateRequest = {
    protocolVersion: body.readUInt16BE(0),
    calledAe: aeTitle(body.subarray(4, 20)),
    callingAe: aeTitle(body.subarray(20, 36)),
    applicationContext: '',
    contexts: [],
    maximumLength: 0,
    roles: [],
  };
  const ids = new Set<number>();
  for (const { type, value } of items(body.subarray(fixedBytes))) {
    if (type === 0x10) request.applicationContext = uidText(value);
    else if (type === 0x20) {
      const context = readContext(value);
      if (ids.has(context.id) || ids.size >= mostContexts) throw malformed('two presentation contexts of one number');
      ids.add(context.id);
      request.contexts.push(context);
    } else if (type === 0x50) readUserInformation(value, request);
  }
  return request;
}

/** What A-ASSOCIATE-AC says: the contexts accepted, and the largest P-DATA the other side takes. @throws ProtocolError. */
export function readAcceptance(body: Buffer): { accepted: ReadonlySet<number>; maximumLength: number } {
  if (body.length < fixedBytes) throw malformed('A-ASSOCIATE-AC is too short');
  const accepted = new Set<number>();
  let maximumLength = 0;
  for (const { type, value } of items(body.subarray(fixedBytes))) {
    if (type === 0x21 && value.length >= 4 && value.readUInt8(2) === 0) accepted.add(value.readUInt8(0));
    if (type !== 0x50) continue;
    const maximum = [...items(value)].find(({ type: kind, value: part }) => kind === 0x51 && part.length === 4);
    maximumLength = maximum?.value.readUInt32BE(0) ?? 0;
  }
  return { accepted, maximumLength };
}

function readContext(value: Buffer): ProposedContext {
  if (value.length < 4) throw malformed('presentation context is too short');
  const id = value.readUInt8(0);
  if (id % 2 === 0) throw malformed('presentation context of an even number');
  const context: ProposedContext = { id, abstractSyntax: '', transferSyntaxes: [] };
  for (const { type, value: part } of items(value.subarray(4))) {
    if (type === 0x30) context.abstractSyntax = uidText(part);
    else if (type === 0x40) context.transferSyntaxes.push(uidText(part));
  }
  return context;
}

function readUserInformation(value: Buffer, request: AssociateRequest): void {
  for (const { type, value: part } of items(value)) {
    if (type === 0x51) {
      if (part.length !== 4) throw malformed('Maximum Length is not four bytes');
      request.maximumLength = part.readUInt32BE(0);
    } else if (type === 0x52) request.implementationClass = uidText(part);
    else if (type === 0x55) request.implementationVersion = part.toString('latin1').trim();
    else if (type === 0x54) request.roles.push(readRole(part));
    // Asynchronous operations, extended negotiation, user identity: not answered means not agreed (PS3.7 Annex D.3.3).
  }
}

function readRole(part: Buffer): AssociateRequest['roles'][number] {
  const length = part.length < 2 ? 0 : part.readUInt16BE(0);
  if (part.length < length + 4) throw malformed('role selection is too short');
  return {
    sopClass: uidText(part.subarray(2, 2 + length)),
    scu: part.readUInt8(2 + length) === 1,
    scp: part.readUInt8(3 + length) === 1,
  };
}

function* items(bytes: Buffer): Generator<{ type: number; value: Buffer }> {
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw malformed('an item is cut');
    const length = bytes.readUInt16BE(at + 2);
    if (at + 4 + length > bytes.length) throw malformed('an item is longer than what holds it');
    yield { type: bytes.readUInt8(at), value: bytes.subarray(at + 4, at + 4 + length) };
    at += 4 + length;
  }
}

/** Spaces around do not count (PS3.8 §9.3.2); what is no character of an AE title makes a name nobody has. */
function aeTitle(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/\0+$/, '').trim();
}

/** Padding by NUL is wrong here but met. */
function uidText(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\0 ]+$/, '');
}
