/**
 * What somebody sees of a tenant: the rows and the hidden elements that the policies of their roles say, worked out once for a few
 * seconds. The database and every search are held to it (src/fhir/search/row-limits.ts).
 */
import type { Database } from '../../db/index.ts';
import {
  type Actor,
  accountSystem,
  type Context,
  establishmentSystem,
  type FhirStore,
  isLimitedType,
  limitedTypes,
  type RowScope,
  type Sight,
} from '../../fhir/index.ts';
import { openGlass } from '../break-glass/glass.ts';
import { incidentKinds } from '../incidents/incident.ts';
import { incidentKindSystem } from '../incidents/resource.ts';
import { policiesOf } from '../policy.ts';
import { establishmentsOf } from '../tenants/establishments.ts';
import { recordKeys, tasksTakenPartIn } from './case-keys.ts';
import { excludedFrom, ownedOfOpenCases } from './exclusions.ts';
import type { Policy, RowCriterion } from './policy.ts';

export type Seer = Pick<Context, 'tenant' | 'actor' | 'establishments'>;

export interface Sights {
  /** What somebody sees, with the establishments they speak for. The same objects for some seconds: what hangs on them is worked out once. */
  of(seer: Seer): Promise<Seen>;
  /** What an account sees changed. */
  forget(account: string): void;
  /** What anybody sees may have changed. */
  forgetAll(): void;
}

export type Seen = Sight & Pick<Context, 'establishments'>;

/** An establishment given or taken, a case taken or left, counts within this; another node's break-glass or exclusion, too. */
const believedForMs = 5_000;
const believedAtMost = 2_000;

/** Reference parameters by which a resource names whose it is. */
const owning = [
  'owner',
  'requester',
  'performer',
  'author',
  'sender',
  'recipient',
  'results-interpreter',
  'practitioner',
  'subject',
];

/** Category of documents about professionals; the domain refuses anything else in it. */
const professional = 'https://fhir.passerelle.example/CodeSystem/document-category|professional';

/** They may repeat any other element, so who does not see one does not see them. */
const repeating = ['text', 'contained'] as const;

export interface SightRooms {
  database: Database;
  store: FhirStore;
  /** The machine's time. */
  now: () => Date;
}

export function createSights(rooms: SightRooms): Sights {
  const { now } = rooms;
  const believed = new Map<string, { account: string; until: number; sight: Promise<Seen> }>();
  // The same credential brings the same actor for some seconds: what it is believed under is written once.
  const keys = new WeakMap<Actor, { tenant: string; establishments: Seer['establishments']; key: string }>();

  function keyOf({ tenant, actor, establishments }: Seer): string {
    const known = keys.get(actor);
    if (known && known.tenant === tenant && known.establishments === establishments) return known.key;
    const key = JSON.stringify([tenant, actor, establishments]);
    keys.set(actor, { tenant, establishments, key });
    return key;
  }

  return {
    of(seer) {
      const key = keyOf(seer);
      const known = believed.get(key);
      const leftMs = known ? known.until - now().getTime() : 0;
      // A clock that was put back must not stretch it.
      if (known && leftMs > 0 && leftMs <= believedForMs) return known.sight;
      if (believed.size >= believedAtMost) believed.clear();
      const sight = workOut(rooms, seer);
      sight.catch(() => believed.delete(key));
      believed.set(key, { account: seer.actor.account, until: now().getTime() + believedForMs, sight });
      return sight;
    },
    forget(account) {
      for (const [key, entry] of believed) if (entry.account === account) believed.delete(key);
    },
    forgetAll: () => believed.clear(),
  };
}

async function workOut(rooms: SightRooms, seer: Seer): Promise<Seen> {
  const policies = policiesOf(seer.actor.roles);
  const { tenant, actor } = seer;
  const establishments = seer.establishments ?? (await establishmentsOf(rooms.database, tenant, actor.account));
  const rows = await rowsOf(rooms, { ...seer, establishments }, policies);
  const hidden = hiddenOf(policies);
  return {
    ...(establishments.length > 0 ? { establishments } : {}),
    ...(rows ? { rows } : {}),
    ...(hidden.size > 0 ? { hidden } : {}),
  };
}

/** Undefined: the whole tenant. Criteria hold for an account as a whole; `all` for the types it is said of. */
async function rowsOf(
  { database, store, now }: SightRooms,
  { tenant, actor, establishments = [] }: Seer,
  policies: readonly Policy[],
): Promise<RowScope | undefined> {
  const grants = policies.flatMap((policy) => policy.grants);
  const ofAll = grants.filter(({ rows }) => rows.includes('all'));
  if (ofAll.some(({ types }) => types === 'all')) return undefined;
  const whole = ofAll.flatMap(({ types }) => types).filter((type) => isLimitedType(type));
  const criteria = new Set<RowCriterion>(grants.flatMap(({ rows }) => rows));
  // Subscriptions of one's own, whatever the roles.
  const keys = [{ parameter: '_security', value: `${accountSystem}|${actor.account}` }];
  const excluded = await excludedFrom(store, tenant, actor.reference, policies);
  const accepting = establishments.filter((id) => !excluded.has(id));
  if (criteria.has('establishments')) {
    for (const id of accepting) keys.push({ parameter: '_security', value: `${establishmentSystem}|${id}` });
  }
  if (criteria.has('professional')) keys.push({ parameter: 'category', value: professional });
  if (criteria.has('incidents'))
    for (const kind of Object.keys(incidentKinds))
      keys.push({ parameter: 'code', value: `${incidentKindSystem}|${kind}` });
  if (criteria.has('participation')) {
    for (const task of await tasksTakenPartIn(store, tenant, actor.reference, { accepting, excluded }))
      keys.push(...(await recordKeys(store, tenant, { task })));
  }
  for (const opened of await openGlass(database, tenant, actor.account, now()))
    keys.push(...(await recordKeys(store, tenant, opened)));
  // What an excluded reader set off names them as who asked for it, in cases that go on without them.
  const own = excluded.size === 0 ? owning : owning.filter((parameter) => parameter !== 'requester');
  const owned = criteria.has('ownership') ? own.map((parameter) => ({ parameter, value: actor.reference })) : [];
  const seen = [...keys, ...owned];
  return {
    keys: seen,
    ...(excluded.size > 0 ? { narrowed: ownedOfOpenCases(limitedTypes(), seen, keys) } : {}),
    whole: [...new Set(whole)] as RowScope['whole'],
    ...(criteria.has('drafts') ? { drafts: true } : {}),
  };
}

/** Of a type several roles grant, only what all of them hide. */
function hiddenOf(policies: readonly Policy[]): Map<string, readonly string[]> {
  const hidden = new Map<string, readonly string[]>();
  const reading = policies.flatMap(({ grants }) => grants.filter(({ interactions }) => interactions.includes('read')));
  for (const { types } of reading) {
    for (const type of types === 'all' ? [] : types) {
      if (hidden.has(type)) continue;
      const lists = reading
        .filter((grant) => grant.types === 'all' || grant.types.includes(type))
        .map((grant) => grant.hidden.get(type) ?? []);
      const common = (lists[0] ?? []).filter((name) => lists.every((list) => list.includes(name)));
      hidden.set(type, common);
    }
  }
  return new Map(
    [...hidden]
      .filter(([, names]) => names.length > 0)
      .map(([type, names]) => [type, [...new Set([...names, ...repeating])]]),
  );
}
