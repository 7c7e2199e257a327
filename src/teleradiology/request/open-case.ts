/** Makes the case of a request whose ServiceRequest is stored, however it came (IN-1, IN-2). */
import { randomUUID } from 'node:crypto';
import type { Identifier, Organization, ServiceRequest, Task } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction, identifierToken } from '../../fhir/index.ts';
import { decide, type Milestone } from '../case/index.ts';
import { urgencyOf } from '../clock/index.ts';
import { codeSystem, concept, identifierIs, identifierSystem } from '../codes.ts';
import type { IdentityFacts } from '../identity/issue-kinds.ts';
import { kindAsked, kindElements } from '../kinds/index.ts';
import { type CaseTask, inputsOf } from '../shell/case-task.ts';
import type { EffectScene } from '../shell/effects.ts';
import { viewOfNewCase } from '../shell/gather-facts.ts';
import { actorOf, applied, type Shell } from '../shell/perform.ts';
import { refusalError } from '../shell/refusal.ts';
import { caseNumber } from './case-number.ts';

export interface NewCase {
  /** `save` keeps it a draft; `submit` unless said. */
  event?: 'save' | 'submit';
  serviceRequest: ServiceRequest & { id: string };
  establishment: Organization & { id: string };
  /** Elements the sender decided: inputs, note, and the id when it is already taken. */
  draft: Partial<Task>;
  /** What the doubts about it block. */
  identity: IdentityFacts;
  /** Named items the request lacks. */
  missing: readonly string[];
  times: Partial<Record<Milestone, Date>>;
}

/** Number given by who asked (PLAC). */
export function placerOf(serviceRequest: Pick<ServiceRequest, 'identifier'>): Identifier | undefined {
  return serviceRequest.identifier?.find((identifier) => identifierIs(identifier, 'PLAC') && identifier.value);
}

/** The case of a placer number, whatever its state. */
export async function caseOfPlacer(tx: FhirTransaction, placer: Identifier): Promise<CaseTask | undefined> {
  const token = identifierToken(placer.system, placer.value);
  const found = await tx.search(
    'Task',
    `group-identifier=${token}&code=${encodeURIComponent(`${codeSystem.taskCode}|teleradiology-case`)}`,
  );
  return found[0] as CaseTask | undefined;
}

/** The Task of a new case, settled, not stored. @throws FhirError when the establishment may not send it. */
export async function newCaseTask(shell: Shell, tx: FhirTransaction, request: NewCase): Promise<CaseTask> {
  const { serviceRequest, establishment } = request;
  const now = tx.context.now();
  const reference = `ServiceRequest/${serviceRequest.id}`;
  const id = request.draft.id ?? randomUUID();
  const ours =
    request.draft.identifier?.filter((identifier) => identifier.system !== identifierSystem.caseNumber) ?? [];
  const bare: CaseTask = {
    ...request.draft,
    resourceType: 'Task',
    id,
    identifier: [{ system: identifierSystem.caseNumber, value: caseNumber(now) }, ...ours],
    intent: 'order',
    status: 'requested',
    ...kindElements(kindAsked(serviceRequest), concept(codeSystem.taskCode, 'teleradiology-case')),
    groupIdentifier: placerOf(serviceRequest),
    basedOn: [{ reference }],
    focus: { reference },
    for: serviceRequest.subject,
    requester: { reference: `Organization/${establishment.id}`, display: establishment.name },
    authoredOn: now.toISOString(),
    lastModified: now.toISOString(),
  };
  const encounterClass = inputsOf(bare, 'encounter-class')[0]?.valueCode;
  const task: CaseTask = { ...bare, priority: urgencyOf(serviceRequest.priority, encounterClass) };
  const view = viewOfNewCase(task, establishment, { ...request.identity, missing: request.missing }, now);
  const actor = actorOf(tx);
  const result = decide('none', request.event ?? 'submit', actor, view.facts);
  if ('refusal' in result) throw refusalError(result.refusal, 'none');
  view.facts = result.decision.facts;
  const scene: EffectScene = { room: shell, writes: shell.writes, tx, actor, view, input: {}, now };
  return applied(task, result.decision, scene, { times: request.times });
}

/** The establishment of a request. @throws FhirError 422 when it is not one of ours. */
export async function readEstablishment(tx: FhirTransaction, id: string): Promise<Organization & { id: string }> {
  const organization = await tx.find('Organization', id);
  if (organization === undefined)
    throw new FhirError(422, 'not-found', "L'établissement demandeur n'est pas enregistré.", 'Task.requester');
  return organization as Organization & { id: string };
}
