/**
 * What an access token allows at most, asked of each interaction beside the policy of its account: the effective right is what both
 * grant (https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#scopes-for-requesting-fhir-resources).
 */
import { type Actor, isLimitedType, type Operation } from '../../fhir/index.ts';
import { isResourceScope, type ResourceScope, type Right, readScopes } from './scopes.ts';

export interface ScopeDemand {
  interaction: string;
  type?: string;
  /** Name without `$`. */
  operation?: string;
}

/** Interactions of FHIR by the letter that grants them; history of one resource is read with it, that of many is a search. */
const rightOf: Readonly<Record<string, Right>> = {
  create: 'c',
  read: 'r',
  vread: 'r',
  'history-instance': 'r',
  update: 'u',
  patch: 'u',
  delete: 'd',
  'search-type': 's',
  'search-system': 's',
  'history-type': 's',
  'history-system': 's',
};

/** The envelope of a Bundle is not asked: each of its entries is. Who we are and what we serve is public. */
const envelopes = new Set(['batch', 'transaction', 'capabilities']);

/** A signature is given by a person's own hand (design §5 rule 6), and an emergency declared by them: no app does either for them. */
const personalActs = new Set(['sign', 'break-glass']);

/** Types that tell of many patients and are not kept to one by what they carry. */
const beyondOnePatient = new Set(['AuditEvent', 'Binary', 'Bundle', 'Group', 'List', 'MeasureReport', 'Subscription']);

/** Types anybody may read and ask about: definitions, which say how to talk to us. */
const definitionTypes = new Set([
  'CapabilityStatement',
  'CodeSystem',
  'ConceptMap',
  'NamingSystem',
  'OperationDefinition',
  'SearchParameter',
  'StructureDefinition',
  'ValueSet',
]);

/**
 * Whether the token of an actor allows a demand; who acts without one is not limited here.
 * @param operations those that exist, for what changes something.
 */
export function isWithinScopes(
  { scopes }: Pick<Actor, 'scopes'>,
  demand: ScopeDemand,
  operations: readonly Pick<Operation, 'name' | 'type' | 'affectsState'>[],
): boolean {
  if (scopes === undefined) return true;
  const granted = readScopes(scopes).filter(isResourceScope);
  const { interaction, type } = demand;
  if (/^(?:dicomweb|dimse)/.test(interaction)) return allowsDicom(granted, interaction);
  const operation = operationOf(demand);
  if (operation !== undefined) return allowsOperation(granted, operation, type, changes(operations, operation, type));
  if (envelopes.has(interaction)) return true;
  const right = rightOf[interaction];
  if (right === undefined) return false;
  if (type === undefined) return allows(granted, '*', right);
  // Its notifications follow the account and not this token: nothing may be narrower than the account.
  if (type === 'Subscription' && right !== 'r' && right !== 's' && !allowsEverywhere(granted)) return false;
  return (definitionTypes.has(type) && (right === 'r' || right === 's')) || allows(granted, type, right);
}

/**
 * No scope names operations. One that only reads shows what `r` and `s` of its type would; one that changes something wants `c`, `r` and
 * `u` of it. Without a type, every type is meant.
 */
function allowsOperation(
  granted: readonly ResourceScope[],
  operation: string,
  type: string | undefined,
  changes: boolean,
): boolean {
  if (type !== undefined && definitionTypes.has(type) && !changes) return true;
  if (personalActs.has(operation)) return false;
  // What these show is asked again later, of the account and without this token: nothing may be narrower than the account by then.
  if (operation === 'export' || type === 'Subscription') return allowsEverywhere(granted);
  return needed(changes ? 'cru' : 'rs').every((right) => allows(granted, type ?? '*', right));
}

/** PS3.18 and PS3.7 in terms of ImagingStudy. Images lie beside the resources: a scope with conditions does not reach them. */
function allowsDicom(granted: readonly ResourceScope[], interaction: string): boolean {
  const transaction = interaction.split(':')[1] ?? '';
  const right = /^(stow|store|c-store)/.test(transaction) ? 'c' : /^(qido|query|search)/.test(transaction) ? 's' : 'r';
  return allows(
    granted.filter(({ level, criteria }) => level !== 'patient' && criteria.length === 0),
    'ImagingStudy',
    right,
  );
}

function allows(granted: readonly ResourceScope[], type: string, right: Right): boolean {
  return granted.some(
    (scope) =>
      (scope.type === '*' || scope.type === type) &&
      scope.rights.includes(right) &&
      (scope.level !== 'patient' || isOfPatient(type, right)),
  );
}

/** What is nobody's record (directories, definitions) is read along with one, and changed by no app that is about one. */
function isOfPatient(type: string, right: Right): boolean {
  return !beyondOnePatient.has(type) && (isLimitedType(type) || right === 'r' || right === 's');
}

/** Whether scopes let everything be read that the account may read. */
export function readsEverything(scopes: readonly string[]): boolean {
  return allowsEverywhere(readScopes(scopes).filter(isResourceScope));
}

/** To read and search every type, without conditions. */
function allowsEverywhere(granted: readonly ResourceScope[]): boolean {
  const whole = granted.filter(({ level, type }) => level !== 'patient' && type === '*');
  return (
    granted.every(({ criteria }) => criteria.length === 0) && needed('rs').every((right) => allows(whole, '*', right))
  );
}

/** An operation nobody knows is taken for one that changes something. */
function changes(
  operations: readonly Pick<Operation, 'name' | 'type' | 'affectsState'>[],
  name: string,
  type: string | undefined,
): boolean {
  const found = operations.filter((one) => one.name === name && (one.type === undefined || one.type === type));
  return found.length === 0 || found.some(({ affectsState }) => affectsState);
}

function needed(letters: string): Right[] {
  return [...letters] as Right[];
}

function operationOf({ operation, interaction }: ScopeDemand): string | undefined {
  if (operation !== undefined) return operation.replace(/^\$/, '');
  return /^operation:(?:.*\/)?\$?([^/]+)$/.exec(interaction)?.[1];
}
