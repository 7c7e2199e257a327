/** Settings of the audit trail: the key that signs it, and where it is sent (docs/access/audit.md). */
import { resolve } from 'node:path';
import { ConfigError } from './config-error.ts';
import { type Environment, fileText, given } from './variables.ts';

export interface AuditSettings {
  /** PEM file of the Ed25519 key that signs the trail; undefined: one in the data folder, made at first use. */
  keyFile: string | undefined;
  /** Where every event is sent as it happens (ATNA); undefined: nowhere. */
  syslog: AuditSyslog | undefined;
}

/** A syslog receiver over TLS (RFC 5425). */
export interface AuditSyslog {
  host: string;
  port: number;
  /** PEM of the authorities its certificate is signed by; undefined: the publicly known ones. */
  ca: string | undefined;
  /** PEM of our own certificate and key, where the receiver asks for one. */
  identity: { cert: string; key: string } | undefined;
}

/** Port of syslog over TLS (RFC 5425 §4.1). */
const defaultPort = 6514;

/** @throws ConfigError */
export function auditSettings(env: Environment): AuditSettings {
  const keyFile = given(env, 'AUDIT_KEY_FILE');
  return { keyFile: keyFile && resolve(keyFile), syslog: syslog(env) };
}

function syslog(env: Environment): AuditSyslog | undefined {
  const value = given(env, 'AUDIT_SYSLOG');
  if (value === undefined) return undefined;
  const address = URL.canParse(`tls://${value}`) ? new URL(`tls://${value}`) : undefined;
  const port = Number(address?.port || defaultPort);
  if (!address?.hostname || address.pathname !== '' || address.username || port === 0)
    throw new ConfigError(`AUDIT_SYSLOG=${value} : donnez hôte ou hôte:port.`);
  const cert = pem(env, 'AUDIT_SYSLOG_CERT');
  const key = pem(env, 'AUDIT_SYSLOG_KEY');
  if ((cert === undefined) !== (key === undefined))
    throw new ConfigError('AUDIT_SYSLOG_CERT et AUDIT_SYSLOG_KEY vont ensemble : donnez les deux chemins, ou aucun.');
  return {
    host: address.hostname.replace(/^\[|\]$/g, ''),
    port,
    ca: pem(env, 'AUDIT_SYSLOG_CA'),
    identity: cert !== undefined && key !== undefined ? { cert, key } : undefined,
  };
}

function pem(env: Environment, name: string): string | undefined {
  const path = given(env, name);
  return path === undefined ? undefined : fileText(name, path);
}
