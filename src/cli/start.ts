import { startSimulatedHospital } from './demonstration/index.ts';
import type { Environment } from './environment.ts';
import { run } from './serve.ts';
import { buildUserInterfaceIfNeeded } from './user-interface.ts';

/** `npm start`: everything a person needs to look at Passerelle, the other side (a hospital with a RIS and a scanner) included. */
export async function start(_args: string[], env: Environment): Promise<number> {
  await buildUserInterfaceIfNeeded();
  const { config, server, stopped } = await run(env);
  if (config.demo) {
    const hospital = await startSimulatedHospital({ server, config });
    await stopped.finally(() => hospital.close());
  } else {
    await stopped;
  }
  return 0;
}
