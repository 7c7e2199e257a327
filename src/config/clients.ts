/** Machines and third-party apps: certificates they may show, and where their keys may be fetched from. */
import { ConfigError } from './config-error.ts';
import { type Environment, given, listed, oneOf } from './variables.ts';

export interface ClientSettings {
  /** Connections over TLS are asked for a certificate; nobody has to show one. */
  certificates: boolean;
  /** PEM file of the authorities whose certificates are known by their subject; others are known by their fingerprint only. */
  certificateAuthorities: string | undefined;
  /** Whether HL7 v2 over TLS is for senders with a certificate of theirs only. */
  mllpsCertificate: 'optional' | 'required';
  /** Hosts (`host` or `host:port`) key sets of clients may be fetched from. */
  keyHosts: string[];
}

/** @throws ConfigError naming the variable that cannot be used. */
export function clientSettings(env: Environment): ClientSettings {
  const certificateAuthorities = given(env, 'TLS_CLIENT_CA');
  const certificates = oneOf(env, 'TLS_CLIENT_CERTIFICATES', ['off', 'optional'], 'off');
  const mllpsCertificate = oneOf(env, 'MLLPS_CLIENT_CERTIFICATE', ['optional', 'required'], 'optional');
  const asked = certificates === 'optional' || certificateAuthorities !== undefined;
  if (asked && !(given(env, 'TLS_CERT') && given(env, 'TLS_KEY'))) {
    throw new ConfigError('Les certificats des clients demandent le nôtre : donnez TLS_CERT et TLS_KEY.');
  }
  if (mllpsCertificate === 'required' && !asked) {
    throw new ConfigError(
      'MLLPS_CLIENT_CERTIFICATE=required demande TLS_CLIENT_CERTIFICATES=optional ou TLS_CLIENT_CA.',
    );
  }
  return { certificates: asked, certificateAuthorities, mllpsCertificate, keyHosts: keyHosts(env) };
}

function keyHosts(env: Environment): string[] {
  const hosts = listed(env, 'CLIENT_KEY_HOSTS').map((host) => host.toLowerCase());
  const wrong = hosts.find((host) => !/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/.test(host));
  if (wrong !== undefined) throw new ConfigError(`CLIENT_KEY_HOSTS : « ${wrong} » n’est ni hôte ni hôte:port.`);
  return hosts;
}
