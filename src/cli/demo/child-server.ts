/** A server of its own for a demonstration or a measurement: another process, free ports, fresh data. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ClockMoved, MoveClock } from '../moved-clock.ts';
import { type OwnEntry, ownEntry } from '../own-entry.ts';

const readyTimeoutMs = 60_000;

export interface ChildServer {
  process: ChildProcess;
  httpUrl: string;
  mllpPort: number;
  dimsePort: number;
  /** From spawn to the ready line. */
  startedInMs: number;
  dataDir: string;
  /** Bearer token of an account, from the operator's own command. */
  token(account: string): Promise<string>;
  /** Runs an operator's command on it. @returns what it printed. @throws Error with its complaint when it fails. */
  operator(...args: string[]): Promise<string>;
  /** Moves the clock of `DEMO_CLOCK` on. @returns the instant it is there now, undefined where the clock is the real one. */
  moveClockTo(instant: Date): Promise<Date | undefined>;
  /** Stops it; keeps the data when asked. */
  stop(options?: { keepData?: boolean }): Promise<void>;
}

/**
 * @param entry the form of the program it runs: the same as ours.
 * @throws Error with the server's last words when it does not become ready.
 */
export async function startChildServer(
  env: Record<string, string>,
  dataDir?: string,
  command: 'serve' | 'start' = 'serve',
  entry: OwnEntry = ownEntry(),
): Promise<ChildServer> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'passerelle-demo-')));
  const environment = {
    ...entry.env,
    ...process.env,
    HOST: '127.0.0.1',
    PORT: '0',
    MLLP_PORT: '0',
    DIMSE_PORT: '0',
    DEMO: 'on',
    LOG_LEVEL: 'warn',
    DATABASE_URL: '',
    BASE_URL: '',
    ...env,
    DATA_DIR: folder,
  };
  const start = performance.now();
  const child = spawn(process.execPath, [entry.file, command], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('le serveur a été lancé sans ses tubes');
  let errors = '';
  stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4000);
  });
  const ready = await new Promise<{ http: string; mllp: number; dimse: number }>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`pas prêt après ${readyTimeoutMs / 1000} s\n${errors}`)),
      readyTimeoutMs,
    );
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`le serveur s’est arrêté, code ${code}\n${errors}`));
    });
    createInterface({ input: stdout }).on('line', (line) => {
      if (!line.startsWith('{"ready":true')) return;
      clearTimeout(timer);
      resolve(JSON.parse(line));
    });
  });
  const startedInMs = performance.now() - start;
  child.removeAllListeners('exit');
  const operator = (...args: string[]) =>
    run([entry.file, ...args], { ...environment, PORT: new URL(ready.http).port });

  return {
    process: child,
    httpUrl: ready.http,
    mllpPort: ready.mllp,
    dimsePort: ready.dimse,
    startedInMs,
    dataDir: folder,
    token: (account) => operator('token', account),
    operator,
    moveClockTo: (instant) => (env.DEMO_CLOCK ? moveClock(child, instant) : Promise.resolve(undefined)),
    async stop({ keepData = false } = {}) {
      if (child.exitCode === null && child.signalCode === null) {
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        await gone;
      }
      if (!keepData) await rm(folder, { recursive: true, force: true });
    },
  };
}

function moveClock(child: ChildProcess, instant: Date): Promise<Date> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('le serveur s’est arrêté avant d’avancer son horloge'));
    child.once('exit', gone);
    child.once('message', (message) => {
      child.off('exit', gone);
      resolve(new Date((message as ClockMoved).clock));
    });
    child.send({ moveClockTo: instant.toISOString() } satisfies MoveClock);
  });
}

function run(args: string[], env: Record<string, string | undefined>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve(output.trim()) : reject(new Error(errors || `code de retour ${code}`)),
    );
  });
}
