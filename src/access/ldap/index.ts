/** Sign-in by LDAP and Active Directory (SE-3, docs/access/federation.md). */
import type { LdapSource } from '../../config/index.ts';
import type { FederationRooms } from '../federation/admit.ts';
import { createDirectory, type Directory } from './directory.ts';
import { refreshDirectory } from './refresh.ts';
import { type Attempt, askDirectory, type Question } from './sign-in.ts';

export type { Verdict } from './sign-in.ts';

export interface Directories {
  /** Undefined: no directory has anything to do with this name. */
  ask(attempt: Attempt): Promise<Question | undefined>;
  /** Compares the accounts with their directories, once; each directory on its own. */
  refresh(): Promise<void>;
  /** Does so from time to time, as each directory says, until `stop`. */
  start(): void;
  stop(): Promise<void>;
}

export interface DirectoriesOptions {
  sources: readonly LdapSource[];
  rooms: FederationRooms;
  log?: { warn(object: object, message: string): void; error(object: object, message: string): void };
}

export function createDirectories({ sources, rooms, log }: DirectoriesOptions): Directories {
  const directories = sources.map((source) =>
    createDirectory(source, { clock: rooms.securityClock, ...(log ? { log } : {}) }),
  );
  const timers: NodeJS.Timeout[] = [];
  const running = new Set<Promise<void>>();

  async function refreshOne(directory: Directory): Promise<void> {
    const { name } = directory.source;
    try {
      const report = await refreshDirectory(rooms, directory);
      if (report.suspicious) {
        log?.error(
          { directory: name, ...report },
          'most accounts are gone from a directory: none was shut off, look at it',
        );
      }
    } catch (error) {
      log?.warn({ directory: name, error: (error as Error).message }, 'a directory could not be compared with');
    }
  }

  return {
    async ask(attempt) {
      const question = await askDirectory(rooms, directories, attempt);
      // Whoever asked waits for it later, or not at all: until then a failure has nobody to go to, and must not end the process.
      question?.answer.catch(() => undefined);
      return question;
    },
    async refresh() {
      await Promise.all(directories.filter(({ source }) => source.bind.mode === 'service').map(refreshOne));
    },
    start() {
      for (const directory of directories) {
        const { refreshMinutes } = directory.source;
        if (refreshMinutes === 0) continue;
        const timer = setInterval(() => {
          const work = refreshOne(directory);
          running.add(work);
          void work.finally(() => running.delete(work));
        }, refreshMinutes * 60_000);
        timer.unref();
        timers.push(timer);
      }
    },
    async stop() {
      for (const timer of timers.splice(0)) clearInterval(timer);
      await Promise.all(running);
    },
  };
}
