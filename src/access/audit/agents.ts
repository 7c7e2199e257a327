/** Agents of an AuditEvent: the software that asked, the software that answered, the person who wanted it (BALP). */
import type { AuditEventAgent, Coding } from '@medplum/fhirtypes';
import type { Actor, Context } from '../../fhir/index.ts';
import { roleSystem } from '../codes.ts';
import { agentType } from './codes.ts';

/** Where this server is, as the trail names it: its public address, or its machine's name. */
export interface Site {
  address: string;
  /** `AuditEvent.agent.network.type`: 1 machine name, 5 URI. */
  networkType: '1' | '5';
}

/** Which way the data went; a delete names neither source nor destination (BALP BasicAudit.Delete). */
export type Flow = 'read' | 'write' | 'delete' | 'query';

/** The platform itself. */
export const platformDevice = 'Device/passerelle';

const ends: Record<Flow, { client: Coding; server: Coding; user: Coding }> = {
  read: { client: agentType.destination, server: agentType.source, user: agentType.informationRecipient },
  query: { client: agentType.source, server: agentType.destination, user: agentType.informationRecipient },
  write: { client: agentType.source, server: agentType.destination, user: agentType.author },
  delete: { client: agentType.application, server: agentType.custodian, user: agentType.author },
};

/** Client, server and, when a person asked, the person. */
export function agents(context: Pick<Context, 'actor' | 'network'>, flow: Flow, site: Site): AuditEventAgent[] {
  const { actor, network } = context;
  const { client, server, user } = ends[flow];
  const isPerson = actor.kind === 'person';
  const list: AuditEventAgent[] = [
    {
      type: { coding: [client] },
      ...(isPerson ? throughWhat(actor) : { who: whoIs(actor), ...identity(actor) }),
      requestor: false,
      network: network ? { address: network, type: '2' } : { address: site.address, type: site.networkType },
    },
    {
      type: { coding: [server] },
      who: { reference: platformDevice, display: 'Passerelle' },
      requestor: false,
      network: { address: site.address, type: site.networkType },
    },
  ];
  if (isPerson) list.push(person(actor, user));
  return list;
}

/** The software a person acts through: our pages, or an app they let in (OAuth). */
function throughWhat({ client }: Actor): Pick<AuditEventAgent, 'who' | 'altId'> {
  return client === undefined
    ? { who: { display: 'navigateur' } }
    : { who: { display: `application ${client}` }, altId: client };
}

function person(actor: Actor, type: Coding): AuditEventAgent {
  return {
    type: { coding: [type] },
    // Nobody knows who tried to sign in under a name that does not exist.
    who: whoIs(actor),
    ...(actor.account ? identity(actor) : {}),
    requestor: true,
  };
}

function whoIs({ reference, display }: Actor): NonNullable<AuditEventAgent['who']> {
  const name = display.trim() || 'identité inconnue';
  return reference ? { reference, display: name } : { display: name };
}

/** FHIR has no empty values: who has no role, or no account, has none said. */
function identity(actor: Actor): Pick<AuditEventAgent, 'role' | 'altId'> {
  const role = actor.roles.map((code) => ({ coding: [{ system: roleSystem, code }] }));
  return { ...(actor.account ? { altId: actor.account } : {}), ...(role.length > 0 ? { role } : {}) };
}
