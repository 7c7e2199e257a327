/** The accounts of a tenant as its administrators see them: who may what, how they sign in, when they last did. */
import type { Database } from '../../db/index.ts';
import type { SourceId } from '../federation/links.ts';

export interface ManagedAccount {
  login: string;
  kind: 'person' | 'machine';
  reference: string;
  display: string;
  roles: string[];
  /** Ids of Organizations. */
  establishments: string[];
  disabled: boolean;
  demonstration: boolean;
  password: 'none' | 'temporary' | 'own';
  /** ISO instant. */
  passwordChangedAt: string | null;
  secondFactor: boolean;
  /** Identities elsewhere; `follows`: roles and establishments are theirs to say. */
  links: { source: SourceId; subject: string; follows: boolean }[];
  /** Day of the last use, `YYYY-MM-DD`. */
  lastUse: string | null;
  createdAt: string;
}

const listedAtMost = 1_000;

/** By login, at most 1,000. @param login one account only. */
export async function listManagedAccounts(
  database: Database,
  tenant: string,
  login?: string,
): Promise<ManagedAccount[]> {
  const { rows } = await database.query<{ account: ManagedAccount }>(
    tenant,
    `SELECT json_build_object(
       'login', login, 'kind', kind, 'reference', reference, 'display', display, 'roles', roles,
       'establishments', (
         SELECT coalesce(json_agg(id ORDER BY id), '[]') FROM (
           SELECT account.organization_id AS id WHERE account.organization_id IS NOT NULL
           UNION SELECT organization_id FROM account_establishment here
           WHERE here.tenant = $1 AND here.login = account.login) AS bound),
       'disabled', disabled, 'demonstration', demonstration,
       'password', CASE WHEN password_hash IS NULL THEN 'none' WHEN password_temporary THEN 'temporary' ELSE 'own' END,
       'passwordChangedAt', password_changed_at,
       'secondFactor', EXISTS (SELECT FROM totp_factor f WHERE f.tenant = $1 AND f.login = account.login AND confirmed_at IS NOT NULL)
                    OR EXISTS (SELECT FROM passkey f WHERE f.tenant = $1 AND f.login = account.login),
       'links', (SELECT coalesce(json_agg(json_build_object('source', source, 'subject', subject, 'follows', follows) ORDER BY source), '[]')
                 FROM account_link l WHERE l.tenant = $1 AND l.login = account.login),
       'lastUse', (SELECT max(day) FROM account_use u WHERE u.tenant = $1 AND u.login = account.login),
       'createdAt', created_at) AS account
     FROM account WHERE tenant = $1 AND ($2::text IS NULL OR login = $2) ORDER BY login LIMIT ${listedAtMost}`,
    [tenant, login ?? null],
  );
  return rows.map(({ account }) => account);
}
