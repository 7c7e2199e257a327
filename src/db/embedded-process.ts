/** The process of the embedded PostgreSQL: how it is started, until it takes connections or has failed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-error.ts';
import { availableMemory, sizedSettings } from './embedded-settings.ts';
import type { Ending, Postmaster } from './postmaster.ts';

/** What PostgreSQL's binaries may run as: it refuses root, so root hands over to the account `postgres`. */
export interface Identity {
  uid?: number;
  gid?: number;
}

/**
 * Without a word from it. Recovering after a power cut takes as long as there is log to read, and PostgreSQL tells every ten seconds how far
 * it is (log_startup_progress_interval): it is never given up while it does.
 */
const silenceMs = 60_000;

export interface StartOptions {
  /** Folder of the cluster. */
  directory: string;
  /** Folder of the programs. */
  native: string;
  identity: Identity;
  /** Extra server settings, `name=value`. */
  settings: readonly string[];
  port: number;
  /** Ends the start: the process is told to stop, and waited for. */
  signal: AbortSignal | undefined;
}

/** Resolves when it takes connections. @throws EmbeddedPostgresError with its last words. */
export async function startPostmaster(options: StartOptions): Promise<Postmaster> {
  const { directory, port, signal } = options;
  const disk = await statfs(directory);
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    // Three servers, the operator's commands, and a measurement of two hundred callers beside them: a place nobody takes costs next to nothing.
    'max_connections=300',
    ...sizedSettings(availableMemory(), disk.bavail * disk.bsize),
    ...options.settings,
  ];
  const program = join(options.native, 'bin', 'postgres');
  // Detached: Ctrl-C in a terminal goes to the whole process group, and the database must outlive our own orderly shutdown.
  const child = spawn(program, ['-D', directory, '-p', String(port), ...settings.flatMap((text) => ['-c', text])], {
    ...options.identity,
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LC_MESSAGES: 'C' },
  });
  const ended = endOf(child);
  const pid = child.pid;
  if (pid === undefined)
    throw new EmbeddedPostgresError(
      `Le programme ${program} ne peut être lancé : réinstallez par npm ci, ou donnez DATABASE_URL.`,
    );
  const stop = () => void child.kill('SIGINT');
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  try {
    await readiness(child, ended, (reason) => `PostgreSQL embarqué dans ${directory} : ${reason}`);
  } finally {
    signal?.removeEventListener('abort', stop);
    child.stderr.removeAllListeners('data');
    child.stderr.resume();
    child.unref();
    (child.stderr as unknown as { unref(): void }).unref();
  }
  return { pid, port, isFound: false, ended: () => ended };
}

/** Settled whenever it ends, and whoever looks. */
function endOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ reason: error.message }));
    child.once('exit', (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal }));
  });
}

async function readiness(
  child: ChildProcess,
  ended: Promise<Ending>,
  sentence: (reason: string) => string,
): Promise<void> {
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const fail = (reason: string) => {
      clearTimeout(timer);
      reject(new EmbeddedPostgresError(`${sentence(reason)}. ${output.trim()}`));
    };
    const timer = setTimeout(() => fail('pas prêt à temps'), silenceMs);
    void ended.then(({ reason }) => fail(reason ?? 'il s’est arrêté'));
    child.stderr?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-2000);
      timer.refresh();
      if (!output.includes('ready to accept connections')) return;
      clearTimeout(timer);
      resolve();
    });
  });
}
