/**
 * Labels for what was stored before there were any: from the cases, which name who asked, to everything that is part of them. Each
 * resource that gains a label gains a version; what is labelled already stays as it is, so that it can be done again.
 */
import type { Encounter, Patient, Resource, ResourceType, ServiceRequest } from '@medplum/fhirtypes';
import type { Context } from '../contract.ts';
import { parseJson } from '../json/index.ts';
import { isLimitedType } from '../search/row-limits.ts';
import type { RestStore, RestTransaction } from './contract.ts';
import { accountSystem, labelled, labelsOf, withCodes, withLabels } from './labels.ts';

const pageSize = 100;
/** What is part of something that is part of something: a report, its documents, their files, what is said of them. */
const passesAtMost = 4;

/** @param context of the platform itself. @returns how many resources gained a label, by type. */
export async function relabel(
  store: RestStore,
  context: Context,
  types: readonly ResourceType[],
): Promise<Map<string, number>> {
  const gained = new Map<string, number>();
  const count = (type: string) => gained.set(type, (gained.get(type) ?? 0) + 1);
  for await (const id of idsOf(store, context.tenant, 'Task')) {
    for (const type of await store.restTransaction(context, (tx) => labelCase(tx, id))) count(type);
  }
  const others = types.filter((type) => isLimitedType(type) && type !== 'Task' && type !== 'Patient');
  for (let pass = 0; pass < passesAtMost; pass++) {
    let isNew = false;
    for (const type of others) {
      for await (const id of idsOf(store, context.tenant, type)) {
        if (!(await store.restTransaction(context, (tx) => labelOne(tx, type, id)))) continue;
        count(type);
        isNew = true;
      }
    }
    if (!isNew) break;
  }
  return gained;
}

/** Ids of what has no label, a page at a time. */
async function* idsOf(store: RestStore, tenant: string, type: ResourceType): AsyncGenerator<string> {
  let next: string | undefined = `_sort=_id&_count=${pageSize}`;
  while (next !== undefined) {
    const page = await store.reads(tenant).searchBundle(type, next);
    // Cases are looked at again: their patient may be known to others by now.
    for (const { id, text } of page.matches)
      if (type === 'Task' || type === 'Subscription' || labelsOf(parseJson(text) as Resource).length === 0) yield id;
    next = page.next;
  }
}

/** The case, its request, its stay, and its patient among those of others. */
async function labelCase(tx: RestTransaction, id: string): Promise<string[]> {
  await tx.lockStored('Task', id);
  const task = await tx.find('Task', id);
  const asked = /^Organization\/(.+)$/.exec(task?.requester?.reference ?? '')?.[1];
  const own = labelsOf(task);
  const [establishment] = own.length > 0 ? own : asked === undefined ? [] : [asked];
  if (!task || establishment === undefined) return [];
  const request = await targetOf<ServiceRequest>(tx, task.focus?.reference, 'ServiceRequest');
  const encounter = await targetOf<Encounter>(tx, request?.encounter?.reference, 'Encounter');
  const patient = await targetOf<Patient>(tx, task.for?.reference, 'Patient');
  const gained: string[] = [];
  for (const resource of [task, request, encounter, patient]) {
    if (!resource) continue;
    const known = labelsOf(resource);
    const isMissing = resource.resourceType === 'Patient' ? !known.includes(establishment) : known.length === 0;
    if (!isMissing) continue;
    await tx.lockStored(resource.resourceType, resource.id!);
    const current: Resource = await tx.read(resource.resourceType, resource.id!);
    await tx.update(withLabels(current, new Set([...labelsOf(current), establishment])));
    gained.push(resource.resourceType);
  }
  return gained;
}

async function labelOne(tx: RestTransaction, type: ResourceType, id: string): Promise<boolean> {
  await tx.lockStored(type, id);
  const resource: Resource | undefined = await tx.find(type, id);
  if (!resource || labelsOf(resource).length > 0) return false;
  if (type === 'Subscription') return labelSubscription(tx, resource);
  const found = await labelled(
    resource,
    undefined,
    tx.context,
    async (reference) => {
      const [target, targetId] = reference.split('/') as [ResourceType, string];
      return labelsOf(await tx.find(target, targetId));
    },
    false,
  );
  if (found === resource) return false;
  await tx.update(found);
  return true;
}

/** Whose it is says the feed that was made with it. */
async function labelSubscription(tx: RestTransaction, subscription: Resource): Promise<boolean> {
  const { rows } = await tx.sql.query<{ owner: string }>(
    'SELECT owner FROM subscription_feed WHERE tenant = $1 AND id = $2',
    [tx.context.tenant, subscription.id],
  );
  const found = withCodes(subscription, accountSystem, new Set(rows.map(({ owner }) => owner)));
  if (found === subscription) return false;
  await tx.update(found);
  return true;
}

async function targetOf<R extends Resource>(
  tx: RestTransaction,
  reference: string | undefined,
  type: R['resourceType'],
): Promise<R | undefined> {
  const [named, id] = reference?.split('/') ?? [];
  return named === type && id ? ((await tx.find(type as ResourceType, id)) as R | undefined) : undefined;
}
