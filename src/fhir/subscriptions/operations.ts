/** $status, $events and $get-ws-binding-token of the backport (http://hl7.org/fhir/uv/subscriptions-backport). */
import type { Bundle, Parameters, Subscription } from '@medplum/fhirtypes';
import { FhirError, type Operation, type OperationCall } from '../contract.ts';
import type { Disclosure } from './disclosure.ts';
import { numberEvents, readEvents } from './events.ts';
import { type Feed, readFeed } from './feeds.ts';
import { notificationBundle, statusParameters, type Told } from './notification.ts';
import { issueToken } from './tokens.ts';
import { type Abilities, type Content, readWanted } from './wanted.ts';

const definitions = 'http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/backport-subscription-';
/** Subscriptions told at once; events told at once. */
const mostTold = 200;
const mostEvents = 100;

export interface OperationParts {
  abilities: Abilities;
  disclosure: Disclosure;
  /** Address of the WebSocket. */
  socketUrl: () => string;
}

export function subscriptionOperations(parts: OperationParts): Operation[] {
  const at = (level: Operation['level'], name: string, run: Operation['run']): Operation => ({
    name,
    type: 'Subscription',
    level,
    affectsState: false,
    definition: definitions + name,
    run,
  });
  return [
    at('instance', 'status', (call) => statusOf(parts, call, [call.id!])),
    at('type', 'status', (call) => statusOf(parts, call, valuesOf(call.parameters, 'id'))),
    at('instance', 'events', (call) => eventsOf(parts, call)),
    at('instance', 'get-ws-binding-token', (call) => tokenFor(parts, call, [call.id!])),
    at('type', 'get-ws-binding-token', (call) => tokenFor(parts, call, valuesOf(call.parameters, 'id'))),
  ];
}

/** The status of the named subscriptions, or of every one of the tenant, as a searchset. */
async function statusOf(parts: OperationParts, call: OperationCall, ids: readonly string[]): Promise<Bundle> {
  const { tx, base } = call;
  const statuses = call.id ? [] : valuesOf(call.parameters, 'status');
  const wanted = ids.length > 0 ? ids : await allIds(call);
  const told: Parameters[] = [];
  for (const id of wanted) {
    const resource = call.id ? await tx.read('Subscription', id) : await tx.find('Subscription', id);
    const feed = resource && (await feedNow(parts, call, id));
    if (!feed || (statuses.length > 0 && !statuses.includes(feed.status))) continue;
    told.push(statusParameters(toldBy(parts, call, resource, feed, 'query-status')));
  }
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    timestamp: tx.context.now().toISOString(),
    total: told.length,
    entry: told.map((resource) => ({
      fullUrl: `${base}/Subscription/${idIn(resource)}/$status`,
      resource,
      search: { mode: 'match' },
    })),
  };
}

/** With what happened by now, where the caller is the owner: what others see of it is not theirs to be counted by. */
async function feedNow({ disclosure }: OperationParts, { tx }: OperationCall, id: string): Promise<Feed | undefined> {
  const { tenant, actor } = tx.context;
  const feed = await readFeed(tx.sql, tenant, id);
  if (feed?.owner !== actor.account) return feed;
  return { ...feed, lastEvent: await numberEvents(tx.sql, tenant, id, disclosure.sightOf(tx.context, id)) };
}

async function allIds({ tx }: OperationCall): Promise<string[]> {
  const found = await tx.search('Subscription', `_count=${mostTold}`);
  return found.flatMap(({ id }) => id ?? []);
}

/** Past notifications again, for who missed some. Only for the owner; what is shown is what the caller may read now. */
async function eventsOf(parts: OperationParts, call: OperationCall) {
  const { tx, id = '', parameters } = call;
  const { tenant } = tx.context;
  const subscription = await tx.read('Subscription', id);
  const feed = ownFeed(call, await feedNow(parts, call, id));
  const { lastEvent } = feed;
  const since = numberIn(parameters, 'eventsSinceNumber') ?? 1;
  const until = numberIn(parameters, 'eventsUntilNumber') ?? lastEvent;
  const events = await readEvents(tx.sql, tenant, id, { since, until, limit: mostEvents });
  const told = toldBy(parts, call, subscription, { ...feed, lastEvent }, 'query-event');
  const content = contentIn(parameters) ?? told.content;
  const shown = await parts.disclosure.show(tx.context, events, content === 'full-resource');
  return {
    status: 200,
    resource: notificationBundle({ ...told, content, events: shown }),
    shown: content === 'empty' ? [] : shown.flatMap(({ resource }) => resource ?? []),
  };
}

async function tokenFor(parts: OperationParts, call: OperationCall, ids: readonly string[]): Promise<Parameters> {
  const { tx } = call;
  const { tenant, actor, credential } = tx.context;
  if (credential === undefined) throw new FhirError(403, 'forbidden', 'Only who came with a session or a token asks');
  const feeds = await Promise.all(
    (ids.length > 0 ? ids : await allIds(call)).map((id) => readFeed(tx.sql, tenant, id)),
  );
  const own = feeds.filter((feed) => feed?.owner === actor.account && feed.channel === 'websocket');
  const subscriptions = own.flatMap((feed) => feed?.id ?? []);
  if (subscriptions.length === 0 || (ids.length > 0 && subscriptions.length < ids.length))
    throw new FhirError(404, 'not-found', 'No such Subscription of yours over WebSocket');
  const given = { tenant, account: actor.account, credential, subscriptions, now: tx.context.now() };
  const { token, expiresAt } = await issueToken(tx.sql, given);
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'token', valueString: token },
      { name: 'expiration', valueDateTime: expiresAt.toISOString() },
      ...subscriptions.map((id) => ({ name: 'subscription', valueString: id })),
      { name: 'websocket-url', valueUrl: parts.socketUrl() },
    ],
  };
}

function ownFeed({ tx }: OperationCall, feed: Feed | undefined): Feed {
  if (feed?.owner !== tx.context.actor.account)
    throw new FhirError(403, 'forbidden', 'Only the account that made this Subscription reads its events');
  return feed;
}

function toldBy(
  { abilities }: OperationParts,
  { tx, base }: OperationCall,
  subscription: Subscription,
  feed: Feed,
  type: Told['type'],
): Told {
  const { topic, content, error } = { ...lastErrorOf(feed), ...understood(subscription, abilities) };
  return {
    base,
    subscription: feed.id,
    ...(topic ? { topic } : {}),
    status: feed.status,
    type,
    lastEvent: feed.lastEvent,
    content,
    now: tx.context.now(),
    ...(error ? { error } : {}),
  };
}

function lastErrorOf({ lastError }: Feed): { error?: string } {
  return lastError ? { error: lastError } : {};
}

/** Accepted once, by another version or configuration, and not taken any more: its status says why, and the others are told all the same. */
function understood(
  subscription: Subscription,
  abilities: Abilities,
): { topic?: string; content: Content; error?: string } {
  try {
    const { criteria, content } = readWanted(subscription, abilities);
    return { content, ...(criteria.kind === 'topic' ? { topic: criteria.topic.url } : {}) };
  } catch (error) {
    if (error instanceof FhirError) return { content: 'empty', error: error.message };
    throw error;
  }
}

function idIn(parameters: Parameters): string {
  return parameters.parameter![0]!.valueReference!.reference!.split('/').at(-1)!;
}

function valuesOf({ parameter = [] }: Parameters, name: string): string[] {
  const values = parameter.filter((one) => one.name === name);
  return values
    .flatMap(({ valueId, valueCode, valueString }) => valueId ?? valueCode ?? valueString ?? [])
    .slice(0, mostTold);
}

/** @throws FhirError 400. */
function numberIn(parameters: Parameters, name: string): number | undefined {
  const { valueString, valueInteger, valueUnsignedInt } = parameters.parameter?.find((one) => one.name === name) ?? {};
  const text = valueString ?? valueInteger ?? valueUnsignedInt;
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(String(text))) throw new FhirError(400, 'invalid', `${name} is not a number`);
  return Number(text);
}

function contentIn(parameters: Parameters): Content | undefined {
  const content = valuesOf(parameters, 'content')[0];
  return content === 'empty' || content === 'id-only' || content === 'full-resource' ? content : undefined;
}
