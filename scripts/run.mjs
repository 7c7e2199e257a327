// The one entry of every npm script. It runs on whatever Node started npm (>= 20), makes sure that the locked packages are
// there, finds the Node 24 that came with them and hands over to the TypeScript that does the work. Plain JavaScript on
// purpose: nothing may need to be installed before this file runs.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtServer } from './build-server.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const installedMark = join(root, 'node_modules', '.passerelle-lock');

/** Stands for our own program: built where it is, from its sources otherwise. */
const passerelle = 'passerelle';
/** Commands that build the server first. `passerelle` is the production form: it takes what is there. */
const building = ['start', 'demo', 'bench'];

/** Each command: the programs it runs in order, each with the arguments before the user's own. */
const commands = {
  start: [[passerelle, 'start']],
  demo: [[passerelle, 'demo']],
  bench: [[passerelle, 'bench']],
  passerelle: [[passerelle]],
  test: [['node_modules/vitest/vitest.mjs', 'run', '--project', 'suite']],
  'test:long': [['node_modules/vitest/vitest.mjs', 'run', '--project', 'long']],
  check: [
    ['node_modules/typescript/bin/tsc', '--noEmit'],
    ['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'src/ui'],
    ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings'],
    [
      'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
      '--config',
      '.dependency-cruiser.cjs',
      'src',
      'test',
    ],
    ['scripts/audit-dependencies.mjs'],
  ],
  format: [['node_modules/@biomejs/biome/bin/biome', 'check', '--write']],
};

/** Installs exactly what package-lock.json says, once per version of that file. */
function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(installedMark) && readFileSync(installedMark, 'utf8') === lock) return;
  process.stderr.write('Installation des paquets verrouillés (premier lancement ou verrou modifié)…\n');
  const npm = process.env.npm_execpath
    ? [process.execPath, [process.env.npm_execpath]]
    : [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
  const args = [...npm[1], 'ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync(npm[0], args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status !== 0) {
    process.stderr.write(
      'npm ci a échoué : voyez les lignes ci-dessus. Le premier lancement a besoin du registre npm.\n',
    );
    process.exit(result.status ?? 1);
  }
  writeFileSync(installedMark, lock);
}

/** Path of the Node the project is locked to, or of this process when it is recent enough to run TypeScript. */
function findNode() {
  const require = createRequire(join(root, 'package.json'));
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  try {
    const home = join(require.resolve(`node-${platform}-${process.arch}/package.json`), '..');
    const binary = join(home, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    if (existsSync(binary)) return binary;
  } catch {
    // No locked build for this platform: the machine's own Node may do.
  }
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 18)) return process.execPath;
  process.stderr.write(
    `Pas de Node verrouillé pour ${process.platform}-${process.arch}, et ce Node est le ${process.versions.node} : installez Node 22.18 ou plus récent.\n`,
  );
  process.exit(1);
}

/** The built server is one program: nothing is gained by a cache of how it compiles, and 8 MB stay free. */
async function ownProgram(node) {
  const built = builtServer();
  if (!existsSync(built) && building.includes(command)) await run(node, ['scripts/build-server.mjs'], []);
  if (existsSync(built)) return { file: built, env: {} };
  // In the environment the cache also holds the entry file, so that V8's TypeScript stripper (18 MB) is not even loaded.
  const cache = join(root, 'node_modules', '.cache', 'passerelle-compile');
  return { file: 'src/main.ts', env: { NODE_COMPILE_CACHE: cache } };
}

/** Runs one program on the given Node; signals reach it, its exit code comes back. */
function run(node, program, userArguments, env = {}) {
  return new Promise((resolve) => {
    const options = { cwd: root, stdio: 'inherit', env: { ...env, ...process.env } };
    const child = spawn(node, [...program, ...userArguments], options);
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward);
    process.on('SIGTERM', forward);
    process.on('SIGHUP', forward);
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

const [command, ...userArguments] = process.argv.slice(2);
const programs = commands[command];
if (!programs) {
  process.stderr.write(`Commande inconnue : « ${command ?? ''} ». Il y a ${Object.keys(commands).join(', ')}.\n`);
  process.exit(2);
}
install();
const node = findNode();
for (const program of programs) {
  const [name, ...rest] = program;
  const own = name === passerelle ? await ownProgram(node) : { file: name, env: {} };
  const code = await run(node, [own.file, ...rest], userArguments, own.env);
  if (code !== 0) process.exit(code);
}
