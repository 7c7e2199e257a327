/** `npm run demo`: one request, one exam, one signed report, end to end, from outside (design §4). */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../environment.ts';
import { startChildServer } from './child-server.ts';
import { mainJob } from './main-job.ts';
import { runSteps } from './steps.ts';

const password = 'Demonstration-de-nuit-1';

/** Exit code 0 when every step passed. Artefacts are in `demo-output/`. */
export async function demo(_args: string[], env: Environment): Promise<number> {
  const output = join(process.cwd(), 'demo-output');
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const start = performance.now();
  const server = await startChildServer({ DEMO_PASSWORD: env.DEMO_PASSWORD ?? password });
  print(`Serveur prêt en ${Math.round(server.startedInMs)} ms : ${server.httpUrl}, MLLP ${server.mllpPort}`);
  const job = await mainJob({ server, password: env.DEMO_PASSWORD ?? password, output });
  try {
    const passed = await runSteps(job.steps, print);
    print(
      passed
        ? `Tout est passé en ${Math.round(performance.now() - start)} ms ; pièces dans demo-output/`
        : 'Échec : voir l’étape marquée ✘.',
    );
    return passed ? 0 : 1;
  } finally {
    await job.close();
    await server.stop();
  }
}
