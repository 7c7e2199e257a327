/** The main job on a server of its own: one request, one exam, one signed report, end to end. */
import { mkdir, rm } from 'node:fs/promises';
import type { Environment } from '../environment.ts';
import { startChildServer } from './child-server.ts';
import { mainJob } from './main-job.ts';
import { runSteps } from './steps.ts';

const password = 'Demonstration-de-nuit-1';

/** @returns whether every step passed. Artefacts are in `output`, which is emptied first. */
export async function demonstrateMainJob(
  output: string,
  env: Environment,
  print: (line: string) => void,
): Promise<boolean> {
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
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
    return passed;
  } finally {
    await job.close();
    await server.stop();
  }
}
