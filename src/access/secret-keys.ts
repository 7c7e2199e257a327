/**
 * The key a secret is believed under: its digest, so that no list of secrets is kept. The same few secrets come with every request, and
 * hashing them each time would cost more than the rest of the recognition.
 */
import { hashSecret } from './credentials.ts';

/** Longer ones are hashed each time. */
const rememberedLength = 256;
const rememberedAtMost = 1_000;

/**
 * @param keptForMs how long a secret itself may stay in memory to spare its hash, in milliseconds of real time: no longer than what it
 * stands for is believed.
 * @returns the key of a secret presented to a recogniser of that name; the same for the same, whether it was kept or not.
 */
export function createSecretKeys(keptForMs: number, hash = hashSecret): (name: string, secret: string) => string {
  const kept = new Map<string, string>();
  let end: NodeJS.Timeout | undefined;
  const forget = () => {
    kept.clear();
    clearTimeout(end);
    end = undefined;
  };
  return (name, secret) => {
    const presented = `${name} ${secret}`;
    const known = kept.get(presented);
    if (known !== undefined) return known;
    const key = `${name} ${hash(secret).toString('base64')}`;
    if (secret.length > rememberedLength) return key;
    if (kept.size >= rememberedAtMost) forget();
    end ??= setTimeout(forget, keptForMs).unref();
    kept.set(presented, key);
    return key;
  };
}
