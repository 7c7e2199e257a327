/** A directory: its servers tried in turn, its answers in our words. */
import type { Clock, LdapSource } from '../../config/index.ts';
import { type Check, checkPassword, type Found, findPeople } from './check.ts';
import { comparableName } from './distinguished-name.ts';
import { DirectoryUnavailable } from './open-socket.ts';

export interface Directory {
  readonly source: LdapSource;
  /** @param login as the directory knows it. @throws DirectoryUnavailable when no server could say. */
  check(login: string, password: string): Promise<Check>;
  /** By the service account, in the order asked; undefined: the directory knows nobody of that name. @throws DirectoryUnavailable */
  find(logins: readonly string[]): Promise<(Found | undefined)[]>;
  /** What the groups are worth here: the union over the rules. */
  grants(groups: ReadonlySet<string>): { roles: string[]; establishments: string[] };
}

/** A server that failed is asked last for this long: each sign-in would wait for its time-out. */
const restMs = 60_000;
/** Connections to one directory at a time: beyond, somebody is trying passwords, or the directory is too slow to be of use. */
const atOnce = 16;

export interface DirectoryOptions {
  clock: Clock;
  log?: { warn(object: object, message: string): void };
}

export function createDirectory(source: LdapSource, { clock, log }: DirectoryOptions): Directory {
  const restingUntil = new Map<string, number>();
  const rules = source.rules.map((rule) => ({ ...rule, group: comparableName(rule.group) }));
  let running = 0;

  /** What one server said holds for all; only what it could not say is asked elsewhere. */
  async function anyServer<T>(ask: (url: string) => Promise<T>): Promise<T> {
    if (running >= atOnce) throw new DirectoryUnavailable('too many questions at once');
    running++;
    try {
      for (const url of inTurn(clock.now().getTime())) {
        try {
          const answer = await ask(url);
          restingUntil.delete(url);
          return answer;
        } catch (error) {
          if (!(error instanceof DirectoryUnavailable)) throw error;
          restingUntil.set(url, clock.now().getTime() + restMs);
          log?.warn({ directory: source.name, server: url, reason: error.message }, 'a directory server failed');
        }
      }
      throw new DirectoryUnavailable(`no server of ${source.name} answers`);
    } finally {
      running--;
    }
  }

  function inTurn(now: number): string[] {
    const rests = (url: string) => (restingUntil.get(url) ?? 0) > now;
    return [...source.urls.filter((url) => !rests(url)), ...source.urls.filter(rests)];
  }

  return {
    source,
    check: (login, password) => anyServer((url) => checkPassword(url, source, login, password)),
    find: (logins) => anyServer((url) => findPeople(url, source, logins)),
    grants(groups) {
      const granted = rules.filter((rule) => groups.has(rule.group));
      return {
        roles: [...new Set(granted.flatMap((rule) => rule.roles))],
        establishments: [...new Set(granted.flatMap((rule) => rule.establishments))],
      };
    },
  };
}
