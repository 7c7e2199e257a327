/**
 * A report that was an error is withdrawn from the hospital whatever becomes of the server (docs/decisions/0029): it is killed (kill -9)
 * while the withdrawal is on its way, before the hospital has it and after, and while the report itself is; and started again on the same data.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint, Parameters, Resource, Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFrameDecoder, frame } from '../../src/adapters/hl7v2/frames.ts';
import { sendMessage } from '../../src/adapters/hl7v2/index.ts';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { type Caller, caseState, signIn, withToken } from '../../src/cli/demo/people.ts';
import { type ReportText, reportParameters } from '../../src/cli/demo/scenario/beats.ts';
import { cough, headache, polytrauma, stroke } from '../../src/cli/demo/scenario/exams.ts';
import { headacheReport, polytraumaReport, strokeReport, thoraxReport } from '../../src/cli/demo/scenario/reports.ts';
import { until } from '../../src/cli/demo/steps.ts';
import { displaySeries } from '../../src/cli/demo/viewer.ts';
import type { DemoCase } from '../../src/cli/demonstration/cases.ts';
import { complementMessage, requestMessage } from '../../src/cli/demonstration/messages.ts';
import { segment } from '../../src/cli/demonstration/ris.ts';
import { acquire, newUid, send } from '../../src/cli/demonstration/scanner.ts';

const password = 'Demonstration-de-nuit-1';
/** The test runner's own BASE_URL (`/`) is not the server's. */
const environment = { LOG_LEVEL: 'error', BASE_URL: '', DEMO_PASSWORD: password };
const waitMs = 40_000;
const endOfMessage = Buffer.from([0x1c, 0x0d]);
const reason: Parameters['parameter'] = [{ name: 'reason', valueString: 'Compte rendu dicté pour un autre patient' }];

/** A message the hospital took in charge. */
interface Taken {
  event: string;
  controlId: string;
  /** TXA-12, what a document is known by; empty for what carries none. */
  document: string;
  /** PID-3. */
  patient: string;
  bytes: Buffer;
}

/** What happens at the hospital to the next message of an event: its first octets have arrived, or all of it has and no answer left, or it did. */
interface Mishap {
  event: string;
  at: 'begun' | 'taken' | 'answered';
  happens(): Promise<void>;
}

let folder: string;
let server: ChildServer;
let ris: Server;
let mishap: Mishap | undefined;
const taken: Taken[] = [];
const halves: Buffer[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-withdrawal-kill-'));
  ris = createServer(hospitalSide);
  ris.listen(0, '127.0.0.1');
  await once(ris, 'listening');
  server = await startChildServer(environment, folder);
}, 60_000);
afterAll(async () => {
  // Undefined when it never became ready.
  await (server as ChildServer | undefined)?.stop({ keepData: true });
  ris.close();
  await rm(folder, { recursive: true, force: true });
});

/** The software of the hospital: keeps what it took, answers AA, and suffers the mishap that is planned. */
function hospitalSide(socket: Socket): void {
  const decoder = createFrameDecoder(4_000_000);
  let isMessageBegun = false;
  const meets = (at: Mishap['at'], event: string): (() => Promise<void>) | undefined => {
    if (mishap?.at !== at || mishap.event !== event) return undefined;
    const { happens } = mishap;
    mishap = undefined;
    return happens;
  };
  socket.on('error', () => socket.destroy());
  socket.on('data', async (chunk: Buffer) => {
    const begun = isMessageBegun ? undefined : meets('begun', eventOf(chunk.toString('utf8')));
    if (begun) {
      // Half of it, and nothing was kept: the hospital does not have it.
      halves.push(chunk);
      socket.pause();
      await begun();
      socket.destroy();
      return;
    }
    isMessageBegun = true;
    for (const each of decoder.push(chunk)) {
      isMessageBegun = false;
      if (each.kind !== 'message') continue;
      const message = read(each.bytes);
      taken.push(message);
      await meets('taken', message.event)?.();
      const answered = meets('answered', message.event);
      const answer = `MSH|^~\\&|RIS|CH|P|P|2026||ACK^X^ACK|A${taken.length}|P|2.5.1\rMSA|AA|${message.controlId}\r`;
      if (socket.writable) await new Promise((resolve) => socket.write(frame(Buffer.from(answer)), resolve));
      await answered?.();
    }
  });
}

const eventOf = (text: string) => (text.split('|', 9)[8] ?? '').split('^').slice(0, 2).join('^');

function read(bytes: Buffer): Taken {
  const text = bytes.toString('utf8');
  return {
    event: eventOf(text),
    controlId: text.split('|', 10)[9] ?? '',
    document: segment(text, 'TXA')[12] ?? '',
    patient: segment(text, 'PID')[3] ?? '',
    bytes,
  };
}

async function kill(): Promise<void> {
  const gone = once(server.process, 'exit');
  server.process.kill('SIGKILL');
  await gone;
}

/** People and machines of the server that runs now. */
const person = (login: string): Promise<Caller> => signIn(server.httpUrl, login, password);

async function operate(
  login: string,
  task: Task,
  name: string,
  parameters?: Parameters['parameter'],
): Promise<Resource> {
  return (await person(login)).operation(task, name, parameters);
}

async function tell(text: string): Promise<void> {
  const answer = await sendMessage({ host: '127.0.0.1', port: server.mllpPort }, Buffer.from(text));
  expect(segment(answer.toString(), 'MSA')[1]).toBe('AA');
}

interface Followed {
  ipp: string;
  task: Task;
  studyUid: string;
  report: ReportText;
}

let messages = 0;
const nextId = () => `WKILL${String(++messages).padStart(5, '0')}`;

/** From the request to a case that can be read. */
async function readyToRead(exam: DemoCase, report: ReportText, risToken: string): Promise<Followed> {
  const studyUid = newUid();
  const coordinator = await person('coordonnateur');
  await tell(requestMessage(exam, nextId(), new Date()));
  const find = async () =>
    (await coordinator.search<Task>('Task', { code: 'teleradiology-case', _count: '50' })).find(
      ({ groupIdentifier }) => groupIdentifier?.value === exam.placerNumber,
    );
  const task = await until(`the case ${exam.placerNumber}`, waitMs, find);
  await operate('radiologue', task, 'protocol', [{ name: 'text', valueString: 'Sans injection.' }]);
  await send(server.httpUrl, risToken, acquire(exam, studyUid, new Date()).instances);
  await tell(complementMessage(exam, studyUid, new Date(), nextId(), new Date()));
  await until(`${exam.placerNumber} to be ready`, waitMs, async () => {
    const now = await coordinator.read<Task>('Task', task.id ?? '');
    return caseState(now) === 'ready' ? now : undefined;
  });
  return { ipp: exam.ipp, task, studyUid, report };
}

async function sign({ task, studyUid, report }: Followed): Promise<void> {
  const reader = await person('radiologue');
  await reader.operation(task, 'claim');
  const series = await displaySeries(reader, studyUid);
  await reader.operation(
    task,
    'displayed',
    series.map((valueString) => ({ name: 'series', valueString })),
  );
  await reader.operation(task, 'phone-exchange', [
    { name: 'summary', valueString: 'Résultat donné de vive voix.' },
    { name: 'with', valueString: 'Dr TEST' },
  ]);
  await reader.operation(task, 'sign', reportParameters(report));
}

async function foundToBeAnError({ task }: Followed): Promise<void> {
  await operate('radiologue', task, 'declare-error', reason);
  await operate('qualite', task, 'enter-in-error', reason);
}

const reports = ({ ipp }: Followed) =>
  taken.filter(({ event, patient }) => event.startsWith('MDM') && patient.startsWith(`${ipp}^`));
const times = (followed: Followed, event: string) => reports(followed).filter((each) => each.event === event).length;

/** Plans what the hospital suffers next. @returns a promise of it having happened. */
function plan(event: string, at: Mishap['at'], happens: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    mishap = { event, at, happens: () => happens().then(resolve, reject) };
  });
}

/** The delivery Tasks of a case that withdraw a report, as the case shows them. */
async function withdrawalsOf({ task }: Followed): Promise<Task[]> {
  const coordinator = await person('coordonnateur');
  const children = await coordinator.search<Task>('Task', {
    'part-of': `Task/${task.id}`,
    code: 'deliver',
    _count: '50',
  });
  return children.filter(({ input }) => input?.some(({ type }) => type.coding?.[0]?.code === 'withdraws'));
}

/** Waits until the withdrawal of a case was acknowledged, and looks at what the hospital was told. */
async function isWithdrawn(followed: Followed, sendings: number): Promise<void> {
  const [withdrawal] = await until('the withdrawal to be acknowledged', waitMs, async () => {
    const all = await withdrawalsOf(followed);
    return all.length > 0 && all.every(({ status }) => status === 'completed') ? all : undefined;
  });
  expect(await withdrawalsOf(followed)).toHaveLength(1);
  expect(withdrawal?.output?.some(({ valueString }) => valueString?.startsWith('MSA|AA|'))).toBe(true);
  expect(reports(followed).map(({ event }) => event)).toEqual(['MDM^T02', ...Array(sendings).fill('MDM^T04')]);
  const [sent, first, ...again] = reports(followed);
  expect(first?.document).toBe(sent?.document);
  // Sent again it is the same message: whoever took it already recognises it by its number.
  for (const each of again) expect([each.controlId, each.bytes.equals(first!.bytes)]).toEqual([first?.controlId, true]);
}

it('ends with every report withdrawn and the queue empty, wherever the server is killed on the way', async () => {
  const operator = withToken(server.httpUrl, (await server.token('conformance')).trim());
  const endpoint = await operator.read<Endpoint>('Endpoint', 'ris-ch-exemple');
  await operator.update({ ...endpoint, address: `mllp://127.0.0.1:${(ris.address() as AddressInfo).port}` });
  const risToken = (await server.token('ris-demo')).trim();
  const [before, after, answered, reportItself] = await Promise.all(
    (
      [
        [headache(), headacheReport],
        [stroke(), strokeReport],
        [cough(), thoraxReport],
        [polytrauma(), polytraumaReport],
      ] as const
    ).map(([exam, report]) => readyToRead(exam, report, risToken)),
  );
  if (!before || !after || !answered || !reportItself) throw new Error('four exams make four cases');
  for (const followed of [before, after, answered]) {
    await sign(followed);
    await until('the report at the hospital', waitMs, async () => times(followed, 'MDM^T02') === 1 || undefined);
  }

  // Half of it has left: the hospital kept nothing.
  const killedBefore = plan('MDM^T04', 'begun', kill);
  await foundToBeAnError(before);
  await killedBefore;
  expect(times(before, 'MDM^T04')).toBe(0);
  expect(halves.map((half) => half.includes(endOfMessage))).toEqual([false]);
  server = await startChildServer(environment, folder);
  await isWithdrawn(before, 1);

  // The hospital has it, and its answer finds nobody.
  const killedAfter = plan('MDM^T04', 'taken', kill);
  await foundToBeAnError(after);
  await killedAfter;
  expect(times(after, 'MDM^T04')).toBe(1);
  server = await startChildServer(environment, folder);
  await isWithdrawn(after, 2);

  // The answer has left the hospital: whether it was kept or not, one withdrawal it is.
  const killedAnswered = plan('MDM^T04', 'answered', kill);
  await foundToBeAnError(answered);
  await killedAnswered;
  server = await startChildServer(environment, folder);
  await until(
    'the withdrawal to be settled',
    waitMs,
    async () => (await withdrawalsOf(answered)).every(({ status }) => status === 'completed') || undefined,
  );
  await isWithdrawn(answered, times(answered, 'MDM^T04'));

  // The report itself was on its way, taken and not answered, when the error was confirmed and the server fell.
  const killedWithReport = plan('MDM^T02', 'taken', async () => {
    await foundToBeAnError(reportItself);
    await kill();
  });
  await sign(reportItself);
  await killedWithReport;
  expect(times(reportItself, 'MDM^T02')).toBe(1);
  server = await startChildServer(environment, folder);
  await isWithdrawn(reportItself, 1);

  const queue = await server.operator('deliveries');
  expect(queue.split('\n').filter((line) => / (queued|held|sending|dead) /.test(line))).toEqual([]);
  // Nothing of a withdrawn document came after its withdrawal.
  const gone = new Set<string>();
  for (const { event, document } of taken) {
    if (event === 'MDM^T04') gone.add(document);
    else if (event.startsWith('MDM')) expect(gone.has(document)).toBe(false);
  }
  expect(gone.size).toBe(4);
}, 180_000);
