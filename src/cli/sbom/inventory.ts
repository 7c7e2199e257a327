/** What is shipped of others, read from package-lock.json (version 3): each installed place of each package, and what it needs. */

/** One entry of `packages` in the lock file. */
interface LockedPackage {
  version?: string;
  resolved?: string;
  /** `sha512-…`, several divided by spaces. */
  integrity?: string;
  license?: string;
  dev?: boolean;
  optional?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

export interface Lock {
  name: string;
  version: string;
  packages: Record<string, LockedPackage>;
}

export interface Shipped {
  /** Where it is installed, `node_modules/a/node_modules/b`: its name in the inventory. */
  path: string;
  name: string;
  version: string;
  licence?: string;
  resolved?: string;
  /** Algorithm as Node names it (`sha512`), and the digest in hexadecimal. */
  hashes: { algorithm: string; digest: string }[];
  isOptional: boolean;
  /** Paths of what it needs. */
  needs: string[];
}

const folder = 'node_modules/';

/** Production packages, the root itself under the path ``. */
export function inventoryOf(lock: Lock): Shipped[] {
  return Object.entries(lock.packages)
    .filter(([, { dev }]) => !dev)
    .map(([path, entry]) => ({
      path,
      name: path === '' ? lock.name : path.slice(path.lastIndexOf(folder) + folder.length),
      version: entry.version ?? '',
      ...(entry.license ? { licence: entry.license } : {}),
      ...(entry.resolved ? { resolved: entry.resolved } : {}),
      hashes: (entry.integrity ?? '').split(' ').flatMap(hashOf),
      isOptional: entry.optional === true,
      needs: needsOf(path, entry, lock),
    }));
}

function hashOf(integrity: string): Shipped['hashes'] {
  const [algorithm = '', digest] = integrity.split(/-(.*)/s);
  return digest ? [{ algorithm, digest: Buffer.from(digest, 'base64').toString('hex') }] : [];
}

/** As Node resolves: beside, then outwards. */
function needsOf(path: string, entry: LockedPackage, lock: Lock): string[] {
  const names = Object.keys({ ...entry.dependencies, ...entry.optionalDependencies, ...entry.peerDependencies });
  return names.flatMap((name) => {
    for (let from = path; ; from = outwards(from)) {
      const candidate = `${from === '' ? '' : `${from}/`}${folder}${name}`;
      const found = lock.packages[candidate];
      if (found) return found.dev ? [] : [candidate];
      if (from === '') return [];
    }
  });
}

function outwards(path: string): string {
  const at = path.lastIndexOf(`/${folder}`);
  return at < 0 ? '' : path.slice(0, at);
}
