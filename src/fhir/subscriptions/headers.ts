/**
 * Headers of a rest-hook are secrets: their values leave the resource before it is stored. What is stored, searched, exported, logged
 * or told in history is `Name: sealed:<token>`; the values lie in a table of their own, sealed by the vault (SE-12), for the delivery and
 * for their owner's reads.
 * Writing a sealed header back keeps its value, so that whoever may not see it can still change the rest.
 */
import { randomBytes } from 'node:crypto';
import type { Resource, Subscription } from '@medplum/fhirtypes';
import type { Database, Sql } from '../../db/index.ts';
import type { Vault } from '../../vault/index.ts';
import type { FhirTransaction } from '../contract.ts';
import { refused } from './refused.ts';

const mostHeaders = 20;
const longestHeader = 4_096;
const headerSyntax = /^([A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}):[ \t]*([\x21-\x7e][\x20-\x7e\t]*)$/;
/** Those of the connection and of the message, which are ours to write. */
const ours: ReadonlySet<string> = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Seals the values in the database, and seals them again after the master keys turned. */
export type HeaderSealer = Pick<Vault, 'sealText' | 'openText' | 'isStaleText'>;

const sealSyntax = /^sealed:([0-9a-f]{32})$/;

/** @throws FhirError 422. Values are never repeated. */
export function checkHeaders(headers: readonly string[]): void {
  if (headers.length > mostHeaders) throw refused('channel.header', `at most ${mostHeaders} headers`);
  for (const header of headers) {
    const [, name] = headerSyntax.exec(header) ?? [];
    if (!name || header.length > longestHeader) throw refused('channel.header', 'a header is written Name: value');
    if (ours.has(name.toLowerCase())) throw refused('channel.header', `the header ${name} is written by the server`);
  }
}

function partsOf(header: string): { name: string; value: string; token?: string } {
  const [, name = '', value = ''] = headerSyntax.exec(header) ?? [];
  const token = sealSyntax.exec(value)?.[1];
  return { name, value, ...(token ? { token } : {}) };
}

/** Tokens of the sealed headers of a subscription. */
export function sealsOf(subscription: Subscription): string[] {
  return (subscription.channel.header ?? []).flatMap((header) => partsOf(header).token ?? []);
}

/**
 * The resource with its header values sealed; any other resource as it is.
 * @throws FhirError 422 for headers that are none, or for a seal that is not this Subscription's: somebody else's secret would
 * leave for an address of the writer's choice.
 */
export async function sealHeaders<R extends Resource>(
  tx: FhirTransaction,
  resource: R,
  sealer: HeaderSealer,
): Promise<R> {
  if (resource.resourceType !== 'Subscription') return resource;
  const subscription: Subscription = resource;
  const headers = subscription.channel?.header;
  if (!Array.isArray(headers) || headers.length === 0) return resource;
  if (!headers.every((header) => typeof header === 'string')) return resource;
  checkHeaders(headers);
  const { tenant } = tx.context;
  const sealed = headers.map((header) => ({ ...partsOf(header), fresh: randomBytes(16).toString('hex') }));
  const kept = sealed.flatMap(({ token }) => token ?? []);
  if (kept.length > 0) {
    const { rows } = await tx.sql.query<{ token: string }>(
      'SELECT token FROM subscription_secret WHERE tenant = $1 AND subscription = $2 AND token = ANY ($3)',
      [tenant, resource.id ?? '', kept],
    );
    const known = new Set(rows.map(({ token }) => token));
    if (kept.some((token) => !known.has(token)))
      throw refused('channel.header', 'this sealed value is not of this Subscription: give the value itself');
  }
  const added = sealed.filter(({ token }) => token === undefined);
  if (added.length > 0) {
    await tx.sql.query(
      `INSERT INTO subscription_secret (tenant, token, value) SELECT $1, * FROM unnest($2::text[], $3::text[])`,
      [
        tenant,
        added.map(({ fresh }) => fresh),
        added.map(({ fresh, value }) => sealer.sealText(secretName(tenant, fresh), value)),
      ],
    );
  }
  const header = sealed.map(({ name, token, fresh }) => `${name}: sealed:${token ?? fresh}`);
  return { ...resource, channel: { ...subscription.channel, header } };
}

/** Gives the values sealed for a Subscription to it, once it has its id. */
export async function adoptSeals(sql: Sql, tenant: string, subscription: Subscription): Promise<void> {
  const tokens = sealsOf(subscription);
  if (tokens.length === 0) return;
  await sql.query(
    'UPDATE subscription_secret SET subscription = $3 WHERE tenant = $1 AND token = ANY ($2) AND subscription IS NULL',
    [tenant, tokens, subscription.id],
  );
}

/** Forgets the values sealed for a Subscription that was not stored. */
export async function dropSeals(tx: FhirTransaction, subscription: Subscription): Promise<void> {
  const tokens = sealsOf(subscription);
  if (tokens.length === 0) return;
  await tx.sql.query(
    'DELETE FROM subscription_secret WHERE tenant = $1 AND token = ANY ($2) AND subscription IS NULL',
    [tx.context.tenant, tokens],
  );
}

/** The values behind tokens of one Subscription, by token. */
export async function unseal(
  sql: Sql,
  tenant: string,
  subscription: string,
  tokens: readonly string[],
  sealer: Pick<HeaderSealer, 'openText'>,
): Promise<Map<string, string>> {
  if (tokens.length === 0) return new Map();
  const { rows } = await sql.query<{ token: string; value: string }>(
    'SELECT token, value FROM subscription_secret WHERE tenant = $1 AND subscription = $2 AND token = ANY ($3)',
    [tenant, subscription, tokens],
  );
  return openSecrets(tenant, rows, sealer);
}

/** Values by token, in clear. @throws VaultError for one that was changed, or whose key is gone. */
export function openSecrets(
  tenant: string,
  rows: readonly { token: string; value: string }[],
  sealer: Pick<HeaderSealer, 'openText'>,
): Map<string, string> {
  return new Map(rows.map(({ token, value }) => [token, sealer.openText(secretName(tenant, token), value)]));
}

/**
 * Seals what is in clear, from before values were sealed, and what an older master key seals, in every tenant.
 * @returns how many were sealed.
 */
export async function resealHeaders(database: Database, sealer: HeaderSealer): Promise<number> {
  let resealed = 0;
  for (const tenant of await database.tenants()) {
    resealed += await database.transaction(tenant, async (sql) => {
      const { rows } = await sql.query<{ token: string; value: string }>(
        'SELECT token, value FROM subscription_secret WHERE tenant = $1 FOR UPDATE',
        [tenant],
      );
      const stale = rows.filter(({ value }) => sealer.isStaleText(value));
      for (const { token, value } of stale) {
        const name = secretName(tenant, token);
        const text = sealedSyntax.test(value) ? sealer.openText(name, value) : value;
        await sql.query('UPDATE subscription_secret SET value = $3 WHERE tenant = $1 AND token = $2', [
          tenant,
          token,
          sealer.sealText(name, text),
        ]);
      }
      return stale.length;
    });
  }
  return resealed;
}

const sealedSyntax = /^v1\.[a-z0-9-]{1,16}\.[A-Za-z0-9_-]{38,}$/;

function secretName(tenant: string, token: string): string {
  return `subscription/${tenant}/${token}`;
}

/** Headers as they are sent. */
export function openHeaders(
  headers: readonly string[],
  values: ReadonlyMap<string, string>,
): [name: string, value: string][] {
  return headers.map((header) => {
    const { name, value, token } = partsOf(header);
    return [name, token === undefined ? value : (values.get(token) ?? '')];
  });
}
