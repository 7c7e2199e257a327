import { loadConfig } from '../config/index.ts';
import { openConfiguredDatabase } from '../db/index.ts';
import type { Environment } from './environment.ts';

/** Opens the database, which brings it to this version, and closes it again. */
export async function migrateCommand(_args: string[], env: Environment): Promise<number> {
  const database = await openConfiguredDatabase(loadConfig(env), { visitor: true });
  await database.close();
  process.stdout.write('La base est à la version de ce programme.\n');
  return 0;
}
