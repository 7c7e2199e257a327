/** DICOM associations: where they are taken, under which name, and from whom without a certificate. */
import { BlockList, isIP } from 'node:net';
import type { ClientSettings } from './clients.ts';
import { ConfigError } from './config-error.ts';
import { type Environment, given, port } from './variables.ts';

/** An AE title that may come over the plain port, and from where. */
export interface DicomPeer {
  aeTitle: string;
  /** Whether a network address is among those listed with it. */
  includes(address: string): boolean;
}

export interface DicomSettings {
  /** Plain port; undefined: not offered. 0: any free one. */
  port: number | undefined;
  /** Port of DICOM over TLS, with a certificate on both sides; undefined: not offered. */
  securePort: number | undefined;
  /** Our own AE title. */
  aeTitle: string;
  /** Undefined: registered titles, from this machine only. */
  peers: DicomPeer[] | undefined;
}

const defaultPort = 11112;

/**
 * @param demo the demonstration offers the plain port by itself; elsewhere somebody has to want it.
 * @throws ConfigError naming the variable that cannot be used.
 */
export function dicomSettings(
  env: Environment,
  { demo, clients, hasTls }: { demo: boolean; clients: ClientSettings; hasTls: boolean },
): DicomSettings {
  const securePort = portOrOff(env, 'DIMSES_PORT');
  if (securePort !== undefined && !(hasTls && clients.certificates)) {
    throw new ConfigError(
      'DIMSES_PORT ne reçoit que des clients à certificat : donnez TLS_CERT, TLS_KEY, et TLS_CLIENT_CERTIFICATES=optional ou TLS_CLIENT_CA.',
    );
  }
  return {
    port: given(env, 'DIMSE_PORT') === undefined && demo ? defaultPort : portOrOff(env, 'DIMSE_PORT'),
    securePort,
    aeTitle: aeTitle(given(env, 'DIMSE_AE') ?? 'PASSERELLE', 'DIMSE_AE'),
    peers: peers(env),
  };
}

/** `PACS_CHU=10.2.0.7,PACS_CHU=10.2.1.0/24,CT1=10.2.4.0/24` */
function peers(env: Environment): DicomPeer[] | undefined {
  const value = given(env, 'DIMSE_PEERS');
  return value?.split(',').map((entry) => {
    const at = entry.lastIndexOf('=');
    const [address = '', bits] = entry
      .slice(at + 1)
      .trim()
      .split('/');
    const family = isIP(address);
    const most = family === 6 ? 128 : 32;
    const prefix = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (at < 1 || family === 0 || prefix < 0 || prefix > most) {
      throw new ConfigError(
        `DIMSE_PEERS : « ${entry.trim()} » n’a pas la forme TITRE_AE=adresse ou TITRE_AE=réseau/bits.`,
      );
    }
    const list = new BlockList();
    list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
    return {
      aeTitle: aeTitle(entry.slice(0, at).trim(), 'DIMSE_PEERS'),
      includes: (from) => isIP(from) !== 0 && list.check(from, isIP(from) === 6 ? 'ipv6' : 'ipv4'),
    };
  });
}

function aeTitle(text: string, name: string): string {
  if (!/^[!-[\]-~](?:[ -[\]-~]{0,14}[!-[\]-~])?$/.test(text)) {
    throw new ConfigError(
      `${name} : « ${text} » n’est pas un titre AE (1 à 16 caractères imprimables, sans barre oblique inverse).`,
    );
  }
  return text;
}

function portOrOff(env: Environment, name: string): number | undefined {
  return given(env, name) === 'off' ? undefined : port(env, name);
}
