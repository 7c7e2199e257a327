/**
 * Conditions on rows that scopes carry: about one patient (`patient/…`), or search parameters (`system/Task.rs?status=ready`). They hold in
 * row-level security, so in every way a resource can be reached; a condition that cannot be put there is refused when it is granted.
 */
import type { ResourceType } from '@medplum/fhirtypes';
import { isLimitedType, type RowScope, type Sight } from '../../fhir/index.ts';
import { isResourceScope, type ResourceScope, type Right, readScopes } from './scopes.ts';

type Keys = RowScope['keys'];

/** Lists of search values, of each of which a row must have one. */
type Conditions = readonly Keys[];

/** How a resource says that it is about a patient. */
const patientParameters = ['_id', 'patient', 'subject', 'beneficiary', 'individual', 'actor'];
/** Conditions multiply where several scopes grant the same; beyond this a type shows nothing. */
const mostConditions = 16;

/** What a type can be searched by. */
export type ParametersOf = (type: ResourceType) => readonly { name: string; type: string }[];

/** Why a scope cannot be granted, in French; undefined when it can. */
export function unenforceable(
  { type, rights, criteria }: ResourceScope,
  parametersOf: ParametersOf,
): string | undefined {
  if (criteria.length === 0) return undefined;
  if (!isLimitedType(type)) return 'une condition ne vaut que pour les types qui portent des données de patient';
  if (rights.some((right) => right !== 'r' && right !== 's'))
    return 'une condition ne vaut que pour lire et rechercher';
  const known = parametersOf(type as ResourceType);
  for (const { name, values } of criteria.map(readCriterion)) {
    const kind = known.find((parameter) => parameter.name === name)?.type;
    if (name === '_id' || (kind !== 'token' && kind !== 'reference'))
      return `${name} n’est ni un code ni une référence de ${type}`;
    if (!values.every((value) => isKeyValue(value, kind))) {
      return `${name} : donnez code, system|code ou Type/id ; plusieurs séparés par des virgules`;
    }
  }
  return undefined;
}

function isKeyValue(value: string, kind: 'token' | 'reference'): boolean {
  if (kind === 'reference') return /^[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/.test(value);
  return /^[^\s\\$,|]*\|?[^\s\\$,|]+$/.test(value);
}

function readCriterion(criterion: string): { name: string; values: string[] } {
  const at = criterion.indexOf('=');
  return { name: criterion.slice(0, at), values: decode(criterion.slice(at + 1)).split(',') };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether a token with these scopes sees less than its account. */
export function isNarrow(scopes: readonly string[]): boolean {
  return readScopes(scopes)
    .filter(isResourceScope)
    .some(({ level, criteria }) => level === 'patient' || criteria.length > 0);
}

/**
 * What is seen with a token of what its account sees.
 * @param patient id of the patient the token is about; without one, scopes about a patient show nothing.
 * @param limitedTypes every type whose rows can be limited.
 */
export function narrowedSight<Seen extends Sight>(
  seen: Seen,
  token: { scopes: readonly string[]; patient?: string },
  limitedTypes: readonly ResourceType[],
): Seen {
  const scopes = readScopes(token.scopes).filter(isResourceScope);
  const own: RowScope = seen.rows ?? { keys: [], whole: limitedTypes };
  // Whoever is narrowed already (an excluded reader) stays so.
  const conditions = (type: ResourceType) => [
    ...conditionsOn(type, scopes, token.patient),
    ...(own.narrowed?.get(type) ?? []),
  ];
  const narrowed = new Map(limitedTypes.map((type) => [type, conditions(type)] as const));
  const kept = new Set(limitedTypes.filter((type) => conditionsOfRights(type, 'cud', scopes, token.patient)?.length));
  return { ...seen, rows: { ...own, narrowed, kept } };
}

/**
 * Each right is looked at apart, and the strictest holds for all of them: a row that one of them may not reach is not seen, so that what is
 * granted of one patient and what is granted of everybody never add up. A type that no scope grants is not asked for by anybody; what leads
 * there (a case of another patient) must not show.
 */
function conditionsOn(type: ResourceType, scopes: readonly ResourceScope[], patient: string | undefined): Conditions {
  const seeing = conditionsOfRights(type, 'rs', scopes, patient);
  const writing = conditionsOfRights(type, 'cud', scopes, patient) ?? [];
  if (!seeing && writing.length === 0) return [[]];
  return [...new Map([...(seeing ?? []), ...writing].map((list) => [JSON.stringify(list), list])).values()];
}

/** Those of every one of these rights that is granted. Undefined when none is. */
function conditionsOfRights(
  type: ResourceType,
  rights: string,
  scopes: readonly ResourceScope[],
  patient: string | undefined,
): Conditions | undefined {
  const granting = scopes.filter((scope) => scope.type === '*' || scope.type === type);
  const each = ([...rights] as Right[]).map((right) =>
    anyOf(
      granting.filter((scope) => scope.rights.includes(right)),
      patient,
    ),
  );
  return each.every((one) => one === undefined) ? undefined : each.flatMap((one) => one ?? []);
}

/** One of the scopes is met: (a and b) or c is (a or c) and (b or c). Undefined when there are none. */
function anyOf(scopes: readonly ResourceScope[], patient: string | undefined): Conditions | undefined {
  const [first, ...others] = scopes.map((scope) => conditionsOf(scope, patient));
  if (first === undefined) return undefined;
  return others.reduce<Conditions>((sum, one) => {
    const product = sum.flatMap((list) => one.map((other) => [...list, ...other]));
    return product.length > mostConditions ? [[]] : product;
  }, first);
}

function conditionsOf({ level, criteria }: ResourceScope, patient: string | undefined): Conditions {
  const own = criteria
    .map(readCriterion)
    .map(({ name, values }) => values.map((value) => ({ parameter: name, value })));
  return level === 'patient' ? [aboutPatient(patient), ...own] : own;
}

function aboutPatient(patient: string | undefined): Keys {
  if (patient === undefined) return [];
  return patientParameters.map((parameter) => ({ parameter, value: `Patient/${patient}` }));
}
