/** What the server lets near it from outside: origins, rates, who is told of weaknesses, who looks for malware. */
import { ConfigError } from './config-error.ts';
import { type Secret, secret } from './secret.ts';
import { type Environment, given, listed, oneOf } from './variables.ts';

/** So many at once, refilled at so many per second; undefined: no limit. */
export interface Rate {
  perSecond: number;
  burst: number;
}

export interface LimitSettings {
  /** Requests of one account or client, on this node. */
  accountRate: Rate | undefined;
  /** Requests from one network address. */
  addressRate: Rate | undefined;
  /** Requests being answered at the same time. */
  accountConcurrency: number;
  addressConcurrency: number;
  /** Open HTTP connections of one address. */
  addressConnections: number;
  /** Octets per second below which a body that is being sent is given up. */
  bodyRate: number;
}

export interface MalwareSettings {
  /** Where clamd listens: a host and port, or the path of a socket. */
  clamd: { host: string; port: number } | { path: string };
  /** What becomes of a file while clamd does not answer; `accept` leaves that in the trail. */
  unavailable: 'refuse' | 'accept';
  timeoutMs: number;
}

export interface SurfaceSettings {
  /** Origins of other sites whose pages may use the API, each `https://host[:port]`; nobody when empty. */
  corsOrigins: readonly string[];
  /** URI for reports of vulnerabilities (RFC 9116). */
  securityContact: string;
  limits: LimitSettings;
  /** What monitoring shows to read `/metrics`; undefined: it reads them on the machine itself only. */
  metricsToken: Secret | undefined;
  /** Undefined: attachments are not scanned. */
  malware: MalwareSettings | undefined;
}

const clamdPort = 3310;

/** @throws ConfigError naming the variable. */
export function surfaceSettings(env: Environment): SurfaceSettings {
  return {
    corsOrigins: listed(env, 'CORS_ORIGINS').map(originOf),
    securityContact: contact(env),
    limits: {
      accountRate: rate(env, 'LIMIT_ACCOUNT_RATE', { perSecond: 300, burst: 3_000 }),
      addressRate: rate(env, 'LIMIT_ADDRESS_RATE', { perSecond: 1_000, burst: 10_000 }),
      accountConcurrency: count(env, 'LIMIT_ACCOUNT_CONCURRENCY', 100),
      addressConcurrency: count(env, 'LIMIT_ADDRESS_CONCURRENCY', 400),
      addressConnections: count(env, 'LIMIT_ADDRESS_CONNECTIONS', 1_000),
      bodyRate: count(env, 'LIMIT_BODY_RATE', 500),
    },
    metricsToken: secret(env, 'METRICS_TOKEN'),
    malware: malware(env),
  };
}

/** An origin and nothing else; no wildcard: what may read patients' data is named. */
function originOf(entry: string): string {
  const url = URL.canParse(entry) ? new URL(entry) : undefined;
  const isLocal = url?.hostname === 'localhost' || url?.hostname === '127.0.0.1';
  if (
    url?.origin !== entry ||
    entry.includes('*') ||
    !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal))
  )
    throw new ConfigError(`CORS_ORIGINS : « ${entry} » n’est pas une origine comme https://app.chu.example.`);
  return entry;
}

function contact(env: Environment): string {
  const value = given(env, 'SECURITY_CONTACT') ?? 'mailto:securite@passerelle.example';
  if (!/^(?:mailto:|https:\/\/|tel:)\S+$/.test(value))
    throw new ConfigError(`SECURITY_CONTACT=${value} : donnez une adresse mailto:, https: ou tel:.`);
  return value;
}

function malware(env: Environment): MalwareSettings | undefined {
  const host = given(env, 'CLAMD_HOST');
  const path = given(env, 'CLAMD_SOCKET');
  if (host !== undefined && path !== undefined)
    throw new ConfigError('CLAMD_HOST et CLAMD_SOCKET : ne gardez que l’un des deux.');
  if (host === undefined && path === undefined) return undefined;
  return {
    clamd: path === undefined ? { host: host!, port: count(env, 'CLAMD_PORT', clamdPort) } : { path },
    unavailable: oneOf(env, 'CLAMD_UNAVAILABLE', ['refuse', 'accept'], 'refuse'),
    timeoutMs: count(env, 'CLAMD_TIMEOUT', 30) * 1000,
  };
}

function rate(env: Environment, name: string, fallback: Rate): Rate | undefined {
  const value = given(env, name);
  if (value === undefined) return fallback;
  if (value === 'off') return undefined;
  const [, perSecond, burst] = /^(\d{1,7}),(\d{1,8})$/.exec(value) ?? [];
  if (!Number(perSecond) || !Number(burst))
    throw new ConfigError(`${name}=${value} : donnez <requêtes par seconde>,<pointe>, par exemple 300,3000, ou off.`);
  return { perSecond: Number(perSecond), burst: Number(burst) };
}

function count(env: Environment, name: string, fallback: number): number {
  const value = given(env, name);
  if (value === undefined) return fallback;
  if (!/^[1-9]\d{0,7}$/.test(value)) throw new ConfigError(`${name}=${value} : donnez un entier à partir de 1.`);
  return Number(value);
}
