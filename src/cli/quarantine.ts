import { writeFile } from 'node:fs/promises';
import { destroyQuarantined, listQuarantine, readQuarantined } from '../access/index.ts';
import { loadConfig } from '../config/index.ts';
import { openConfiguredDatabase } from '../db/index.ts';
import { openConfiguredVault } from '../vault/index.ts';
import { CommandError } from './command-error.ts';
import type { Environment } from './environment.ts';

const usage = 'quarantine [list] | export <groupe> <id> <fichier> | destroy <groupe> <id>';

/** Infected files kept apart. Only here do they leave the database, in clear, for whoever analyses them. */
export async function quarantine([action = 'list', tenant, id, file]: string[], env: Environment): Promise<number> {
  const config = loadConfig(env);
  const database = await openConfiguredDatabase(config, { visitor: true });
  try {
    if (action === 'list') {
      for (const name of await database.tenants()) {
        for (const found of await listQuarantine(database, name)) {
          const { at, signature, size, interaction, place, account } = found;
          const facts = [name, found.id, at.toISOString(), signature, `${size} o`, interaction, place, account];
          process.stdout.write(`${facts.join('  ')}\n`);
        }
      }
      return 0;
    }
    if (!tenant || !id) throw new CommandError(usage);
    if (action === 'export' && file) {
      const content = await readQuarantined(database, openConfiguredVault(config), { tenant, id });
      if (!content) throw new CommandError(`Le groupe ${tenant} ne garde aucun contenu de ${id}.`);
      await writeFile(file, content, { mode: 0o600, flag: 'wx' });
      process.stderr.write(`${file} est INFECTÉ : ne l’ouvrez que là où vous analysez de tels fichiers.\n`);
      return 0;
    }
    if (action === 'destroy') {
      if (!(await destroyQuarantined(database, tenant, id)))
        throw new CommandError(`Le groupe ${tenant} n’a pas de ${id} en quarantaine.`);
      return 0;
    }
    throw new CommandError(usage);
  } finally {
    await database.close();
  }
}
