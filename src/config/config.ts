import { join, resolve } from 'node:path';
import { type AuditSettings, auditSettings } from './audit.ts';
import { type ClientSettings, clientSettings } from './clients.ts';
import { type Clock, type DemonstrationClock, systemClock } from './clock.ts';
import { ConfigError } from './config-error.ts';
import { type DataKeysConfig, dataKeysConfig } from './data-keys.ts';
import { demoClock, demoPassword, demoSetting } from './demonstration.ts';
import { type DicomSettings, dicomSettings } from './dicom.ts';
import { type IdentitySources, identitySources } from './identity-sources/index.ts';
import { type LegalNotice, legalNotice } from './legal-notice.ts';
import { type SmtpConfig, securityAlertTo, smtp } from './mail.ts';
import { secondFactorRoles } from './second-factor.ts';
import { secretText } from './secret.ts';
import { type SurfaceSettings, surfaceSettings } from './surface.ts';
import { type Environment, given, listed, oneOf, port } from './variables.ts';

/** Everything the environment decides, validated once. See the README's table for the meaning of each variable. */
export interface Config {
  /** Absolute folder of the embedded database, the blobs, the keys and the caches. */
  dataDir: string;
  /** Master keys of what is encrypted at rest. */
  dataKeys: DataKeysConfig;
  /** Application's connection string; undefined means the embedded PostgreSQL. */
  databaseUrl: string | undefined;
  /** Connection string of the role that may migrate; defaults to `databaseUrl`. */
  databaseAdminUrl: string | undefined;
  host: string;
  /** 0 means any free port, here and for every port below. */
  port: number;
  /** Public address, without a trailing slash; undefined means "what we listen on". */
  baseUrl: string | undefined;
  /** Addresses or networks of the proxies whose X-Forwarded-For is believed; undefined: nobody's. */
  trustProxy: string[] | undefined;
  mllpPort: number;
  /** MLLP over TLS, with the certificate of `tls`; undefined: not offered. */
  mllpsPort: number | undefined;
  tls: { cert: string; key: string } | undefined;
  clients: ClientSettings;
  dicom: DicomSettings;
  /** Whether the demonstration hospital is seeded: asked for, or implied by embedded database + loopback address. */
  demo: boolean;
  /** Password of every demonstration account; undefined means "random, printed once". */
  demoPassword: string | undefined;
  clock: Clock;
  /** The same clock where it is a demonstration's, which may be moved on. */
  demonstrationClock: DemonstrationClock | undefined;
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /** Whether a write checks that the targets of its references exist. */
  checkReferences: boolean;
  /** Longest time of one search, in milliseconds. */
  searchTimeoutMs: number;
  /** Hosts in private networks that notifications of Subscriptions may reach; `tenant=host` for one tenant only. */
  subscriptionHosts: string[];
  /** Mail server for notifications; undefined: none are sent by mail. */
  smtp: SmtpConfig | undefined;
  /** Addresses that are told of security incidents; needs `smtp`. */
  securityAlertTo: string[];
  /** Origins, rates, malware: what comes near from outside. */
  surface: SurfaceSettings;
  /** Roles whose people need a second factor, beside administrators and support. */
  secondFactorRoles: readonly string[] | 'all';
  audit: AuditSettings;
  /** Directories and identity providers people sign in through. */
  identitySources: IdentitySources;
  /** What the legal-notice page says; undefined: that nobody wrote it yet. */
  legalNotice: LegalNotice | undefined;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/**
 * Reads the environment into a `Config`.
 * @throws ConfigError naming the first variable that cannot be used.
 */
export function loadConfig(env: Environment): Config {
  const databaseUrl = secretText(env, 'DATABASE_URL');
  const host = given(env, 'HOST') ?? '127.0.0.1';
  const demo = demoSetting(env, databaseUrl === undefined && isLoopback(host));
  const demonstrationClock = demoClock(env, demo);
  const clients = clientSettings(env);
  return {
    dataDir: resolve(given(env, 'DATA_DIR') ?? 'data'),
    dataKeys: dataKeysConfig(env),
    databaseUrl,
    databaseAdminUrl: secretText(env, 'DATABASE_ADMIN_URL') ?? databaseUrl,
    host,
    port: port(env, 'PORT') ?? 8080,
    baseUrl: baseUrl(env),
    trustProxy: given(env, 'TRUST_PROXY')
      ?.split(',')
      .map((address) => address.trim()),
    mllpPort: port(env, 'MLLP_PORT') ?? 2575,
    mllpsPort: mllpsPort(env),
    tls: tls(env),
    clients,
    dicom: dicomSettings(env, { demo, clients, hasTls: tls(env) !== undefined }),
    demo,
    demoPassword: demoPassword(env),
    clock: demonstrationClock ?? systemClock,
    demonstrationClock,
    logLevel: oneOf(env, 'LOG_LEVEL', logLevels, 'info'),
    checkReferences: oneOf(env, 'FHIR_CHECK_REFERENCES', ['on', 'off'], 'off') === 'on',
    searchTimeoutMs: seconds(env, 'FHIR_SEARCH_TIMEOUT', 10) * 1000,
    subscriptionHosts: listed(env, 'SUBSCRIPTION_HOSTS'),
    smtp: smtp(env),
    securityAlertTo: securityAlertTo(env),
    surface: surfaceSettings(env),
    secondFactorRoles: secondFactorRoles(env),
    audit: auditSettings(env),
    identitySources: identitySources(env),
    legalNotice: legalNotice(env),
  };
}

/** Whether an address names this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Folder below the data folder, by name. */
export function dataFolder(config: Config, name: 'postgres' | 'blobs' | 'keys' | 'cache'): string {
  return join(config.dataDir, name);
}

/** A time of at most a minute, when every statement ends. */
function seconds(env: Environment, name: string, fallback: number): number {
  const value = given(env, name);
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!(number > 0 && number <= 60))
    throw new ConfigError(`${name}=${value} : donnez un nombre de secondes, 60 au plus.`);
  return number;
}

function baseUrl(env: Environment): string | undefined {
  const value = given(env, 'BASE_URL');
  if (value === undefined) return undefined;
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new ConfigError(
      `BASE_URL=${value} n’est pas une adresse : donnez http:// ou https:// et le nom d’hôte, comme les utilisateurs l’écrivent.`,
    );
  }
  return value.replace(/(?<!\/)\/+$/, '');
}

function mllpsPort(env: Environment): number | undefined {
  const value = port(env, 'MLLPS_PORT');
  if (value !== undefined && !tls(env))
    throw new ConfigError('MLLPS_PORT demande un certificat : donnez TLS_CERT et TLS_KEY.');
  return value;
}

function tls(env: Environment): Config['tls'] {
  const cert = given(env, 'TLS_CERT');
  const key = given(env, 'TLS_KEY');
  if (cert && key) return { cert, key };
  if (cert || key) throw new ConfigError('TLS_CERT et TLS_KEY vont ensemble : donnez les deux chemins, ou aucun.');
  return undefined;
}
