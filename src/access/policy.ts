/**
 * Who may do what: asked of the policies of the caller's roles (fhir-profiles/policies/). What is not granted is refused. After
 * reference workflow §3 (who may) and design §5 rule 9 (AuditEvent is create, read and search only). `update` of a Task opens the
 * door only: behind it the case machine lets through what is exactly a legal transition of that actor, and nothing else.
 */
import { loadPolicies } from './policies/load.ts';
import type { Policy } from './policies/policy.ts';

export type Role = string;

/** The trail is written by us; clients add to it, nobody changes it. */
const auditEventInteractions = new Set(['create', 'read', 'vread', 'search-type', 'history-instance', 'history-type']);

/** By role; the program's own, the same for every tenant. */
const policies: ReadonlyMap<string, Policy> = loadPolicies();

export function isRole(name: string): boolean {
  return policies.has(name);
}

/** Every role there is, by name. */
export function everyPolicy(): Policy[] {
  return [...policies.values()].sort((one, other) => one.role.localeCompare(other.role));
}

/** By list of roles: an account brings the same one with every request for some seconds. */
const ofRoles = new WeakMap<readonly string[], readonly Policy[]>();

/** Policies of the known ones among these roles; the list is not changed afterwards. */
export function policiesOf(roles: readonly string[]): readonly Policy[] {
  const known = ofRoles.get(roles);
  if (known) return known;
  const found = roles.flatMap((role) => policies.get(role) ?? []);
  ofRoles.set(roles, found);
  return found;
}

/** What is asked, as `FhirGuards.authorize` receives it. */
export interface Demand {
  interaction: string;
  type?: string;
  operation?: string;
}

/** Whether one of these roles grants the demand. Unknown roles grant nothing. */
export function isGranted(roles: readonly string[], demand: Demand): boolean {
  return policiesOf(roles).some((policy) => grants(policy, demand));
}

function grants(policy: Policy, demand: Demand): boolean {
  const { interaction, type } = demand;
  if (isDicom(interaction)) return grantsDicom(policy, interaction);
  const operation = operationOf(demand);
  if (operation !== undefined) {
    return policy.operations === 'all' || policy.operations.includes(`${type ? `${type}/` : ''}$${operation}`);
  }
  // Each entry of a bundle is asked on its own; the capability statement is public.
  if (interaction === 'batch' || interaction === 'transaction' || interaction === 'capabilities') return true;
  // A PUT under an unused id is a create; the store refuses any other.
  if (type === 'AuditEvent' && interaction === 'update') return grants(policy, { interaction: 'create', type });
  if (type === 'AuditEvent' && !auditEventInteractions.has(interaction)) return false;
  return policy.grants.some(
    ({ types, interactions }) =>
      interactions.includes(interaction) && (types === 'all' || (type !== undefined && types.includes(type))),
  );
}

function operationOf(demand: Demand): string | undefined {
  if (demand.operation !== undefined) return demand.operation.replace(/^\$/, '');
  return /^operation:(?:.*\/)?\$?([^/]+)$/.exec(demand.interaction)?.[1];
}

/** Images, by whichever of DICOM's protocols: `dicomweb:stow`, `dimse:c-store`. */
export function isDicom(interaction: string): boolean {
  return /^(?:dicomweb|dimse)/.test(interaction);
}

/** Storing is STOW-RS (PS3.18) and C-STORE (PS3.7), querying is QIDO-RS, every other transaction retrieves. */
function grantsDicom(policy: Policy, interaction: string): boolean {
  const transaction = interaction.split(':')[1] ?? '';
  if (/^(stow|store|c-store)/.test(transaction)) return policy.dicomweb.includes('store');
  if (/^(qido|query|search)/.test(transaction)) return policy.dicomweb.includes('query');
  return policy.dicomweb.includes('retrieve');
}
