/**
 * Who may open an association, and as whom. An AE title proves nothing: on the plain port it counts only from the addresses listed for
 * it; over TLS the certificate of the connection must be of the establishment the title is registered for.
 */
import type { Access, ClientCertificate, Nodes } from '../../access/index.ts';
import type { DicomPeer } from '../../config/index.ts';
import { platformTenant } from '../../db/index.ts';
import type { Context } from '../../fhir/index.ts';
import { applicationContext } from './associate-answer.ts';
import type { AssociateRequest } from './associate-items.ts';
import { type Rejection, rejection } from './pdu-writer.ts';
import type { Peer } from './peer.ts';
import type { Sender, Senders } from './senders.ts';

export type Admitted = { admitted: Context } | { rejected: Rejection; reason: string };

export interface Admission {
  /** Whether this association may be; a refusal is in the trail by then. @throws when it could not be found out or told. */
  admit(request: AssociateRequest, peer: Peer, requestId: string): Promise<Admitted>;
  /** Whether the sender is still who it was: registrations and certificates end while associations last. */
  readmit(callingAe: string, peer: Peer, requestId: string): Promise<Context | undefined>;
}

export interface AdmissionOptions {
  /** Our AE title. */
  aeTitle: string;
  senders: Senders;
  access: Pick<Access, 'recordActivity' | 'sightOf'>;
  /** Over TLS: says for whom a certificate may speak. */
  nodes?: Nodes;
  /** On the plain port: titles and where they may come from; undefined: registered ones, from this machine only. */
  peers?: readonly DicomPeer[];
  now(): Date;
}

const interaction = 'dimse:associate';
/** What a machine's scopes must grant: `system/ImagingStudy.c`. */
const storing = { interaction: 'dimse:c-store', type: 'ImagingStudy' };

export function createAdmission({ aeTitle, senders, access, nodes, peers, now }: AdmissionOptions): Admission {
  /** What is wrong with the request itself, before anybody is looked up. */
  function problemOf({ protocolVersion, applicationContext: name, calledAe }: AssociateRequest): Admitted | undefined {
    if ((protocolVersion & 1) === 0) return { rejected: rejection.protocolVersion, reason: 'protocol version' };
    if (name !== applicationContext) return { rejected: rejection.applicationContext, reason: 'application context' };
    if (calledAe !== aeTitle) return { rejected: rejection.calledAe, reason: 'called AE title is not ours' };
    return undefined;
  }

  async function speaksFor(
    sender: Sender,
    callingAe: string,
    { address, certificate }: Peer,
    requestId: string,
  ): Promise<boolean> {
    if (!nodes) return true;
    const { tenant, organizationId } = sender;
    const connection = { certificate, network: address, interaction, requestId };
    return nodes.maySpeakFor({ tenant, organizationId, name: callingAe, demand: storing }, connection);
  }

  async function contextOf({ tenant, organizationId, actor }: Sender, { address }: Peer, requestId: string) {
    const identity = { tenant, actor, establishments: [organizationId] };
    const seen = await access.sightOf(identity);
    return { ...seen, requestId, interaction: 'dimse:c-store', network: address, now };
  }

  async function refused(
    answer: { rejected: Rejection; reason: string },
    sender: Sender | undefined,
    { callingAe, calledAe }: Pick<AssociateRequest, 'callingAe' | 'calledAe'>,
    { address, certificate }: Peer,
    requestId: string,
  ): Promise<Admitted> {
    await access.recordActivity(
      {
        ...{ tenant: sender?.tenant ?? platformTenant, requestId, interaction, network: address, now },
        actor: { reference: '', display: 'émetteur inconnu', account: '', kind: 'machine', roles: [] },
      },
      {
        kind: 'sender-refused',
        outcome: 'refused',
        reason: answer.reason,
        ...(sender ? { objects: [`Organization/${sender.organizationId}`] } : {}),
        details: { sender: printable(callingAe), called: printable(calledAe), ...fingerprint(certificate) },
      },
    );
    return answer;
  }

  return {
    async admit(request, peer, requestId) {
      const problem = problemOf(request);
      const { callingAe } = request;
      if (problem && 'rejected' in problem) return refused(problem, undefined, request, peer, requestId);
      const unlisted = { rejected: rejection.callingAe, reason: 'not from an address listed for this AE title' };
      if (!nodes && !isListed(callingAe, peer, peers)) return refused(unlisted, undefined, request, peer, requestId);
      const sender = await senders.find(callingAe, peer.isLoopback);
      const unknown = { rejected: rejection.callingAe, reason: 'AE title registered for no establishment' };
      if (!sender) return refused(unknown, undefined, request, peer, requestId);
      if (!(await speaksFor(sender, callingAe, peer, requestId)))
        return { rejected: rejection.callingAe, reason: 'certificate' };
      return { admitted: await contextOf(sender, peer, requestId) };
    },
    async readmit(callingAe, peer, requestId) {
      const sender = await senders.find(callingAe, peer.isLoopback);
      if (!sender || !(await speaksFor(sender, callingAe, peer, requestId))) return undefined;
      return contextOf(sender, peer, requestId);
    },
  };
}

function isListed(callingAe: string, { address, isLoopback }: Peer, peers: readonly DicomPeer[] | undefined): boolean {
  if (peers === undefined) return isLoopback;
  return peers.some(({ aeTitle, includes }) => aeTitle === callingAe && includes(address));
}

function printable(title: string): string {
  return title.replace(/[^ -~]/g, '?');
}

function fingerprint(certificate: ClientCertificate | undefined): Record<string, string> {
  const name = certificate?.names[0];
  return name === undefined ? {} : { certificate: name };
}
