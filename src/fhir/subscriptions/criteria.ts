/** What a Subscription asks for: a search (R4) or a topic with filters (backport); and the judgement over one change. */
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { type Change, FhirError } from '../contract.ts';
import { isResourceType } from '../validation/index.ts';
import type { CreateMatcher } from './contract.ts';
import { refused } from './refused.ts';
import type { Topic, Trigger } from './topics.ts';

export type Criteria =
  | { kind: 'search'; type: ResourceType; query: string }
  | { kind: 'topic'; topic: Topic; filters: readonly { type: ResourceType; query: string }[] };

/** Whether a change is an event of the subscription. */
export type Judge = (change: Change) => boolean;

const longestCriteria = 4_096;
const mostFilters = 20;
/** A notification about these would cause the next one without end. */
const untold: ReadonlySet<string> = new Set(['AuditEvent', 'Subscription']);
/** How to answer, not what to find. */
const presentation =
  /^_(sort|count|include|revinclude|summary|elements|total|contained|containedType|format|pretty|cursor)(:|$)/;

/** @throws FhirError 422 when it is neither a search nor a known topic, or filters by what the topic does not offer. */
export function readCriteria(text: string, filters: readonly string[], topics: ReadonlyMap<string, Topic>): Criteria {
  if (text.length > longestCriteria) throw refused('criteria', `criteria have at most ${longestCriteria} characters`);
  if (/^[a-z][a-z0-9+.-]*:/.test(text)) return readTopic(text, filters, topics);
  if (filters.length > 0) throw refused('criteria', 'filter criteria belong to topic-based subscriptions');
  const [, type = '', query = ''] = /^\/?([A-Za-z]+)(?:\?(.*))?$/s.exec(text) ?? [];
  if (!isResourceType(type)) throw refused('criteria', 'criteria are [type]?[search], or the address of a topic');
  if (untold.has(type)) throw refused('criteria', `${type} cannot be subscribed to`);
  checkNames(query);
  return { kind: 'search', type: type as ResourceType, query };
}

function readTopic(canonical: string, filters: readonly string[], topics: ReadonlyMap<string, Topic>): Criteria {
  const [url = '', version] = canonical.split('|');
  const topic = topics.get(url);
  if (!topic || (version !== undefined && version !== topic.version))
    throw refused('criteria', `the topic is not known: one of ${[...topics.keys()].join(', ')}`);
  if (filters.length > mostFilters) throw refused('criteria', `at most ${mostFilters} filters`);
  return { kind: 'topic', topic, filters: filters.flatMap((filter) => readFilter(filter, topic)) };
}

/** `parameter=value`, `Type.parameter=value`, or the older `Type?parameter=value&…`; modifiers after the name. */
function readFilter(text: string, topic: Topic): { type: ResourceType; query: string }[] {
  if (text.length > longestCriteria) throw refused('criteria', `a filter has at most ${longestCriteria} characters`);
  const [, type, query = ''] = /^(?:([A-Z][A-Za-z]+)[?.])?(.+)$/s.exec(text) ?? [];
  checkNames(query);
  const names = query.split('&').map((pair) => pair.split(/[:=]/, 1)[0]!);
  const types = new Set(topic.triggers.map((trigger) => trigger.type));
  const reached = [...types].filter((candidate) => type === undefined || candidate === type);
  const offers = (candidate: string, name: string) =>
    topic.filters.some((filter) => filter.type === candidate && filter.parameter === name);
  const fitting = reached.filter((candidate) => names.every((name) => offers(candidate, name)));
  if (fitting.length === 0) {
    const known = topic.filters.map((filter) => filter.parameter);
    throw refused('criteria', `this topic is filtered by ${[...new Set(known)].join(', ')}`);
  }
  return fitting.map((candidate) => ({ type: candidate, query }));
}

function checkNames(query: string): void {
  const name = query.split('&').find((pair) => presentation.test(pair.split('=', 1)[0]!));
  if (name)
    throw refused('criteria', `${name.split('=', 1)[0]!.slice(0, 40)} says how to answer a search, not what to tell`);
}

/** Types whose changes are looked at, and which the owner must therefore be allowed to search. */
export function typesOf(criteria: Criteria): ResourceType[] {
  if (criteria.kind === 'search') return [criteria.type];
  return [...new Set(criteria.topic.triggers.map((trigger) => trigger.type))];
}

/** The searches that whoever asks wrote themselves; what a topic means is for everybody. */
export function ownSearches(criteria: Criteria): readonly { type: ResourceType; query: string }[] {
  return criteria.kind === 'search' ? [criteria] : criteria.filters;
}

/** @throws FhirError 422 when the criteria cannot be judged on one resource alone (chains, `_has`, …). */
export function compileCriteria(criteria: Criteria, createMatcher: CreateMatcher): Judge {
  const matcher = (type: ResourceType, query: string) => {
    try {
      return createMatcher(type, query);
    } catch (error) {
      if (!(error instanceof FhirError)) throw error;
      throw refused('criteria', `these criteria cannot be watched: ${error.message}`);
    }
  };
  if (criteria.kind === 'search') {
    const matches = matcher(criteria.type, criteria.query);
    // R4: the new version is what counts; a delete has none.
    return ({ type, after }) => type === criteria.type && after !== undefined && matches(after);
  }
  const triggers = criteria.topic.triggers.map((trigger) => compileTrigger(trigger, matcher));
  const filters = criteria.filters.map(({ type, query }) => ({ type, matches: matcher(type, query) }));
  return (change) =>
    triggers.some((fires) => fires(change)) &&
    filters.every(({ type, matches }) => type !== change.type || matches((change.after ?? change.before)!));
}

function compileTrigger(trigger: Trigger, matcher: CreateMatcher): Judge {
  const { type, interactions, previous, current, createPasses, deletePasses, requiresBoth } = trigger;
  const test = (query: string | undefined) => (query === undefined ? undefined : matcher(type, query));
  const before = test(previous);
  const after = test(current);
  const judged = (
    matches: ((resource: Resource) => boolean) | undefined,
    resource: Resource | undefined,
    without: boolean,
  ) => matches && (resource ? matches(resource) : without);
  return (change) => {
    if (change.type !== type || !interactions.includes(change.interaction)) return false;
    const results = [judged(before, change.before, createPasses), judged(after, change.after, deletePasses)].filter(
      (result) => result !== undefined,
    );
    return requiresBoth || results.length < 2 ? results.every(Boolean) : results.some(Boolean);
  };
}
