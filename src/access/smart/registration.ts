/** Registering clients: what the operator asks for is checked as a whole before anything is stored. */
import { isIP } from 'node:net';
import { type Database, platformTenant } from '../../db/index.ts';
import { type Client, type ClientKind, endTokensOfClient, findClient, isClientId } from './client.ts';
import { isAllowedKeyUrl } from './key-fetch.ts';
import type { KeySet } from './key-set.ts';
import { type ParametersOf, unenforceable } from './row-conditions.ts';
import { isResourceScope, readScope } from './scopes.ts';

/** What is wrong with a registration, in words for the operator. */
export class RegistrationError extends Error {
  override name = 'RegistrationError';
}

/** A client as it is asked for. */
export interface ClientRequest {
  tenant: string;
  id: string;
  kind: ClientKind;
  display: string;
  organizationId?: string;
  scopes: readonly string[];
  redirectUris: readonly string[];
  launchUri?: string;
  keys?: { set: KeySet } | { url: string };
  certificates: readonly string[];
  /** 60 to 3,600; 300 when absent. */
  accessSeconds?: number;
}

export interface RegistryRooms {
  database: Database;
  now: Date;
  /** Hosts key sets may be fetched from. */
  keyHosts: readonly string[];
  parametersOf: ParametersOf;
}

const mostEntries = 50;
const defaultAccessSeconds = 300;
const longestUri = 1_000;
const certificateSyntax = /^(?:sha256:[0-9a-f]{64}|subject:\S.{0,499})$/;

/**
 * Stores a new client, or a new state of a known one of the same tenant.
 * @throws RegistrationError naming what cannot be used; when another tenant has the id, or another client a certificate.
 */
export async function storeClient(rooms: RegistryRooms, request: ClientRequest): Promise<void> {
  const { database, now } = rooms;
  checkClient(request, rooms);
  const { tenant, id } = request;
  const { rows } = await database.query<{ client_tenant: string }>(
    platformTenant,
    `INSERT INTO oauth_client_directory (tenant, client_id, client_tenant) VALUES ($1, $2, $3)
     ON CONFLICT (tenant, client_id) DO UPDATE SET client_id = excluded.client_id
     RETURNING client_tenant`,
    [platformTenant, id, tenant],
  );
  if (rows[0]?.client_tenant !== tenant) throw new RegistrationError(`l’identifiant de client ${id} est pris`);
  await storeCertificates(database, request);
  const { keys } = request;
  await database.query(
    tenant,
    `INSERT INTO oauth_client (tenant, client_id, kind, display, organization_id, scopes, redirect_uris, launch_uri, jwks, jwks_uri,
                               access_seconds, created_at, changed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
     ON CONFLICT (tenant, client_id) DO UPDATE
     SET kind = excluded.kind, display = excluded.display, organization_id = excluded.organization_id, scopes = excluded.scopes,
         redirect_uris = excluded.redirect_uris, launch_uri = excluded.launch_uri, jwks = excluded.jwks,
         jwks_uri = excluded.jwks_uri, access_seconds = excluded.access_seconds, changed_at = excluded.changed_at`,
    [
      tenant,
      id,
      request.kind,
      request.display,
      request.organizationId ?? null,
      request.scopes,
      request.redirectUris,
      request.launchUri ?? null,
      keys && 'set' in keys ? JSON.stringify(keys.set) : null,
      keys && 'url' in keys ? keys.url : null,
      request.accessSeconds ?? defaultAccessSeconds,
      now,
    ],
  );
}

/** Shuts a client off or on; off ends its tokens at once, in whatever tenant. @throws RegistrationError when there is none. */
export async function setClientDisabled(database: Database, id: string, disabled: boolean, now: Date): Promise<Client> {
  const client = await existing(database, id);
  await database.query(
    client.tenant,
    'UPDATE oauth_client SET disabled = $3, changed_at = $4 WHERE tenant = $1 AND client_id = $2',
    [client.tenant, id, disabled, now],
  );
  if (disabled) await endTokens(database, client);
  return { ...client, disabled };
}

/** Replaces how a client proves who it is; its tokens end, since the old proof may be in other hands. @throws RegistrationError. */
export async function rotateClient(
  rooms: RegistryRooms,
  id: string,
  proof: Pick<ClientRequest, 'keys' | 'certificates'>,
): Promise<Client> {
  const client = await existing(rooms.database, id);
  const { keys: _oldKeys, certificates: _oldCertificates, disabled: _state, changedAt: _then, ...kept } = client;
  await storeClient(rooms, { ...kept, ...proof });
  await endTokens(rooms.database, client);
  return existing(rooms.database, id);
}

async function existing(database: Database, id: string): Promise<Client> {
  const client = await findClient(database, id);
  if (!client) throw new RegistrationError(`aucun client ${id} : voyez « clients list »`);
  return client;
}

async function endTokens(database: Database, client: Client): Promise<void> {
  const tenants = client.tenant === platformTenant ? await database.tenants() : [client.tenant];
  for (const tenant of tenants) {
    await database.transaction(tenant, (sql) => endTokensOfClient(sql, tenant, client.id));
  }
}

async function storeCertificates(database: Database, { tenant, id, certificates }: ClientRequest): Promise<void> {
  await database.transaction(platformTenant, async (sql) => {
    await sql.query('DELETE FROM client_certificate WHERE tenant = $1 AND client_id = $2', [platformTenant, id]);
    for (const name of certificates) {
      const { rowCount } = await sql.query(
        `INSERT INTO client_certificate (tenant, name, client_tenant, client_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING`,
        [platformTenant, name, tenant, id],
      );
      if (rowCount !== 1) throw new RegistrationError(`le certificat ${name} est celui d’un autre client`);
    }
  });
}

/** @throws RegistrationError naming the first thing that cannot be used. */
export function checkClient(request: ClientRequest, { keyHosts, parametersOf }: RegistryRooms): void {
  const { id, kind, display, organizationId, scopes, redirectUris, launchUri, keys, certificates } = request;
  const isBackend = kind === 'backend';
  refuse(!isClientId(id), 'identifiant de client : 2 à 64 caractères parmi a-z 0-9 . _ @ -');
  refuse(display.length === 0 || display.length > 200, '--name : 1 à 200 caractères');
  refuse(
    isBackend && !organizationId,
    'une machine est d’un établissement : donnez son Organization (--establishment)',
  );
  refuse(
    organizationId !== undefined && !/^[A-Za-z0-9.-]{1,64}$/.test(organizationId),
    '--establishment : l’identifiant d’une Organization',
  );
  refuse(
    [scopes, redirectUris, certificates].some(({ length }) => length > mostEntries),
    `plus de ${mostEntries} éléments`,
  );
  refuse(scopes.length === 0, '--scope : au moins un');
  const seconds = request.accessSeconds ?? defaultAccessSeconds;
  refuse(!Number.isInteger(seconds) || seconds < 60 || seconds > 3_600, '--lifetime : 60 à 3600 secondes');
  for (const text of scopes) checkScope(text, isBackend, parametersOf);
  refuse(
    isBackend !== (redirectUris.length === 0),
    '--redirect : au moins une adresse pour une application, aucune pour une machine',
  );
  for (const uri of redirectUris)
    refuse(
      !isRedirectUri(uri),
      `adresse de retour ${uri} : https, un schéma propre à l’application, ou http sur la machine même`,
    );
  refuse(launchUri !== undefined && !isWebAddress(launchUri), '--launch : https, ou http sur la machine même');
  const hasProof = keys !== undefined || certificates.length > 0;
  refuse(kind === 'public-app' && hasProof, 'une application publique ne garde aucun secret : ni clés ni certificats');
  refuse(kind !== 'public-app' && !hasProof, 'donnez ses clés publiques (--keys) ou son certificat (--certificate)');
  for (const name of certificates)
    refuse(!certificateSyntax.test(name), `certificat ${name.slice(0, 80)} : sha256:… ou subject:…`);
  if (keys && 'url' in keys) {
    refuse(
      !isAllowedKeyUrl(keys.url, new Set(keyHosts)),
      'adresse des clés : https, chez un hôte que nomme CLIENT_KEY_HOSTS',
    );
  }
}

function checkScope(text: string, isBackend: boolean, parametersOf: ParametersOf): void {
  const scope = readScope(text);
  if (scope === undefined) throw new RegistrationError(`le droit ${text.slice(0, 200)} est inconnu`);
  if (!isResourceScope(scope)) {
    refuse(isBackend, `le droit ${text} est pour les applications`);
    return;
  }
  refuse(
    (scope.level === 'system') !== isBackend,
    `droit ${text} : system/ est pour les machines, user/ et patient/ pour les applications`,
  );
  const problem = unenforceable(scope, parametersOf);
  if (problem !== undefined) throw new RegistrationError(`droit ${text.slice(0, 200)} : ${problem}`);
}

/** RFC 8252: https, a scheme of the app's own in reverse domain order, or http to the machine the browser runs on. */
function isRedirectUri(uri: string): boolean {
  if (isWebAddress(uri)) return true;
  return uri.length <= longestUri && /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:\/[!-~]*$/i.test(uri) && !uri.includes('#');
}

function isWebAddress(uri: string): boolean {
  if (uri.length > longestUri || !URL.canParse(uri) || /[\s#*]/.test(uri)) return false;
  const { protocol, hostname, username, password } = new URL(uri);
  if (username !== '' || password !== '') return false;
  const host = hostname.replace(/^\[|\]$/g, '');
  const isLoopback = host === 'localhost' || (isIP(host) !== 0 && (host === '::1' || host.startsWith('127.')));
  return protocol === 'https:' || (protocol === 'http:' && isLoopback);
}

function refuse(isWrong: boolean, message: string): void {
  if (isWrong) throw new RegistrationError(message);
}
