/**
 * Who runs on the folder of a cluster: by PostgreSQL's lock file, and by the kernel where it tells (proc(5)). A postmaster that was killed
 * leaves the file, and may leave backends that still work in its shared memory.
 */
import { readdir, readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-error.ts';

/** A PostgreSQL that runs. */
export interface Postmaster {
  pid: number;
  port: number;
  /** Started by another process: its end can be seen, not how it came. */
  isFound: boolean;
  /** Resolves when it has ended, or `signal` says that nobody asks any more. */
  ended(signal: AbortSignal): Promise<Ending>;
}

/** How it ended, as far as is known. */
export interface Ending {
  code?: number;
  signal?: string;
  reason?: string;
}

/** Between two looks at a process that is no child of ours. */
const lookMs = 100;
const watchMs = 500;
const settleLimitMs = 10 * 60_000;
/** As the postmaster gives its own children, before it kills. */
const orphanPatienceMs = 5_000;
const orphanLimitMs = 60_000;
const program = 'postgres';

/**
 * The server that runs on this folder, once it is ready; undefined when there is none, or it has ended. One that recovers or stops is waited
 * for: its lock file is its own as long as it lives, and without it PostgreSQL ends in the middle of its recovery.
 * @throws EmbeddedPostgresError when it stays neither ready nor gone; the reason of `signal` when it says so.
 */
export async function settledServer(directory: string, signal?: AbortSignal): Promise<Postmaster | undefined> {
  const until = performance.now() + settleLimitMs;
  for (;;) {
    signal?.throwIfAborted();
    const found = await lockOf(directory);
    if (!found || !(await isServerOf(found.pid, directory))) return undefined;
    if (found.port && found.state.startsWith('ready')) {
      const { pid, port } = found;
      return { pid, port, isFound: true, ended: (asked) => watched(pid, directory, asked) };
    }
    if (performance.now() > until)
      throw new EmbeddedPostgresError(
        `PostgreSQL (processus ${found.pid}) est encore ${found.state.startsWith('stopping') ? 'en train de s’arrêter' : 'en reprise'} dans ${directory} : attendez qu’il ait fini, puis relancez.`,
      );
    await pause(lookMs);
  }
}

async function watched(pid: number, directory: string, signal: AbortSignal): Promise<Ending> {
  while (!signal.aborted && (await isServerOf(pid, directory))) {
    await pause(watchMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
  return {};
}

/** The port in a lock file that a crash left. */
export async function lockedPort(directory: string): Promise<number | undefined> {
  return (await lockOf(directory))?.port || undefined;
}

/**
 * PostgreSQL itself replaces the lock file of a process that is gone, and only after it saw that nothing works in its shared memory any more.
 * What it cannot know is that the number now belongs to another program.
 */
export async function freeLock(directory: string): Promise<void> {
  const found = await lockOf(directory);
  if (found && (await isRunning(found.pid)) && !(await isPostgresOf(found.pid, directory)))
    await rm(join(directory, 'postmaster.pid'), { force: true });
}

/** From the lock file: line 1 is the process, line 4 the port, line 8 the state. */
async function lockOf(directory: string): Promise<{ pid: number; port: number; state: string } | undefined> {
  const lines = (await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  return pid ? { pid, port: Number(lines[3]), state: lines[7]?.trim() ?? '' } : undefined;
}

/**
 * Ends what a killed postmaster of this folder left running, as it would have itself: a backend in the middle of a computation does not notice
 * that it is alone. Nothing is lost: what was committed is in the log, and recovery throws away the rest.
 * Where the kernel does not tell, PostgreSQL refuses to start beside them.
 * @throws EmbeddedPostgresError when some stay.
 */
export async function endOrphans(directory: string, signal?: AbortSignal): Promise<void> {
  const begun = performance.now();
  const asked = new Set<number>();
  for (;;) {
    signal?.throwIfAborted();
    const orphans = await orphansOf(directory);
    if (orphans.length === 0) return;
    const age = performance.now() - begun;
    if (age > orphanLimitMs)
      throw new EmbeddedPostgresError(
        `Des processus d’un PostgreSQL interrompu ne finissent pas dans ${directory} : ${orphans.join(', ')}.`,
      );
    for (const pid of orphans) {
      if (!asked.has(pid)) send(pid, 'SIGQUIT');
      else if (age > orphanPatienceMs) send(pid, 'SIGKILL');
      asked.add(pid);
    }
    await pause(lookMs);
  }
}

async function orphansOf(directory: string): Promise<number[]> {
  const place = await realpath(directory);
  const names = await readdir('/proc').catch(() => []);
  const inside = new Map<number, { parent: number; isChild: boolean }>();
  for (const pid of names.map(Number).filter((number) => number > 0)) {
    if ((await realpath(`/proc/${pid}/cwd`).catch(() => undefined)) !== place) continue;
    const { state, parent, name } = await statusOf(pid);
    if (!name.startsWith(program) || isOver(state)) continue;
    // Children of a postmaster say what they do where their arguments were.
    const title = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    inside.set(pid, { parent, isChild: title.startsWith(`${program}: `) });
  }
  return [...inside].filter(([, { parent, isChild }]) => isChild && !inside.has(parent)).map(([pid]) => pid);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}

/** Ends it (fast shutdown) and waits for it. */
export async function stopProcess(pid: number): Promise<void> {
  if (!(await isRunning(pid))) return;
  send(pid, 'SIGINT');
  while (await isRunning(pid)) await pause(20);
}

async function isServerOf(pid: number, directory: string): Promise<boolean> {
  return (await isRunning(pid)) && (await isPostgresOf(pid, directory));
}

/** After a restart of the machine the number may belong to another program, or another PostgreSQL: ask the kernel where it can be asked. */
async function isPostgresOf(pid: number, directory: string): Promise<boolean> {
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => program);
  if (!name.startsWith(program)) return false;
  // It works inside its cluster.
  const place = await realpath(`/proc/${pid}/cwd`).catch(() => undefined);
  return place === undefined || place === (await realpath(directory));
}

/** One that ended and that nobody has taken note of (in containers whose first process does not) still has its number. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return !isOver((await statusOf(pid)).state);
}

const isOver = (state: string) => state === 'Z' || state === 'X';

/** State, parent and name of a process; empty where they cannot be known. */
async function statusOf(pid: number): Promise<{ state: string; parent: number; name: string }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may hold spaces and parentheses.
  const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state, parent: Number(parent), name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')) };
}
