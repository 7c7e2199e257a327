/** Accounts compared with their directory from time to time: who left, who changed groups (SE-3, SE-7). */
import { type FederationRooms, withdraw } from '../federation/admit.ts';
import { type Link, listLinks } from '../federation/links.ts';
import type { Found } from './check.ts';
import type { Directory } from './directory.ts';
import { admitFound } from './sign-in.ts';

/**
 * A directory that has suddenly lost this many people and most of those we know was reconfigured, or lost the right to see them: a
 * hospital's radiologists are not shut out at night for that.
 */
const massDeparture = { atLeast: 5, share: 0.5 } as const;
/** Asked on one connection. */
const batchSize = 200;

export interface RefreshReport {
  asked: number;
  gone: number;
  /** Nobody was shut off although many were gone. */
  suspicious: boolean;
}

/** @throws DirectoryUnavailable when the directory cannot be asked: nothing was changed by what it did not say. */
export async function refreshDirectory(rooms: FederationRooms, directory: Directory): Promise<RefreshReport> {
  const { source } = directory;
  const links = (await listLinks(rooms.database, source.tenant, `ldap/${source.name}`)).filter(
    (link) => link.sourceLogin !== undefined,
  );
  const found: (Found | undefined)[] = [];
  for (let at = 0; at < links.length; at += batchSize) {
    const batch = links.slice(at, at + batchSize);
    found.push(...(await directory.find(batch.map((link) => link.sourceLogin ?? ''))));
  }
  const gone = links.filter((link, index) => !isStill(link, found[index]) && !link.withdrawnAt);
  const suspicious = gone.length >= massDeparture.atLeast && gone.length > links.length * massDeparture.share;
  for (const [index, link] of links.entries()) {
    const person = found[index];
    if (person && isStill(link, person)) await admitFound(rooms, directory, person);
    else if (!suspicious && !link.withdrawnAt) {
      await withdraw(rooms, { tenant: source.tenant, link, reason: 'unknown to the directory' });
    }
  }
  return { asked: links.length, gone: gone.length, suspicious };
}

/** The same entry, not another of the same name. */
function isStill(link: Link, found: Found | undefined): boolean {
  return found?.person.subject === link.subject;
}
