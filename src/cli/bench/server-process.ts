/** A server to compare with, as a process of its own beside the one that is measured and owns the data folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const stopsWithinMs = 5_000;

export interface ServerProcess {
  httpUrl: string;
  stop(): Promise<void>;
}

/**
 * Starts a file of ours that prints its address as its first line and ends on SIGTERM.
 * @throws Error when it ends before.
 */
export async function startServerProcess(file: string, dataDir: string): Promise<ServerProcess> {
  const child = spawn(process.execPath, [file, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const httpUrl = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`the server to compare with ended with ${code}`)));
  });
  return {
    httpUrl,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      // It has nothing to lose; figures of minutes must not wait for it.
      const late = setTimeout(() => child.kill('SIGKILL'), stopsWithinMs);
      await gone;
      clearTimeout(late);
    },
  };
}
