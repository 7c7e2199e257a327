// The server as production runs it: our own TypeScript made into a few files of JavaScript in dist/server/<hash of the sources>, the
// packages beside it as they are (docs/decisions/0031-memory.md). Names are kept and lines stay lines, so that a stack trace can be read;
// with NODE_OPTIONS=--enable-source-maps it names the TypeScript. Run by itself it builds what is missing (images, packages).
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'src');
const builds = join(root, 'dist', 'server');
/** A server that runs may still load a part of an older build: those are kept for a while. */
const keptMs = 30 * 24 * 3_600_000;

/** Path of the entry built from the sources as they are now: what is there is never stale, but it need not be there. */
export function builtServer() {
  const hash = createHash('sha256');
  const isOurs = (path) => path.endsWith('.ts') && !path.startsWith('ui');
  const files = readdirSync(sources, { recursive: true }).filter(isOurs).sort();
  for (const file of [
    ...files.map((file) => join(sources, file)),
    join(root, 'package-lock.json'),
    import.meta.filename,
  ]) {
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return join(builds, hash.digest('hex').slice(0, 16), 'main.js');
}

/** Builds unless it is built. @returns the entry's path. */
export async function buildServer() {
  const entry = builtServer();
  if (existsSync(entry)) return entry;
  process.stderr.write('Construction du serveur (premier démarrage ou sources modifiées)…\n');
  const { build } = await import('vite');
  // Finished or not there: another process may build the same, and nothing half written is ever run.
  const unfinished = `${dirname(entry)}.${process.pid}`;
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    ssr: { external: true },
    plugins: [filesBesideTheirSource(unfinished)],
    build: {
      ssr: join(sources, 'entry.ts'),
      outDir: unfinished,
      copyPublicDir: false,
      target: 'node22',
      minify: false,
      sourcemap: true,
      rolldownOptions: { output: { entryFileNames: 'main.js', chunkFileNames: '[name]-[hash].js', comments: false } },
    },
  });
  try {
    renameSync(unfinished, dirname(entry));
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(entry)) throw error;
  }
  forgetOldBuilds(dirname(entry));
  return entry;
}

/** Files are named relative to the source that reads them: `import.meta` goes on meaning that source. */
function filesBesideTheirSource(folder) {
  return {
    name: 'files-beside-their-source',
    enforce: 'pre',
    transform(code, id) {
      if (!id.startsWith(sources) || !code.includes('import.meta.')) return null;
      const path = relative(folder, id).replaceAll('\\', '/');
      const url = `new URL(${JSON.stringify(path)}, import.meta.url)`;
      const folderPath = `process.getBuiltinModule('node:url').fileURLToPath(new URL('.', ${url}))`;
      const meant = { 'import.meta.url': `${url}.href`, 'import.meta.dirname': folderPath };
      return { code: code.replaceAll(/import\.meta\.(?:url|dirname)\b/g, (written) => meant[written]), map: null };
    },
  };
}

function forgetOldBuilds(current) {
  for (const name of readdirSync(builds)) {
    const folder = join(builds, name);
    if (folder !== current && Date.now() - statSync(folder).mtimeMs > keptMs)
      rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const entry = await buildServer();
  if (process.argv.includes('--print')) process.stdout.write(`${entry}\n`);
}
