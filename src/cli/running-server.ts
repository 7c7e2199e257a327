import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { CommandError } from './command-error.ts';

/** Where a running server keeps its data, for the commands that work beside it. */
export interface RunningServer {
  pid: number;
  dataDir: string;
}

const folder = () =>
  join(tmpdir(), `passerelle-${process.platform === 'win32' ? userInfo().username : userInfo().uid}`);
const fileOf = (port: number) => join(folder(), `${port}.json`);
const lockOf = (dataDir: string) => join(dataDir, 'server.pid');

/**
 * Says that a server of this user listens on `port` (commands find its data by that), and holds the data folder: a second
 * server on it would share the embedded database by accident.
 * @returns what takes both back.
 */
export async function announceServer(port: number, dataDir: string): Promise<() => Promise<void>> {
  await mkdir(folder(), { recursive: true, mode: 0o700 });
  await writeFile(fileOf(port), JSON.stringify({ pid: process.pid, dataDir }), { mode: 0o600 });
  return async () => {
    await rm(fileOf(port), { force: true });
    await rm(lockOf(dataDir), { force: true });
  };
}

/** @throws CommandError when another live server holds this data folder. */
export async function holdDataFolder(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const [number = '', begun] = (await readFile(lockOf(dataDir), 'utf8').catch(() => '')).split(' ');
  const holder = Number(number);
  if (holder && holder !== process.pid && isAlive(holder) && (await isTheSame(holder, begun))) {
    throw new CommandError(
      `Un serveur (processus ${holder}) tourne déjà sur DATA_DIR=${dataDir} : arrêtez-le, ou choisissez un autre DATA_DIR.`,
    );
  }
  await writeFile(lockOf(dataDir), [process.pid, await begunAt(process.pid)].join(' ').trim());
}

/** After a power cut, and in every container, numbers come again: a server that died must not keep the next one out. */
async function isTheSame(pid: number, begun: string | undefined): Promise<boolean> {
  const now = await begunAt(pid);
  return !begun || now === '' || now === begun;
}

/** When a process began, in ticks since the machine did, with the machine's own start (proc(5)); empty where it cannot be known. */
async function begunAt(pid: number): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may hold spaces; the start is the 22nd field, the 20th after it.
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return ticks === undefined ? '' : `${boot.trim()}:${ticks}`;
}

/** The server of this user on that port, if one runs. */
export async function findServer(port: number): Promise<RunningServer | undefined> {
  const text = await readFile(fileOf(port), 'utf8').catch(() => undefined);
  if (!text) return undefined;
  const server: RunningServer = JSON.parse(text);
  return isAlive(server.pid) ? server : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
