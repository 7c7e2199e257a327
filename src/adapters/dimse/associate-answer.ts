/** PS3.8 §9.3.3: A-ASSOCIATE-AC. */
import type { AssociateRequest } from './associate-items.ts';
import type { ContextAnswer } from './negotiation.ts';
import { pduType } from './pdu-reader.ts';
import { pdu } from './pdu-writer.ts';

export const applicationContext = '1.2.840.10008.3.1.1.1';
/** What this program calls itself (PS3.7 Annex D.3.3.2): 16 characters at most. */
export const implementationVersion = 'PASSERELLE_1';
const aeBytes = 16;

export interface OwnEnd {
  /** Largest P-DATA we take. */
  maximumLength: number;
  implementationClass: string;
}

/** @param answers one for each context asked for, in order. */
export function acceptPdu(request: AssociateRequest, answers: readonly ContextAnswer[], own: OwnEnd): Buffer {
  const version = Buffer.alloc(4);
  version.writeUInt16BE(1, 0);
  const maximum = Buffer.alloc(4);
  maximum.writeUInt32BE(own.maximumLength);
  return pdu(
    pduType.associateAccept,
    Buffer.concat([
      version,
      aeField(request.calledAe),
      aeField(request.callingAe),
      Buffer.alloc(32),
      associateItem(0x10, Buffer.from(applicationContext, 'latin1')),
      ...answers.map(({ id, result, transferSyntax }) =>
        associateItem(
          0x21,
          Buffer.concat([Buffer.from([id, 0, result, 0]), associateItem(0x40, Buffer.from(transferSyntax, 'latin1'))]),
        ),
      ),
      associateItem(
        0x50,
        Buffer.concat([
          associateItem(0x51, maximum),
          associateItem(0x52, Buffer.from(own.implementationClass, 'latin1')),
          ...roleAnswers(request, answers),
          associateItem(0x55, Buffer.from(implementationVersion, 'latin1')),
        ]),
      ),
    ]),
  );
}

/** They send and we receive, whatever else was asked for. */
function roleAnswers({ roles, contexts }: AssociateRequest, answers: readonly ContextAnswer[]): Buffer[] {
  const accepted = new Set(answers.filter(({ result }) => result === 0).map(({ id }) => id));
  const classes = new Set(contexts.filter(({ id }) => accepted.has(id)).map(({ abstractSyntax }) => abstractSyntax));
  return roles
    .filter(({ sopClass }) => classes.has(sopClass))
    .map(({ sopClass, scu }) => {
      const uid = Buffer.from(sopClass, 'latin1');
      const length = Buffer.alloc(2);
      length.writeUInt16BE(uid.length);
      return associateItem(0x54, Buffer.concat([length, uid, Buffer.from([scu ? 1 : 0, 0])]));
    });
}

/** An item of an association PDU (PS3.8 §9.3.2). */
export function associateItem(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt8(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value]);
}

/** An AE title as it is in a PDU. */
export function aeField(title: string): Buffer {
  return Buffer.from(title.slice(0, aeBytes).padEnd(aeBytes), 'latin1');
}
