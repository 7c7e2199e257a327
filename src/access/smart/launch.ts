/**
 * Opening an app from our pages (SMART App Launch 2.2 §EHR launch): `POST /oauth2/launch` keeps what the person looks at, for this person
 * and this app, and answers the address to open.
 */
import type { Database } from '../../db/index.ts';
import { OAuthError } from './oauth-error.ts';
import { hashOfSecret, newSecret, tenantOfSecret } from './secrets.ts';
import type { LaunchContext } from './tokens.ts';

/** The browser goes there at once. */
const launchLifeMs = 5 * 60_000;
const idSyntax = /^[A-Za-z0-9.-]{1,64}$/;
const longestIntent = 64;

/** @throws OAuthError invalid_request. */
export function readLaunchContext(form: ReadonlyMap<string, string>): LaunchContext {
  const patient = form.get('patient');
  const task = form.get('task');
  const intent = form.get('intent');
  for (const id of [patient, task]) {
    if (id !== undefined && !idSyntax.test(id)) throw new OAuthError('invalid_request', 'patient and task are ids');
  }
  if (intent !== undefined && intent.length > longestIntent)
    throw new OAuthError('invalid_request', 'intent is too long');
  return {
    ...(patient === undefined ? {} : { patient }),
    ...(task === undefined ? {} : { task }),
    ...(intent === undefined ? {} : { intent }),
  };
}

/** @returns the value of the parameter `launch`. */
export async function storeLaunch(
  database: Database,
  launch: { tenant: string; clientId: string; login: string; context: LaunchContext },
  now: Date,
): Promise<string> {
  const { tenant, clientId, login, context } = launch;
  const secret = newSecret(tenant, 'l');
  await database.transaction(tenant, async (sql) => {
    await sql.query('DELETE FROM oauth_launch WHERE tenant = $1 AND expires_at < $2', [tenant, now]);
    await sql.query(
      `INSERT INTO oauth_launch (tenant, launch_hash, client_id, login, launch, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
      [tenant, hashOfSecret(secret), clientId, login, JSON.stringify(context), new Date(now.getTime() + launchLifeMs)],
    );
  });
  return secret;
}

/** What an app was opened with by this person; undefined when it was not, or too long ago. */
export async function findLaunch(
  database: Database,
  secret: string,
  whose: { tenant: string; clientId: string; login: string },
  now: Date,
): Promise<LaunchContext | undefined> {
  const { tenant, clientId, login } = whose;
  if (tenantOfSecret(secret, 'l') !== tenant) return undefined;
  const { rows } = await database.query<{ launch: LaunchContext }>(
    tenant,
    `SELECT launch FROM oauth_launch
     WHERE tenant = $1 AND launch_hash = $2 AND client_id = $3 AND login = $4 AND expires_at > $5`,
    [tenant, hashOfSecret(secret), clientId, login, now],
  );
  return rows[0]?.launch;
}

/** A launch serves once. @returns whether it was still there. */
export async function endLaunch(database: Database, secret: string, tenant: string): Promise<boolean> {
  const { rowCount } = await database.query(tenant, 'DELETE FROM oauth_launch WHERE tenant = $1 AND launch_hash = $2', [
    tenant,
    hashOfSecret(secret),
  ]);
  return rowCount === 1;
}
