/** `$sign`: from the radiologist's click to every document built, signed, stored and queued (the answer of the operation). */
import type { Task } from '@medplum/fhirtypes';
import { sendMessage } from '../../adapters/hl7v2/index.ts';
import { startChildServer } from '../demo/child-server.ts';
import { caseState, withToken } from '../demo/people.ts';
import { until } from '../demo/steps.ts';
import { complementMessage, requestMessage } from '../demonstration/messages.ts';
import { acquire, newUid, send } from '../demonstration/scanner.ts';
import { benchCase } from './bench-case.ts';
import { type BenchResult, percentile, result } from './result.ts';

const samples = 40;
const warmUp = 3;
const waitMs = 30_000;

export async function reportSuite(): Promise<BenchResult[]> {
  const server = await startChildServer({ LOG_LEVEL: 'error' });
  try {
    const token = await server.token('ris-demo');
    const reader = withToken(server.httpUrl, await server.token('radiologue'));
    const technologist = withToken(server.httpUrl, await server.token('manipulateur'));
    const tell = (text: string) => sendMessage({ host: '127.0.0.1', port: server.mllpPort }, Buffer.from(text));
    const durations: number[] = [];
    for (let n = 0; n < samples + warmUp; n++) {
      const exam = { ...benchCase('SG', n), slices: 1 };
      const studyUid = newUid();
      await tell(requestMessage(exam, `S1${n}`, new Date()));
      const find = async () =>
        (await reader.search<Task>('Task', { 'group-identifier': exam.placerNumber, code: 'teleradiology-case' }))[0];
      const task = await until('the case', waitMs, find);
      await reader.operation(task, 'protocol', [{ name: 'text', valueString: 'Sans injection.' }]);
      await send(server.httpUrl, token, acquire(exam, studyUid, new Date()).instances);
      await tell(complementMessage(exam, studyUid, new Date(), `S4${n}`, new Date()));
      await technologist.operation(task, 'complete-images');
      await until('the case ready', waitMs, async () => {
        const current = await find();
        return current && caseState(current) === 'ready' ? current : undefined;
      });
      await reader.operation(task, 'claim');
      await reader.operation(task, 'phone-exchange', [
        { name: 'summary', valueString: 'Appel.' },
        { name: 'with', valueString: 'Urgences' },
      ]);
      const start = performance.now();
      await reader.operation(task, 'sign', [
        ...Object.entries(text).map(([name, valueString]) => ({ name, valueString })),
        {
          name: 'ccam',
          valueCoding: { system: 'urn:oid:1.2.250.1.215.300.1', code: 'ACQK001', display: 'Scanographie du crâne' },
        },
        { name: 'not-displayed-reason', valueString: 'Mesure de performance' },
      ]);
      if (n >= warmUp) durations.push(performance.now() - start);
    }
    return [
      result('report', 'sign-p50', percentile(durations, 50), 'ms'),
      result('report', 'sign-p95', percentile(durations, 95), 'ms'),
    ];
  } finally {
    await server.stop();
  }
}

const text = {
  indication: 'Céphalée brutale depuis deux heures. Recherche d’hémorragie.',
  technique: 'Acquisition hélicoïdale sans injection. PDL 890 mGy.cm.',
  results: 'Pas d’hémorragie. Système ventriculaire de taille normale. '.repeat(12),
  conclusion: 'Pas d’anomalie intracrânienne décelable.',
};
