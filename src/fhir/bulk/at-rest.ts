/** Files of exports and imports after a rotation of the master keys (SE-12). */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Vault } from '../../vault/index.ts';

/**
 * Wraps the key of every file with the current master key. The name a file was sealed under is its way from the folder of exports or
 * imports: tenant, job, attempt, file.
 * @param folder the data folder.
 * @returns how many files it changed.
 */
export async function rewrapBulkFiles(vault: Vault, folder: string): Promise<number> {
  let changed = 0;
  for (const kind of ['exports', 'imports']) {
    const root = join(folder, kind);
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const name = `bulk/${path.slice(root.length + 1).replaceAll('\\', '/')}`;
      // A job may end meanwhile, and take its files along.
      changed += await vault.rewrap(path, name).then(Number, (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return 0;
        throw error;
      });
    }
  }
  return changed;
}
