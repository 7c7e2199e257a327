/**
 * The master keys (SE-12): the first seals, all of them open. They come from the environment or a file and never enter the database;
 * a file is read again when it changes, so that a rotation needs no restart.
 */
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { VaultError } from './vault-error.ts';

/** One master key, as the two keys derived of it: a wrapped data key is never taken for a sealed text. */
export interface MasterKey {
  id: string;
  forObjects: KeyObject;
  forTexts: KeyObject;
}

export interface KeyRing {
  /** The key that seals now. */
  current(): MasterKey;
  /** @throws VaultError `key-unknown` */
  find(id: string): MasterKey;
  /** Ids, the current one first. */
  ids(): string[];
}

/** Where the ring is: the keys themselves, or the file that holds them. */
export type KeySource = { text: string } | { file: string };

export const keyBytes = 32;
const idPattern = /^[a-z0-9][a-z0-9-]{0,15}$/;
/** How often a file is asked whether it changed. */
const lookEveryMs = 5_000;

/**
 * Opens the ring. Written as `id:base64 of 32 bytes`, separated by commas or line ends, the current key first; lines that begin with
 * `#` are remarks.
 * @throws VaultError `keys` when there is none, one is malformed, or an id is there twice.
 */
export function openKeyRing(source: KeySource): KeyRing {
  if ('text' in source) {
    const keys = parseKeys(source.text);
    return ringOf(() => keys);
  }
  const { file } = source;
  let keys = readKeys(file);
  let stamp = stampOf(file);
  let lookedMs = performance.now();
  return ringOf((force) => {
    const nowMs = performance.now();
    if (!force && nowMs - lookedMs < lookEveryMs) return keys;
    lookedMs = nowMs;
    // A file that is gone or half written for a moment changes nothing of what is known.
    const seen = stampOf(file);
    if (seen !== undefined && seen !== stamp) {
      keys = readKeys(file);
      stamp = seen;
    }
    return keys;
  });
}

function ringOf(keysNow: (force: boolean) => readonly MasterKey[]): KeyRing {
  return {
    current: () => keysNow(false)[0]!,
    find(id) {
      const known = (force: boolean) => keysNow(force).find((key) => key.id === id);
      const key = known(false) ?? known(true);
      if (!key) throw new VaultError('key-unknown', `La clé « ${id} » n’est pas dans le trousseau (DATA_KEYS).`);
      return key;
    },
    ids: () => keysNow(true).map(({ id }) => id),
  };
}

/** Makes the file of a ring with one new key, readable by its owner alone; an existing file is left as it is. */
export function ensureKeyFile(file: string, now: Date): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    const handle = openSync(file, 'wx', 0o600);
    writeSync(handle, newKeyLine(now));
    fsyncSync(handle);
    closeSync(handle);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Puts a new key in front of the others. @returns its id. */
export function rotateKeyFile(file: string, now: Date): string {
  const text = readFileSync(file, 'utf8');
  const line = newKeyLine(now);
  parseKeys(line + text);
  const fresh = `${file}.new`;
  const handle = openSync(fresh, 'w', 0o600);
  writeSync(handle, line + text);
  fsyncSync(handle);
  closeSync(handle);
  chmodSync(fresh, 0o600);
  renameSync(fresh, file);
  return line.slice(0, line.indexOf(':'));
}

/** Takes a key out of the file for good: what it still seals cannot be opened any more. @throws VaultError for the current key. */
export function retireKey(file: string, id: string): void {
  const lines = readFileSync(file, 'utf8').split('\n');
  const isKey = (line: string) => line.trim().startsWith(`${id}:`);
  if (!lines.some(isKey))
    throw new VaultError('key-unknown', `La clé « ${id} » n’est pas dans le trousseau : voyez « keys list ».`);
  const text = lines.filter((line) => !isKey(line)).join('\n');
  if (parseKeys(lines.join('\n'))[0]?.id === id)
    throw new VaultError('keys', `La clé « ${id} » est celle qui scelle : faites d’abord « keys rotate ».`);
  const fresh = `${file}.new`;
  const handle = openSync(fresh, 'w', 0o600);
  writeSync(handle, text);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(fresh, file);
}

/** A line of a ring: a new random key under an id that tells its day. */
export function newKeyLine(now: Date): string {
  const day = now.toISOString().slice(0, 10).replaceAll('-', '');
  return `k${day}-${randomBytes(3).toString('hex')}:${randomBytes(keyBytes).toString('base64')}\n`;
}

function readKeys(file: string): readonly MasterKey[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new VaultError('keys', `Trousseau illisible (${(error as NodeJS.ErrnoException).code}) : ${file}`);
  }
  return parseKeys(text);
}

function parseKeys(text: string): readonly MasterKey[] {
  const entries = text
    .split(/[\n,]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '' && !entry.startsWith('#'));
  const keys = entries.map((entry) => {
    const [id = '', encoded = ''] = entry.split(':');
    const key = Buffer.from(encoded, 'base64');
    if (!idPattern.test(id) || key.length !== keyBytes) {
      throw new VaultError('keys', 'Une clé du trousseau (DATA_KEYS) n’a pas la forme <nom>:<32 octets en base64>.');
    }
    const derived = (purpose: string) =>
      createSecretKey(Buffer.from(hkdfSync('sha256', key, '', `passerelle ${purpose}`, keyBytes)));
    return { id, forObjects: derived('objects'), forTexts: derived('texts') };
  });
  if (keys.length === 0) throw new VaultError('keys', 'Le trousseau (DATA_KEYS) ne contient aucune clé.');
  if (new Set(keys.map(({ id }) => id)).size < keys.length) {
    throw new VaultError('keys', 'Le trousseau (DATA_KEYS) contient deux fois le même nom de clé.');
  }
  return keys;
}

function stampOf(file: string): string | undefined {
  try {
    const { mtimeMs, size, ino } = statSync(file);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return undefined;
  }
}
