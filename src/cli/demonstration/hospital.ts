/**
 * The other side of `npm start`: a hospital at night. Its RIS sends requests; when a protocol comes back its scanner makes the
 * exam, its PACS pushes the images and the RIS tells the exam is done; it acknowledges and keeps the reports it receives.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sendMessage } from '../../adapters/hl7v2/index.ts';
import type { Config } from '../../config/index.ts';
import { systemContext } from '../../fhir/index.ts';
import type { Server } from '../../server.ts';
import { type DemoCase, demoCases } from './cases.ts';
import { complementMessage, requestMessage } from './messages.ts';
import { type Received, segment, startSimulatedRis } from './ris.ts';
import { acquire, newUid, send } from './scanner.ts';
import { demoHospital } from './seed.ts';

const tokenLifetimeSeconds = 30 * 24 * 3600;

export interface SimulatedHospital {
  close(): Promise<void>;
}

/** Starts the hospital beside a running server; sends the night's requests when the demonstration has none yet. */
export async function startSimulatedHospital({
  server,
  config,
}: {
  server: Server;
  config: Config;
}): Promise<SimulatedHospital> {
  const { tenant } = demoHospital;
  const inbox = join(config.dataDir, 'demo-hospital');
  await mkdir(inbox, { recursive: true });
  const cases = demoCases();
  const token = await server.access.issueToken('ris-demo', tokenLifetimeSeconds);
  let messages = 0;
  const controlId = () => `HOSP${Date.now().toString(36).toUpperCase()}${(++messages).toString(36).toUpperCase()}`;
  const tell = (text: string) => sendMessage({ host: '127.0.0.1', port: server.mllpPort }, Buffer.from(text));

  async function examine(exam: DemoCase): Promise<void> {
    const studyUid = newUid();
    const examDate = config.clock.now();
    const study = acquire(exam, studyUid, examDate);
    await send(server.httpUrl, token, study.instances);
    await tell(complementMessage(exam, studyUid, examDate, controlId(), config.clock.now()));
  }

  async function receive(message: Received): Promise<void> {
    const name = `${message.at.toISOString().replace(/[:.]/g, '-')}-${message.event.replace('^', '-')}.hl7`;
    await writeFile(join(inbox, name), message.bytes);
    const [, order, placer] = segment(message.text, 'ORC');
    if (message.event !== 'ORU^R01' || order !== 'OK') return;
    const exam = cases.find((candidate) => candidate.placerNumber === placer?.split('^')[0]);
    if (exam) await examine(exam);
  }

  const ris = await startSimulatedRis(0, (message) => {
    receive(message).catch((error) => server.log.error({ error: (error as Error).message }, 'simulated hospital'));
  });
  await server.store.transaction(systemContext(tenant, 'system:seed', config.clock), async (tx) => {
    const endpoint = await tx.read('Endpoint', 'ris-ch-exemple');
    await tx.update({ ...endpoint, address: `mllp://127.0.0.1:${ris.port}` });
  });
  const known = await server.store.search(tenant, 'ServiceRequest', '_count=1');
  if (known.length === 0) {
    for (const exam of cases) await tell(requestMessage(exam, controlId(), config.clock.now()));
  }
  return { close: () => ris.close() };
}
