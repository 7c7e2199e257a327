/** The mail server, and who is told of security incidents by it. */
import { ConfigError } from './config-error.ts';
import { type Secret, secret } from './secret.ts';
import { type Environment, given, listed, port } from './variables.ts';

export interface SmtpConfig {
  host: string;
  port: number;
  user: string | undefined;
  password: Secret | undefined;
  /** Address messages come from. */
  from: string;
}

/** @returns undefined without `SMTP_HOST`: nothing is sent by mail. @throws ConfigError */
export function smtp(env: Environment): SmtpConfig | undefined {
  const host = given(env, 'SMTP_HOST');
  if (host === undefined) return undefined;
  const from = given(env, 'SMTP_FROM');
  if (from === undefined) throw new ConfigError('SMTP_HOST demande SMTP_FROM, l’adresse d’où partent les messages.');
  return {
    host,
    port: port(env, 'SMTP_PORT') ?? 587,
    user: given(env, 'SMTP_USER'),
    password: secret(env, 'SMTP_PASSWORD'),
    from,
  };
}

/** @throws ConfigError */
export function securityAlertTo(env: Environment): string[] {
  const addresses = listed(env, 'SECURITY_ALERT_TO');
  const wrong = addresses.find((address) => !/^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/.test(address));
  if (wrong !== undefined) throw new ConfigError(`SECURITY_ALERT_TO : « ${wrong} » n’est pas une adresse de courriel.`);
  if (addresses.length > 0 && given(env, 'SMTP_HOST') === undefined) {
    throw new ConfigError('SECURITY_ALERT_TO demande SMTP_HOST : sans lui rien ne partirait.');
  }
  return addresses;
}
