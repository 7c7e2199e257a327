/** A modality for measurements: one association that sends one CT instance after the other by C-STORE (PS3.7 §9.1.1), and waits for each answer. */
import { connect } from 'node:net';
import { commandSet, dataPdus, pdu, shortElement, uidElement } from '../../adapters/dimse/index.ts';

export interface DicomSender {
  /** @throws Error with the status when the archive did not say success. */
  send(instance: OutgoingInstance): Promise<void>;
  close(): void;
}

export interface OutgoingInstance {
  sopInstanceUid: string;
  /** Data set in explicit little endian. */
  dataset: Buffer;
}

const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2';
const explicitLittleEndian = '1.2.840.10008.1.2.1';
const maximumPdu = 128 * 1024;
const fileMetaStart = 132;

/** The instance of a Part 10 file of ours: what follows its File Meta Information, whose first element tells its length. */
export function outgoing(file: Buffer): OutgoingInstance {
  const end = fileMetaStart + 12 + file.readUInt32LE(fileMetaStart + 8);
  const meta = file.subarray(0, end);
  const at = meta.indexOf(Buffer.from([0x02, 0x00, 0x03, 0x00]), fileMetaStart);
  const uid = meta.toString('latin1', at + 8, at + 8 + meta.readUInt16LE(at + 6));
  return { sopInstanceUid: uid.replace(/\0$/, ''), dataset: file.subarray(end) };
}

/** @throws Error when the association is not accepted. */
export async function openDicomSender(port: number): Promise<DicomSender> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  let received = Buffer.alloc(0);
  let failure: Error | undefined;
  let wake = () => {};
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    wake();
  });
  socket.on('close', () => {
    failure ??= new Error('the archive closed the association');
    wake();
  });
  socket.on('error', (error) => {
    failure = error;
  });
  const next = async (): Promise<{ type: number; body: Buffer }> => {
    for (;;) {
      const length = received.length < 6 ? Number.POSITIVE_INFINITY : 6 + received.readUInt32BE(2);
      if (received.length >= length) {
        const answer = { type: received.readUInt8(0), body: received.subarray(6, length) };
        received = received.subarray(length);
        return answer;
      }
      if (failure) throw failure;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  socket.write(associateRequest());
  if ((await next()).type !== 2) throw new Error('the archive refused the association');
  let messageId = 0;
  return {
    async send({ sopInstanceUid, dataset }) {
      messageId = (messageId % 0xffff) + 1;
      const command = commandSet([
        uidElement(0x0002, ctImageStorage),
        shortElement(0x0100, 1),
        shortElement(0x0110, messageId),
        shortElement(0x0700, 0),
        shortElement(0x0800, 1),
        uidElement(0x1000, sopInstanceUid),
      ]);
      socket.cork();
      socket.write(dataPdus(1, true, command, maximumPdu));
      socket.write(dataPdus(1, false, dataset, maximumPdu));
      socket.uncork();
      const { body } = await next();
      const status = body.indexOf(Buffer.from([0x00, 0x00, 0x00, 0x09, 0x02, 0x00, 0x00, 0x00]));
      const code = status === -1 ? -1 : body.readUInt16LE(status + 8);
      if (code !== 0) throw new Error(`C-STORE was answered ${code.toString(16)}`);
    },
    close: () => socket.destroy(),
  };
}

function associateRequest(): Buffer {
  const head = Buffer.alloc(68);
  head.writeUInt16BE(1, 0);
  head.write('PASSERELLE'.padEnd(16), 4, 'latin1');
  head.write('MESURE'.padEnd(16), 20, 'latin1');
  const maximum = Buffer.alloc(4);
  maximum.writeUInt32BE(maximumPdu);
  const text = (type: number, value: string) => item(type, Buffer.from(value, 'latin1'));
  return pdu(
    1,
    Buffer.concat([
      head,
      text(0x10, '1.2.840.10008.3.1.1.1'),
      item(
        0x20,
        Buffer.concat([Buffer.from([1, 0, 0, 0]), text(0x30, ctImageStorage), text(0x40, explicitLittleEndian)]),
      ),
      item(0x50, Buffer.concat([item(0x51, maximum), text(0x52, '2.25.302043790172249692526321623266752743502')])),
    ]),
  );
}

function item(type: number, value: Buffer): Buffer {
  const head = Buffer.from([type, 0, 0, 0]);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value]);
}
