/**
 * Keys that sign identity tokens (OpenID Connect Core §10.1): files beside the other keys, never in the database. A new one comes every
 * 90 days; it is published a day before it signs, and the old one a day after it stopped, so that nobody meets a key they cannot find.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JWK } from 'jose';
import type { Clock } from '../../config/index.ts';

export const signingAlgorithm = 'RS256';
const dayMs = 86_400_000;
const signsForMs = 90 * dayMs;
const publishedAroundMs = dayMs;
/** Another node's new key is seen here within this time. */
const readAgainMs = 10_000;

interface SigningKey {
  kid: string;
  /** When it was made, ISO 8601. */
  made: string;
  privateKey: JWK;
}

export interface SigningKeys {
  /** The key that signs now. */
  current(): Promise<{ kid: string; privateKey: JWK }>;
  /** Public keys, those before and after the current one among them (RFC 7517). */
  published(): Promise<{ keys: JWK[] }>;
}

/** @param folder made when missing; shared by every node. */
export function openSigningKeys(folder: string, clock: Clock): SigningKeys {
  let read: { at: number; keys: Promise<SigningKey[]> } | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  function keys(): Promise<SigningKey[]> {
    const now = clock.now().getTime();
    if (!read || now - read.at > readAgainMs || now < read.at) {
      // One after the other: two requests at once must not make two keys.
      const next = turn.then(() => upToDate(folder, clock.now()));
      turn = next.catch(() => undefined);
      read = { at: now, keys: next };
      next.catch(() => {
        read = undefined;
      });
    }
    return read.keys;
  }

  return {
    async current() {
      const all = await keys();
      const now = clock.now().getTime();
      // The newest that was published long enough; the very first signs at once.
      return all.find(({ made }) => now - Date.parse(made) >= publishedAroundMs) ?? all.at(-1)!;
    },
    async published() {
      return {
        keys: (await keys()).map(({ kid, privateKey: { kty, n, e } }) => ({
          ...{ kid, kty, n, e },
          alg: signingAlgorithm,
          use: 'sig',
        })),
      };
    },
  };
}

/** Keys that are published, the newest first; makes the next one when it is time, and removes what is over. */
async function upToDate(folder: string, now: Date): Promise<SigningKey[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  const found = await Promise.all(names.map((name) => readKey(join(folder, name))));
  const ageOf = ({ made }: SigningKey) => now.getTime() - Date.parse(made);
  const ordered = found.filter((key) => key !== undefined).sort((a, b) => ageOf(a) - ageOf(b));
  const [newest] = ordered;
  if (!newest || ageOf(newest) >= signsForMs) ordered.unshift(await makeKey(folder, now));
  const isOver = (key: SigningKey) => ageOf(key) > signsForMs + 2 * publishedAroundMs && key !== ordered[0];
  await Promise.all(ordered.filter(isOver).map(({ kid }) => rm(fileOf(folder, kid), { force: true })));
  return ordered.filter((key) => !isOver(key));
}

async function makeKey(folder: string, now: Date): Promise<SigningKey> {
  const { exportJWK, generateKeyPair } = await import('jose');
  const { privateKey } = await generateKeyPair(signingAlgorithm, { extractable: true, modulusLength: 2048 });
  const key: SigningKey = { kid: randomUUID(), made: now.toISOString(), privateKey: await exportJWK(privateKey) };
  const file = fileOf(folder, key.kid);
  // Whole or not at all: another node may read the folder now.
  await writeFile(`${file}.new`, JSON.stringify(key), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return key;
}

/** Undefined when another node has just removed it. */
async function readKey(file: string): Promise<SigningKey | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as SigningKey;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function fileOf(folder: string, kid: string): string {
  return join(folder, `${kid}.json`);
}
