/** PS3.4 §J.3.3: N-EVENT-REPORT: which instances we answer for and which not, over an association that we open as provider of the class. */
import type { Custody, NamedInstance } from '../../imaging/index.ts';
import { commandSet, shortElement, uidElement } from './command-set.ts';
import { commitmentClass, commitmentInstance } from './sop-classes.ts';

export interface Judged extends NamedInstance {
  custody: Custody;
}

/** Failure Reason (0008,1197). */
const reasons: Readonly<Record<Exclude<Custody, 'held'>, number>> = {
  unknown: 0x0112,
  'other-class': 0x0119,
  damaged: 0x0110,
};

const eventReport = 0x0100;
const allCommitted = 1;
const someFailed = 2;

export function reportCommand(messageId: number, judged: readonly Judged[]): Buffer {
  const isAll = judged.every(({ custody }) => custody === 'held');
  return commandSet([
    uidElement(0x0002, commitmentClass),
    shortElement(0x0100, eventReport),
    shortElement(0x0110, messageId),
    shortElement(0x0800, 1),
    uidElement(0x1000, commitmentInstance),
    shortElement(0x1002, isAll ? allCommitted : someFailed),
  ]);
}

/** Implicit little endian. */
export function reportDataset(transactionUid: string, judged: readonly Judged[]): Buffer {
  const failed = judged.filter(({ custody }) => custody !== 'held');
  const held = judged.filter(({ custody }) => custody === 'held');
  const named = ({ sopClassUid, sopUid }: Judged) => [uid(0x1150, sopClassUid), uid(0x1155, sopUid)];
  return Buffer.concat([
    uid(0x1195, transactionUid),
    ...(failed.length === 0
      ? []
      : [
          sequence(
            0x1198,
            failed.map((one) => [...named(one), short(0x1197, one.custody === 'held' ? 0 : reasons[one.custody])]),
          ),
        ]),
    ...(held.length === 0 ? [] : [sequence(0x1199, held.map(named))]),
  ]);
}

/** Items hold their elements in the order of the numbers. */
function sequence(number: number, items: readonly (readonly Buffer[])[]): Buffer {
  const content = items.map((elements) => {
    const body = Buffer.concat(elements);
    const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
    head.writeUInt32LE(body.length, 4);
    return Buffer.concat([head, body]);
  });
  return element(number, Buffer.concat(content));
}

function uid(number: number, text: string): Buffer {
  return element(number, Buffer.from(text.length % 2 === 0 ? text : `${text}\0`, 'latin1'));
}

function short(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return element(number, bytes);
}

/** Of group 0008. */
function element(number: number, value: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(0x0008, 0);
  head.writeUInt16LE(number, 2);
  head.writeUInt32LE(value.length, 4);
  return Buffer.concat([head, value]);
}
