/** Named accounts: who signs in, as which resource of which tenant, with which roles (SE-2: nobody shares an account). */
import { type Database, platformTenant, type Sql } from '../db/index.ts';
import type { Actor, FhirError } from '../fhir/index.ts';
import { rememberPassword, type SecretSealer, sealedLikeness } from './own-account/password-history.ts';
import { endSessions } from './own-account/sessions.ts';
import { type PasswordHasher, passwordProblems } from './passwords.ts';
import { isRole } from './policy.ts';
import { refusal } from './refusals.ts';
import { removeEveryFactor } from './second-factor/factors.ts';

/** An account as it is asked for. */
export interface AccountRequest {
  tenant: string;
  /** 2 to 64 characters of `a-z 0-9 . _ @ -`, unique on the whole platform. */
  login: string;
  kind: 'person' | 'machine';
  /** `Practitioner/…` or `Device/…` of the tenant. */
  reference: string;
  display: string;
  roles: readonly string[];
  /** Establishment a machine speaks for. */
  organizationId?: string;
  /** Absent: cannot sign in with a password (machines). */
  password?: string;
  /** The password was made for the person: it is good for one sign-in, during which they choose their own. */
  temporaryPassword?: boolean;
  /** Demonstration account: exempt from the rules of passwords and from the second factor; one that was set up is taken off. */
  demonstration?: boolean;
}

export interface Account {
  tenant: string;
  login: string;
  kind: 'person' | 'machine';
  reference: string;
  display: string;
  roles: readonly string[];
  organizationId?: string;
  passwordHash?: string;
  passwordChangedAt?: Date;
  passwordTemporary: boolean;
  demonstration: boolean;
  disabled: boolean;
}

interface Row {
  tenant: string;
  login: string;
  kind: 'person' | 'machine';
  reference: string;
  display: string;
  roles: string[];
  organization_id: string | null;
  password_hash: string | null;
  password_changed_at: Date | null;
  password_temporary: boolean;
  demonstration: boolean;
  disabled: boolean;
}

const columns = `tenant, login, kind, reference, display, roles, organization_id, password_hash, password_changed_at,
  password_temporary, demonstration, disabled`;
/** Of a normalised login. */
export const loginSyntax = /^[a-z0-9][a-z0-9._@-]{1,63}$/;
const referenceSyntax = /^(Practitioner|Device)\/[A-Za-z0-9.-]{1,64}$/;
const maximumDisplayLength = 200;

/** Login names are compared without case and without the blanks a keyboard or a copy leaves. */
export function normaliseLogin(login: string): string {
  return login.normalize('NFKC').trim().toLowerCase();
}

function toAccount(row: Row): Account {
  return {
    tenant: row.tenant,
    login: row.login,
    kind: row.kind,
    reference: row.reference,
    display: row.display,
    roles: row.roles,
    ...(row.organization_id ? { organizationId: row.organization_id } : {}),
    ...(row.password_hash ? { passwordHash: row.password_hash } : {}),
    ...(row.password_changed_at ? { passwordChangedAt: row.password_changed_at } : {}),
    passwordTemporary: row.password_temporary,
    demonstration: row.demonstration,
    disabled: row.disabled,
  };
}

export function actorOf(account: Account): Actor {
  return {
    reference: account.reference,
    display: account.display,
    account: account.login,
    kind: account.kind,
    roles: account.roles,
  };
}

/**
 * The tenant of a login name; of one that nobody has, the tenant of the next name there is. So the second look-up turns to a tenant of
 * people either way: turning a connection to another tenant takes a round trip, which would tell names that exist from others.
 */
async function tenantToLookIn(database: Database, login: string): Promise<string> {
  const { rows } = await database.query<{ account_tenant: string }>(
    platformTenant,
    'SELECT account_tenant FROM login_directory WHERE tenant = $1 AND login >= $2 ORDER BY login LIMIT 1',
    [platformTenant, login],
  );
  return rows[0]?.account_tenant ?? platformTenant;
}

/** An unknown login takes the same two look-ups as a known one, so that time does not tell which names exist. */
export async function findAccount(database: Database, login: string): Promise<Account | undefined> {
  // What cannot be a name (a NUL, say) is not worth asking the database about, which would refuse some of it.
  if (!loginSyntax.test(login)) return undefined;
  const tenant = await tenantToLookIn(database, login);
  return database.transaction(tenant, (sql) => readAccount(sql, tenant, login));
}

async function readAccount(sql: Sql, tenant: string, login: string): Promise<Account | undefined> {
  const { rows } = await sql.query<Row>(`SELECT ${columns} FROM account WHERE tenant = $1 AND login = $2`, [
    tenant,
    login,
  ]);
  return rows[0] && toAccount(rows[0]);
}

/** Every account of a tenant, by login. */
export async function listAccounts(database: Database, tenant: string): Promise<Omit<Account, 'passwordHash'>[]> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT ${columns} FROM account WHERE tenant = $1 ORDER BY login`,
    [tenant],
  );
  return rows.map((row) => {
    const { passwordHash: _secret, ...account } = toAccount(row);
    return account;
  });
}

/**
 * Makes the account, or brings an existing one of the same tenant to this state; a password that is already the right one is not
 * hashed again.
 * @param also what belongs to the account and is stored with it or not at all.
 * @throws FhirError 422 when something is malformed or the password breaks the rules, 409 when another tenant has the login.
 */
export async function ensureAccount(
  rooms: { database: Database; hasher: PasswordHasher; sealer?: SecretSealer | undefined; now: Date },
  request: AccountRequest,
  also?: (sql: Sql) => Promise<void>,
): Promise<void> {
  const { database, hasher, sealer, now } = rooms;
  const login = normaliseLogin(request.login);
  const roles = [...request.roles];
  check({ ...request, login });
  // The name is reserved first: if we stop before the account exists, the name points to nobody and can be taken up again.
  const { rows } = await database.query<{ account_tenant: string }>(
    platformTenant,
    `INSERT INTO login_directory (tenant, login, account_tenant) VALUES ($1, $2, $3)
     ON CONFLICT (tenant, login) DO UPDATE SET login = excluded.login
     RETURNING account_tenant`,
    [platformTenant, login, request.tenant],
  );
  if (rows[0]?.account_tenant !== request.tenant) {
    throw refusal(409, 'duplicate', {
      diagnostics: `The login ${login} is taken`,
      text: `L’identifiant « ${login} » est pris.`,
    });
  }
  const known = await database.transaction(request.tenant, (sql) => readAccount(sql, request.tenant, login));
  const newHash = await hashWhenNew(hasher, known, request.password);
  const named = { tenant: request.tenant, login };
  const isRemembered = newHash !== undefined && request.password !== undefined && !request.demonstration;
  const likeness = isRemembered ? await sealedLikeness({ hasher, sealer }, named, request.password ?? '') : undefined;
  await database.transaction(request.tenant, async (sql) => {
    await sql.query(
      `INSERT INTO account (tenant, login, kind, reference, display, roles, organization_id, password_hash,
                            password_changed_at, password_temporary, demonstration, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, CASE WHEN $8::text IS NULL THEN NULL ELSE $10::timestamptz END, $11, $9, $10)
       ON CONFLICT (tenant, login) DO UPDATE
       SET kind = excluded.kind, reference = excluded.reference, display = excluded.display, roles = excluded.roles,
           organization_id = excluded.organization_id, demonstration = excluded.demonstration,
           password_hash = coalesce(excluded.password_hash, account.password_hash),
           password_changed_at = coalesce(excluded.password_changed_at, account.password_changed_at),
           password_temporary = CASE WHEN excluded.password_hash IS NULL THEN account.password_temporary
                                     ELSE excluded.password_temporary END`,
      [
        request.tenant,
        login,
        request.kind,
        request.reference,
        request.display,
        roles,
        request.organizationId ?? null,
        newHash ?? null,
        request.demonstration ?? false,
        now,
        request.temporaryPassword ?? false,
      ],
    );
    // Shared by whoever tries the platform: what one of them set up must not keep the next one out.
    if (request.demonstration) await removeEveryFactor(sql, request.tenant, login);
    // Other rights are another session: none goes on with what it was not opened for.
    const hasOtherRoles = known !== undefined && !sameRoles(known.roles, roles);
    if (hasOtherRoles) await endSessions(sql, request.tenant, login);
    // Who changes a password may do so because somebody else knows it: what was opened with the old one ends.
    if (newHash !== undefined) {
      if (isRemembered) await rememberPassword(sql, { ...named, passwordHash: newHash, likeness });
      await endSessions(sql, request.tenant, login);
    }
    await also?.(sql);
  });
}

/** Shuts an account off (or on again). Its sessions and tokens end with it. @throws FhirError 404. */
export async function setDisabled(database: Database, login: string, disabled: boolean): Promise<Account> {
  const account = await findAccount(database, normaliseLogin(login));
  if (!account) throw refusal(404, 'not-found', { diagnostics: 'No such account', text: 'Ce compte n’existe pas.' });
  await database.transaction(account.tenant, async (sql) => {
    await sql.query('UPDATE account SET disabled = $3 WHERE tenant = $1 AND login = $2', [
      account.tenant,
      account.login,
      disabled,
    ]);
    if (disabled) {
      await sql.query('DELETE FROM credential WHERE tenant = $1 AND login = $2', [account.tenant, account.login]);
    }
  });
  return { ...account, disabled };
}

async function hashWhenNew(
  hasher: PasswordHasher,
  known: Account | undefined,
  password: string | undefined,
): Promise<string | undefined> {
  if (password === undefined) return undefined;
  if (known?.passwordHash && (await hasher.verify(known.passwordHash, password))) return undefined;
  return hasher.hash(password);
}

function check(request: AccountRequest): void {
  if (!loginSyntax.test(request.login))
    throw invalid(
      'login: 2 to 64 characters of a-z 0-9 . _ @ -',
      'Identifiant : 2 à 64 caractères parmi a-z 0-9 . _ @ -',
    );
  if (!referenceSyntax.test(request.reference))
    throw invalid('reference: Practitioner/[id] or Device/[id]', 'Référence : Practitioner/… ou Device/….');
  if (request.display.length === 0 || request.display.length > maximumDisplayLength) {
    throw invalid(`display: 1 to ${maximumDisplayLength} characters`, `Nom : 1 à ${maximumDisplayLength} caractères.`);
  }
  if (request.roles.length === 0) throw invalid('roles: at least one', 'Rôles : un au moins.');
  const unknown = request.roles.find((role) => !isRole(role));
  if (unknown !== undefined) throw invalid(`roles: ${unknown} is unknown`, `« ${unknown} » n’est pas un rôle.`);
  if (request.password !== undefined && !request.demonstration) {
    const problems = passwordProblems(request.password, request);
    if (problems.length > 0) throw invalid(problems.join(' '), problems.join(' '));
  }
}

function sameRoles(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((role) => other.includes(role));
}

function invalid(diagnostics: string, text: string): FhirError {
  return refusal(422, 'invalid', { diagnostics, text });
}
