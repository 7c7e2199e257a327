/** The register of clients: machines and third-party apps, each of one tenant; machines of one establishment (SE-3). */
import { type Database, platformTenant, type Sql } from '../../db/index.ts';
import type { KeySet } from './key-set.ts';

/** `backend` acts for itself with an account of its own; apps act for the person who consented. */
export type ClientKind = 'backend' | 'public-app' | 'confidential-app';

export interface Client {
  /** `platform`: an app for people of every tenant. */
  tenant: string;
  /** Of a machine also the login of its account. */
  id: string;
  kind: ClientKind;
  display: string;
  /** Establishment (Organization id) a machine speaks for. */
  organizationId?: string;
  /** As granted by the operator, version 1 or 2. */
  scopes: readonly string[];
  /** Compared letter by letter. */
  redirectUris: readonly string[];
  /** Where our pages open the app (SMART EHR launch). */
  launchUri?: string;
  keys?: { set: KeySet } | { url: string };
  /** Life of its access tokens, seconds. */
  accessSeconds: number;
  disabled: boolean;
  /** When it was last registered, rotated, shut off or on. */
  changedAt: Date;
  /** `sha256:<hexadecimal>` and `subject:<name>`, sorted. */
  certificates: readonly string[];
}

const idSyntax = /^[a-z0-9][a-z0-9._@-]{1,63}$/;

export function isClientId(text: string): boolean {
  return idSyntax.test(text);
}

interface Row {
  tenant: string;
  client_id: string;
  kind: ClientKind;
  display: string;
  organization_id: string | null;
  scopes: string[];
  redirect_uris: string[];
  launch_uri: string | null;
  jwks: KeySet | null;
  jwks_uri: string | null;
  access_seconds: number;
  disabled: boolean;
  changed_at: Date;
}

const columns = `tenant, client_id, kind, display, organization_id, scopes, redirect_uris, launch_uri, jwks, jwks_uri,
  access_seconds, disabled, changed_at`;

/** The client of that id, shut off or not; undefined when there is none. */
export async function findClient(database: Database, clientId: string): Promise<Client | undefined> {
  if (!isClientId(clientId)) return undefined;
  const { rows: known } = await database.query<{ client_tenant: string }>(
    platformTenant,
    'SELECT client_tenant FROM oauth_client_directory WHERE tenant = $1 AND client_id = $2',
    [platformTenant, clientId],
  );
  const tenant = known[0]?.client_tenant;
  if (tenant === undefined) return undefined;
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT ${columns} FROM oauth_client WHERE tenant = $1 AND client_id = $2`,
    [tenant, clientId],
  );
  return rows[0] && toClient(rows[0], await certificatesOf(database, [clientId]));
}

/** Every client of a tenant, by id. */
export async function listClients(database: Database, tenant: string): Promise<Client[]> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT ${columns} FROM oauth_client WHERE tenant = $1 ORDER BY client_id`,
    [tenant],
  );
  const certificates = await certificatesOf(
    database,
    rows.map(({ client_id }) => client_id),
  );
  return rows.map((row) => toClient(row, certificates));
}

/** The client a certificate belongs to, by the names it may be registered under; undefined when there is none, or several. */
export async function clientOfCertificate(database: Database, names: readonly string[]): Promise<Client | undefined> {
  const { rows } = await database.query<{ client_id: string }>(
    platformTenant,
    'SELECT DISTINCT client_id FROM client_certificate WHERE tenant = $1 AND name = ANY($2::text[])',
    [platformTenant, names],
  );
  const [only, another] = rows;
  return only && another === undefined ? findClient(database, only.client_id) : undefined;
}

async function certificatesOf(database: Database, clientIds: readonly string[]): Promise<Map<string, string[]>> {
  const { rows } = await database.query<{ client_id: string; name: string }>(
    platformTenant,
    'SELECT client_id, name FROM client_certificate WHERE tenant = $1 AND client_id = ANY($2::text[]) ORDER BY name',
    [platformTenant, clientIds],
  );
  const names = new Map<string, string[]>();
  for (const { client_id, name } of rows) names.set(client_id, [...(names.get(client_id) ?? []), name]);
  return names;
}

function toClient(row: Row, certificates: ReadonlyMap<string, readonly string[]>): Client {
  return {
    tenant: row.tenant,
    id: row.client_id,
    kind: row.kind,
    display: row.display,
    ...(row.organization_id ? { organizationId: row.organization_id } : {}),
    scopes: row.scopes,
    redirectUris: row.redirect_uris,
    ...(row.launch_uri ? { launchUri: row.launch_uri } : {}),
    ...(row.jwks ? { keys: { set: row.jwks } } : row.jwks_uri ? { keys: { url: row.jwks_uri } } : {}),
    accessSeconds: row.access_seconds,
    disabled: row.disabled,
    changedAt: row.changed_at,
    certificates: certificates.get(row.client_id) ?? [],
  };
}

/**
 * Whether a client is still what it was when it proved itself, until the end of the transaction: who shuts it off or gives it other keys
 * meanwhile waits, and then finds the token to end. An app of the platform is out of sight in a hospital's transaction.
 */
export async function isStill(sql: Sql, tenant: string, client: Client): Promise<boolean> {
  if (client.tenant !== tenant) return true;
  const { rowCount } = await sql.query(
    'SELECT FROM oauth_client WHERE tenant = $1 AND client_id = $2 AND NOT disabled AND changed_at = $3 FOR SHARE',
    [tenant, client.id, client.changedAt],
  );
  return rowCount === 1;
}

/** Ends every token, code and consent of a client in a tenant. @returns how many tokens and consents ended. */
export async function endTokensOfClient(sql: Sql, tenant: string, clientId: string): Promise<number> {
  const tokens = await sql.query('DELETE FROM oauth_token WHERE tenant = $1 AND client_id = $2', [tenant, clientId]);
  const grants = await sql.query('DELETE FROM oauth_grant WHERE tenant = $1 AND client_id = $2', [tenant, clientId]);
  return (tokens.rowCount ?? 0) + (grants.rowCount ?? 0);
}
