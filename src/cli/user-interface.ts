import { createHash } from 'node:crypto';
import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = join(root, 'src', 'ui');

/** Folder of the built user interface, served at `/`. */
export const userInterfaceFolder = join(root, 'dist', 'ui');

/** Builds `src/ui` with Vite unless what is built comes from the same sources. */
export async function buildUserInterfaceIfNeeded(): Promise<void> {
  const mark = join(userInterfaceFolder, '.sources');
  const hash = await hashOfSources();
  if ((await readFile(mark, 'utf8').catch(() => '')) === hash) return;
  process.stderr.write('Construction de l’interface (premier démarrage ou sources modifiées)…\n');
  const { build } = await import('vite');
  await build({ configFile: join(sources, 'vite.config.ts'), root: sources, logLevel: 'warn' });
  await writeFile(mark, hash);
}

/** Whether there is something to serve at `/`. */
export async function hasUserInterface(): Promise<boolean> {
  return access(join(userInterfaceFolder, 'index.html')).then(
    () => true,
    () => false,
  );
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(sources, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of [...files.sort(), join(root, 'package-lock.json')]) {
    hash.update(file.slice(root.length)).update(await readFile(file));
  }
  return hash.digest('hex');
}
