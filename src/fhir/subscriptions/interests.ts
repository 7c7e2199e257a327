/**
 * What the tenants' subscriptions wait for, compiled and kept in memory, so that a write pays for matching and nothing else. A picture
 * is believed for `freshMs`; it is renewed behind the writers while there are any, by comparing one number (feeds.ts, generation).
 */
import type { ResourceType, Subscription } from '@medplum/fhirtypes';
import type { Database, Sql } from '../../db/index.ts';
import type { CreateMatcher, Log } from './contract.ts';
import { compileCriteria, type Judge, typesOf } from './criteria.ts';
import { readGeneration } from './feeds.ts';
import { type Abilities, readWanted } from './wanted.ts';

export interface Interest {
  subscription: string;
  judge: Judge;
  endsAt: Date | undefined;
}

export type Interests = ReadonlyMap<ResourceType, readonly Interest[]>;

interface Picture {
  interests: Interests;
  generation: number;
  /** `performance.now()` when it was known to be right. */
  checkedAt: number;
  isRenewing: boolean;
}

export interface InterestBook {
  /** What is waited for now. `sql` is only used when the picture is too old. */
  of(tenant: string, sql: Sql): Promise<Interests> | Interests;
  /** As the transaction of `sql` itself sees it, which wrote Subscriptions. */
  within(tenant: string, sql: Sql): Promise<Interests>;
  /** Something changed here. */
  forget(tenant: string): void;
}

export interface InterestParts {
  database: Database;
  createMatcher: CreateMatcher;
  abilities: Abilities;
  /** Longest time another node's change stays unknown. */
  freshMs: number;
  log?: Log;
}

export function createInterestBook(parts: InterestParts): InterestBook {
  const { database, freshMs, log } = parts;
  const pictures = new Map<string, Picture>();

  async function renewed(sql: Sql, tenant: string, known: Picture | undefined): Promise<Picture> {
    const checkedAt = performance.now();
    const generation = await readGeneration(sql, tenant);
    const interests = known?.generation === generation ? known.interests : await load(sql, tenant);
    return { interests, generation, checkedAt, isRenewing: false };
  }

  function keep(tenant: string, picture: Picture): void {
    const known = pictures.get(tenant);
    if (!known || known.checkedAt <= picture.checkedAt) pictures.set(tenant, picture);
  }

  /** Behind the writers: on a connection of its own, while none of them waits. */
  function renewBehind(tenant: string, known: Picture): void {
    known.isRenewing = true;
    database
      .transaction(tenant, (sql) => renewed(sql, tenant, known))
      .then((picture) => {
        // Forgotten meanwhile: what was read may be older than the change.
        if (pictures.get(tenant) === known) keep(tenant, picture);
      })
      .catch((error: unknown) => {
        known.isRenewing = false;
        log?.warn({ tenant, error: (error as Error).name }, 'subscriptions could not be read again');
      });
  }

  async function load(sql: Sql, tenant: string): Promise<Interests> {
    const { rows } = await sql.query<{ id: string; content: string }>(
      `SELECT id, content FROM subscription_feed JOIN fhir.subscription USING (tenant, id)
       WHERE tenant = $1 AND NOT deleted ORDER BY id`,
      [tenant],
    );
    const byType = new Map<ResourceType, Interest[]>();
    for (const { id, content } of rows) {
      const compiled = compile(id, content);
      for (const type of compiled?.types ?? []) byType.set(type, [...(byType.get(type) ?? []), compiled!.interest]);
    }
    return byType;
  }

  function compile(id: string, content: string): { types: ResourceType[]; interest: Interest } | undefined {
    try {
      const wanted = readWanted(JSON.parse(content) as Subscription, parts.abilities);
      const judge = compileCriteria(wanted.criteria, parts.createMatcher);
      return { types: typesOf(wanted.criteria), interest: { subscription: id, judge, endsAt: wanted.end } };
    } catch (error) {
      // Accepted by another version of the program or under another configuration: its worker puts it into error.
      log?.error({ subscription: id, error: (error as Error).name }, 'a stored Subscription is not understood');
      return undefined;
    }
  }

  return {
    of(tenant, sql) {
      const known = pictures.get(tenant);
      const age = known ? performance.now() - known.checkedAt : Number.POSITIVE_INFINITY;
      if (known && age < freshMs) {
        if (age > freshMs / 2 && !known.isRenewing) renewBehind(tenant, known);
        return known.interests;
      }
      return renewed(sql, tenant, known).then((picture) => {
        keep(tenant, picture);
        return picture.interests;
      });
    },
    within: (tenant, sql) => load(sql, tenant),
    forget: (tenant) => void pictures.delete(tenant),
  };
}
