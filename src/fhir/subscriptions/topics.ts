/**
 * Topics: what may be subscribed to. R4 has no SubscriptionTopic; as the backport says, each is a `Basic` that carries the elements of
 * R5's resource as cross-version extensions (fhir-profiles/topics/), served like every other definition.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Basic, Extension, ResourceType } from '@medplum/fhirtypes';

const topicsFolder = fileURLToPath(new URL('../../../fhir-profiles/topics/', import.meta.url));
const crossVersion = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic.';
const definitionBase = 'http://hl7.org/fhir/StructureDefinition/';

/** https://hl7.org/fhir/R5/subscriptiontopic-definitions.html#SubscriptionTopic.resourceTrigger */
export interface Trigger {
  type: ResourceType;
  interactions: readonly string[];
  /** Criteria on the version before; what it counts for on a create, which has none. */
  previous?: string;
  createPasses: boolean;
  /** Criteria on the new version; what it counts for on a delete, which has none. */
  current?: string;
  deletePasses: boolean;
  /** Both criteria, or one of them. */
  requiresBoth: boolean;
}

export interface Topic {
  /** Canonical address, without a version. */
  url: string;
  version?: string;
  /** French, for people. */
  title: string;
  triggers: readonly Trigger[];
  /** Parameters a subscription may filter by, and on which type. */
  filters: readonly { type: string; parameter: string }[];
}

/** Every topic of the folder, by address. */
export function loadTopics(folder = topicsFolder): ReadonlyMap<string, Topic> {
  const topics = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => topicOf(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Basic));
  return new Map(topics.map((topic) => [topic.url, topic]));
}

function topicOf(basic: Basic): Topic {
  const elements = (name: string) => (basic.extension ?? []).filter(({ url }) => url === crossVersion + name);
  const version = elements('version')[0]?.valueString;
  return {
    url: elements('url')[0]!.valueUri!,
    ...(version ? { version } : {}),
    title: elements('title')[0]!.valueString!,
    triggers: elements('resourceTrigger').map(triggerOf),
    filters: elements('canFilterBy').map((filter) => ({
      type: typeOf(filter),
      parameter: part(filter, 'filterParameter')!.valueString!,
    })),
  };
}

function triggerOf(trigger: Extension): Trigger {
  const criteria = part(trigger, 'queryCriteria') ?? { url: 'queryCriteria' };
  const previous = part(criteria, 'previous')?.valueString;
  const current = part(criteria, 'current')?.valueString;
  return {
    type: typeOf(trigger),
    interactions: (trigger.extension ?? []).filter(({ url }) => url === 'supportedInteraction').map(codeOf),
    ...(previous === undefined ? {} : { previous }),
    createPasses: part(criteria, 'resultForCreate')?.valueCode !== 'test-fails',
    ...(current === undefined ? {} : { current }),
    deletePasses: part(criteria, 'resultForDelete')?.valueCode === 'test-passes',
    requiresBoth: part(criteria, 'requireBoth')?.valueBoolean === true,
  };
}

function part(parent: Extension, url: string): Extension | undefined {
  return parent.extension?.find((extension) => extension.url === url);
}

function codeOf({ valueCode }: Extension): string {
  return valueCode!;
}

function typeOf(parent: Extension): ResourceType {
  return part(parent, 'resource')!.valueUri!.slice(definitionBase.length) as ResourceType;
}
