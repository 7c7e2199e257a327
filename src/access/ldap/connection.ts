/** LDAP on one connection that was opened safely, for one errand; and what its refusals mean. */
import type { Client, SearchOptions } from 'ldapts';
import type { LdapSource } from '../../config/index.ts';
import { DirectoryUnavailable, openSocket } from './open-socket.ts';

/** An entry's attributes by lower-case name: attribute names have no case, and servers write them their own way. */
export interface Entry {
  dn: string;
  attributes: ReadonlyMap<string, readonly (string | Buffer)[]>;
}

export interface Connection {
  /** Simple bind. @returns false when the directory refuses this name with this password. @throws DirectoryUnavailable */
  bind(name: string, password: string): Promise<boolean>;
  /**
   * At most `atMost` entries; references to other servers are not followed. Binary attributes have to be named.
   * @throws DirectoryUnavailable also when the base does not exist: nobody is missing because of a misspelt base.
   */
  search(
    base: string,
    question: { filter: string; attributes: string[]; atMost: number; binary?: string[] },
  ): Promise<Entry[]>;
}

/**
 * RFC 4511 appendix A.2, what a bind ends with when it is the person's own fault or state: locked, expired, wrong, unknown. What a
 * server cannot or will not do at the moment is none of them.
 */
const refusedBind = new Set([19, 32, 34, 48, 49, 50, 53]);

/** @throws DirectoryUnavailable */
export async function withConnection<T>(
  url: string,
  source: LdapSource,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const socket = await openSocket(url, source);
  const { Client } = await import('ldapts');
  let isTaken = false;
  const client = new Client({
    // The address only chooses the socket below, which is what it is: TLS, unless this machine talks to itself.
    url: 'ldap://directory',
    timeout: source.timeoutMs,
    createConnection: () => {
      // A client that lost its connection would open another, in clear, for what it wants to say next.
      if (isTaken) throw new DirectoryUnavailable('the connection was lost');
      isTaken = true;
      return socket;
    },
  });
  try {
    return await work(connectionOf(client));
  } finally {
    await client.unbind().catch(() => undefined);
    socket.destroy();
  }
}

function connectionOf(client: Client): Connection {
  return {
    async bind(name, password) {
      // RFC 4513 §5.1.2: a name with an empty password is an anonymous bind, which succeeds and proves nothing.
      if (name === '' || password === '') return false;
      try {
        await client.bind(name, password);
        return true;
      } catch (error) {
        const code = resultCode(error);
        if (code !== undefined && refusedBind.has(code)) return false;
        throw unavailable('bind', error);
      }
    },
    async search(base, { filter, attributes, atMost, binary = [] }) {
      const options: SearchOptions = {
        scope: 'sub',
        filter,
        attributes,
        explicitBufferAttributes: binary,
        sizeLimit: atMost,
      };
      try {
        const { searchEntries } = await client.search(base, options);
        return searchEntries.map(({ dn, ...found }) => ({ dn, attributes: byLowerCaseName(found) }));
      } catch (error) {
        throw unavailable('search', error);
      }
    },
  };
}

function byLowerCaseName(found: Record<string, string | Buffer | string[] | Buffer[]>): Entry['attributes'] {
  return new Map(
    Object.entries(found).map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value : [value]]),
  );
}

function unavailable(step: string, error: unknown): DirectoryUnavailable {
  if (error instanceof DirectoryUnavailable) return error;
  const code = resultCode(error);
  // The texts of servers quote names; the number says what happened.
  return new DirectoryUnavailable(`${step}: ${code === undefined ? 'no answer' : `result ${code}`}`);
}

function resultCode(error: unknown): number | undefined {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'number' ? code : undefined;
}
