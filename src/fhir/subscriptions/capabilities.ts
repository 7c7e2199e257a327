/** What the CapabilityStatement says of subscriptions: the topics (backport) and where the WebSocket is (extension of R4). */
import type { CapabilityStatement } from '@medplum/fhirtypes';
import { backportProfile, topicCanonicalExtension } from './extensions.ts';
import type { Topic } from './topics.ts';

const websocketExtension = 'http://hl7.org/fhir/StructureDefinition/capabilitystatement-websocket';
const instantiates =
  'http://hl7.org/fhir/uv/subscriptions-backport/CapabilityStatement/backport-subscription-server-r4';

export function describeSubscriptions(
  statement: CapabilityStatement,
  topics: ReadonlyMap<string, Topic>,
  socketUrl: string,
): void {
  statement.instantiates = [...(statement.instantiates ?? []), instantiates];
  const rest = statement.rest?.[0];
  if (!rest) return;
  rest.extension = [...(rest.extension ?? []), { url: websocketExtension, valueUri: socketUrl }];
  const subscription = rest.resource?.find(({ type }) => type === 'Subscription');
  if (!subscription) return;
  subscription.supportedProfile = [...(subscription.supportedProfile ?? []), backportProfile];
  subscription.extension = [
    ...(subscription.extension ?? []),
    ...[...topics.keys()].map((valueCanonical) => ({ url: topicCanonicalExtension, valueCanonical })),
  ];
}
