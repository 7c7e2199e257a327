/** Extensions of the topic-based backport (http://hl7.org/fhir/uv/subscriptions-backport) on elements of an R4 Subscription. */
import type { Extension, Subscription } from '@medplum/fhirtypes';

const backport = 'http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/';

export const backportProfile = `${backport}backport-subscription`;
export const statusProfile = `${backport}backport-subscription-status-r4`;
export const notificationProfile = `${backport}backport-subscription-notification-r4`;
export const topicCanonicalExtension = `${backport}capabilitystatement-subscriptiontopic-canonical`;

const extensionUrl = {
  filterCriteria: `${backport}backport-filter-criteria`,
  payloadContent: `${backport}backport-payload-content`,
  heartbeatPeriod: `${backport}backport-heartbeat-period`,
  timeout: `${backport}backport-timeout`,
  maxCount: `${backport}backport-max-count`,
  channelType: `${backport}backport-channel-type`,
} as const;

type Siblings = Record<string, { extension?: Extension[] } | undefined>;

/** Extensions of a primitive element, which JSON keeps beside it under `_name`. */
function ofPrimitive(parent: object, name: string): Extension[] {
  return (parent as Siblings)[`_${name}`]?.extension ?? [];
}

/** Every value of one extension, wherever this IG puts it. */
export function backportExtensions({ criteria: _, ...subscription }: Subscription): {
  filters: string[];
  content: string | undefined;
  channelType: string | undefined;
  heartbeatSeconds: number | undefined;
  timeoutSeconds: number | undefined;
  maxCount: number | undefined;
} {
  const { channel } = subscription;
  const onChannel = (url: string) => channel.extension?.find((extension) => extension.url === url);
  const filters = ofPrimitive(subscription, 'criteria').filter(({ url }) => url === extensionUrl.filterCriteria);
  const content = ofPrimitive(channel, 'payload').find(({ url }) => url === extensionUrl.payloadContent);
  const custom = ofPrimitive(channel, 'type').find(({ url }) => url === extensionUrl.channelType);
  return {
    filters: filters.flatMap(({ valueString }) => valueString ?? []),
    content: content?.valueCode,
    channelType: custom && (custom.valueCoding?.code ?? 'unknown'),
    heartbeatSeconds: onChannel(extensionUrl.heartbeatPeriod)?.valueUnsignedInt,
    timeoutSeconds: onChannel(extensionUrl.timeout)?.valueUnsignedInt,
    maxCount: onChannel(extensionUrl.maxCount)?.valuePositiveInt,
  };
}
