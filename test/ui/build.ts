/** Builds the user interface into a folder of its own, so that a test never serves a stale build. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** @returns the folder; the caller removes it. */
export async function buildUserInterface(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-ui-'));
  await build({
    configFile: fileURLToPath(new URL('../../src/ui/vite.config.ts', import.meta.url)),
    logLevel: 'error',
    build: { outDir: folder, emptyOutDir: true },
  });
  return folder;
}
