/** How this program starts another of itself: in the form it runs in, built or from its sources. */
import { realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface OwnEntry {
  file: string;
  /** What its environment has beside ours. */
  env: Readonly<Record<string, string>>;
}

/** A test is neither: its servers run from the sources. */
export function ownEntry(started: string | undefined = process.argv[1]): OwnEntry {
  const isBuilt = started !== undefined && realpathSync(started).startsWith(join(root, 'dist', 'server') + sep);
  if (isBuilt) return { file: started, env: {} };
  // As `npm run passerelle` has it (scripts/run.mjs).
  const cache = join(root, 'node_modules', '.cache', 'passerelle-compile');
  return { file: join(root, 'src', 'main.ts'), env: { NODE_COMPILE_CACHE: cache } };
}
