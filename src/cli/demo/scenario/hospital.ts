/** The hospital of a scenario: its RIS over MLLP in both directions, its PACS over STOW-RS. Whatever passes is kept as a file. */
import type { Endpoint } from '@medplum/fhirtypes';
import { sendMessage } from '../../../adapters/hl7v2/index.ts';
import type { DemoCase } from '../../demonstration/cases.ts';
import { cancellationMessage, complementMessage, requestMessage } from '../../demonstration/messages.ts';
import { type Received, segment, startSimulatedRis } from '../../demonstration/ris.ts';
import { acquire, newUid, send } from '../../demonstration/scanner.ts';
import type { ChildServer } from '../child-server.ts';
import { expect, until } from '../steps.ts';
import type { Cast } from './cast.ts';

const answerWaitMs = 30_000;

/** An exam and the study it makes. */
export interface Exam {
  exam: DemoCase;
  studyUid: string;
}

export interface Hospital {
  /** Tells the platform where the RIS listens. */
  declare(): Promise<void>;
  /** Flow 1. @returns the acknowledgement, `MSA|AA|…`. */
  request(exam: DemoCase): Promise<string>;
  /** Flow 2. */
  cancel(exam: DemoCase, reason: string): Promise<string>;
  /** Makes the images and sends them. @returns how many. */
  sendImages(exam: Exam): Promise<number>;
  /** Flow 4. */
  announceExam(exam: Exam): Promise<string>;
  /** The next message of this event that has not been looked at; waits for it. */
  receives(event: 'ORU^R01' | 'MDM^T02' | 'MDM^T10'): Promise<Received>;
  /** Messages of this event so far, looked at or not. */
  received(event: string): number;
  /** What came and nobody has looked at, as `MDM^T02`. */
  unexpected(): string[];
  close(): Promise<void>;
}

/** A study of this exam, with an identifier of its own. */
export function examOf(exam: DemoCase): Exam {
  return { exam, studyUid: newUid() };
}

export async function createHospital(options: {
  server: () => ChildServer;
  cast: Cast;
  now: () => Date;
  save(name: string, content: string | Uint8Array): Promise<void>;
}): Promise<Hospital> {
  const { server, cast, now, save } = options;
  const ris = await startSimulatedRis(0);
  const lookedAt = new Set<Received>();
  let sent = 0;
  let kept = 0;
  const nextName = (name: string) => `${String(++kept).padStart(2, '0')}-${name.replace('^', '-').toLowerCase()}.hl7`;

  async function tell(name: string, make: (controlId: string, at: Date) => string): Promise<string> {
    const text = make(`SCN${String(++sent).padStart(7, '0')}`, now());
    await save(nextName(`${name}-sent`), text);
    const answer = await sendMessage({ host: '127.0.0.1', port: server().mllpPort }, Buffer.from(text));
    await save(nextName(`${name}-answer`), answer);
    return segment(answer.toString(), 'MSA').join('|');
  }

  return {
    async declare() {
      const operator = await cast.machine('conformance');
      const endpoint = await operator.read<Endpoint>('Endpoint', 'ris-ch-exemple');
      await operator.update({ ...endpoint, address: `mllp://127.0.0.1:${ris.port}` });
    },
    request: (exam) => tell('orm^o01-nw', (id, at) => requestMessage(exam, id, at)),
    cancel: (exam, reason) => tell('orm^o01-ca', (id, at) => cancellationMessage(exam, reason, id, at)),
    announceExam: ({ exam, studyUid }) => tell('omi^o23', (id, at) => complementMessage(exam, studyUid, at, id, at)),
    async sendImages({ exam, studyUid }) {
      const { token } = await cast.machine('ris-demo');
      const { instances } = acquire(exam, studyUid, now());
      await send(server().httpUrl, token, instances);
      return instances.length;
    },
    async receives(event) {
      const message = await until(`un message ${event} à l’hôpital`, answerWaitMs, async () =>
        ris.received.find((each) => each.event === event && !lookedAt.has(each)),
      );
      lookedAt.add(message);
      await save(nextName(`${event}-received`), message.bytes);
      return message;
    },
    received: (event) => ris.received.filter((each) => each.event === event).length,
    unexpected: () => ris.received.filter((each) => !lookedAt.has(each)).map(({ event }) => event),
    close: () => ris.close(),
  };
}

/** @throws Error unless the platform took the message in charge. */
export function accepted(msa: string): string {
  expect(msa.startsWith('MSA|AA|'), `answered ${msa}`);
  return msa;
}
