/**
 * Key sets that clients publish at an address (SMART Backend Services, `jwks_uri`): only over https, only from hosts the operator named
 * (no SSRF), without redirects, bounded in time and size; remembered, and asked again when an assertion names a key that is not there.
 */
import https from 'node:https';
import { rootCertificates } from 'node:tls';
import type { Clock } from '../../config/index.ts';
import { type KeySet, keyNamed, longestKeySetBytes, readKeySet } from './key-set.ts';

const timeoutMs = 5_000;
/** A key taken out of a set stops working within this time. */
const rememberedMs = 5 * 60_000;
/** Whoever sends assertions with invented key names makes us ask this often at most. */
const leastPauseMs = 30_000;
const rememberedAtMost = 1_000;

export interface KeyFetch {
  /**
   * The key set at `url`, not older than five minutes, newer when it lacks the key.
   * @throws Error when it cannot be had; the message quotes nothing of the answer.
   */
  keySet(url: string, kid: string, algorithm: string): Promise<KeySet>;
}

/** @param hosts `host` or `host:port`, as the operator wrote them. @param ca further authorities, PEM. */
export function createKeyFetch(options: { hosts: readonly string[]; clock: Clock; ca?: readonly string[] }): KeyFetch {
  const { clock, ca = [] } = options;
  const allowed = new Set(options.hosts.map((host) => host.toLowerCase()));
  const known = new Map<string, { set: KeySet; at: number }>();
  const asked = new Map<string, { at: number; answer: Promise<KeySet> }>();

  /** At most one request at a time and address, and none again before the pause is over. */
  function ask(url: string): Promise<KeySet> {
    const now = clock.now().getTime();
    const last = asked.get(url);
    if (last && now - last.at < leastPauseMs) return last.answer;
    const answer = download(new URL(url), ca).then((text) => {
      const set = readKeySet(text);
      if (known.size >= rememberedAtMost) known.clear();
      known.set(url, { set, at: now });
      return set;
    });
    answer.catch(() => undefined);
    if (asked.size >= rememberedAtMost) asked.clear();
    asked.set(url, { at: now, answer });
    return answer;
  }

  return {
    async keySet(url, kid, algorithm) {
      if (!isAllowedKeyUrl(url, allowed)) throw new Error('the host of the key set is not one the operator named');
      const found = known.get(url);
      const isFresh = found !== undefined && clock.now().getTime() - found.at < rememberedMs;
      return isFresh && keyNamed(found.set, kid, algorithm) ? found.set : ask(url);
    },
  };
}

/** Whether an address may be asked for keys. */
export function isAllowedKeyUrl(text: string, hosts: ReadonlySet<string>): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return hosts.has(url.host) || hosts.has(`${url.hostname}:${url.port || '443'}`);
}

function download(url: URL, ca: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = https.get(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    minVersion: 'TLSv1.2',
    ...(ca.length > 0 ? { ca: [...rootCertificates, ...ca] } : {}),
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
  });
  request.on('error', (error: NodeJS.ErrnoException) => {
    reject(new Error(`the key set could not be fetched (${error.code ?? error.name})`));
  });
  request.on('response', (response) => {
    if (response.statusCode !== 200) {
      response.destroy();
      return reject(new Error(`the key set was answered with ${response.statusCode}`));
    }
    const chunks: Buffer[] = [];
    let length = 0;
    response.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > longestKeySetBytes) {
        response.destroy();
        reject(new Error('the key set is too long'));
      } else chunks.push(chunk);
    });
    response.on('error', (error) => reject(new Error(`the key set was cut short (${error.name})`)));
    response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
  return promise;
}
