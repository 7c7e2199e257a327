import { join } from 'node:path';
import { demoAccounts, startSimulatedHospital } from './demonstration/index.ts';
import type { Environment } from './environment.ts';
import { run } from './serve.ts';
import { buildUserInterfaceIfNeeded } from './user-interface.ts';

/** `npm start`: everything a person needs to look at Passerelle, the other side (a hospital with a RIS and a scanner) included. */
export async function start(_args: string[], env: Environment): Promise<number> {
  await buildUserInterfaceIfNeeded();
  const { config, server, stopped } = await run(env);
  process.stderr.write(`Passerelle : ${server.httpUrl} (HL7 v2 : mllp://${config.host}:${server.mllpPort})\n`);
  if (config.demo) {
    const accounts = demoAccounts.map((account) => account.login).join(', ');
    const secret = config.demoPassword ? 'celui de DEMO_PASSWORD' : `dans ${join(config.dataDir, 'demo-password')}`;
    process.stderr.write(`Comptes de démonstration : ${accounts}. Mot de passe : ${secret}.\n`);
    const hospital = await startSimulatedHospital({ server, config });
    await stopped.finally(() => hospital.close());
  } else {
    await stopped;
  }
  return 0;
}
