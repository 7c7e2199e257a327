/**
 * SMART scopes, versions 1 (`system/Task.read`) and 2 (`system/Task.rs?status=ready`)
 * (https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html).
 */
import { isResourceType } from '../../fhir/index.ts';

export type Right = 'c' | 'r' | 'u' | 'd' | 's';
const allRights = 'cruds';

/** A scope about resources. */
export interface ResourceScope {
  /** What one patient is concerned by, what the person may see, what the machine may see. */
  level: 'patient' | 'user' | 'system';
  /** A resource type, or `*` for each. */
  type: string;
  /** In the order `cruds`. */
  rights: readonly Right[];
  /** Search parameters that the resources must match, as `name=value`; none: every resource of the type. */
  criteria: readonly string[];
}

/** Scopes that are no resources. `launch` comes from our pages; `launch/patient` lets the person choose one. */
export const otherScopes = ['openid', 'fhirUser', 'launch', 'launch/patient', 'offline_access'] as const;
export type OtherScope = (typeof otherScopes)[number];

export type Scope = ResourceScope | OtherScope;

const syntax = /^(patient|user|system)\/(\*|[A-Z][A-Za-z]{2,63})\.(read|write|\*|c?r?u?d?s?)(?:\?(\S{1,500}))?$/;
const version1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': allRights };
const criterion = /^[A-Za-z_][A-Za-z0-9_-]{0,63}=[^=&]{1,400}$/;

/** What one scope says; undefined when it is none we know. */
export function readScope(text: string): Scope | undefined {
  const other = otherScopes.find((scope) => scope === text);
  if (other) return other;
  const [, level, type = '', letters = '', query] = syntax.exec(text) ?? [];
  if (!level || letters === '' || (type !== '*' && !isResourceType(type))) return undefined;
  const criteria = query === undefined ? [] : query.split('&');
  // A condition on every type at once has no meaning: types do not share their parameters.
  if (!criteria.every((part) => criterion.test(part)) || (type === '*' && criteria.length > 0)) return undefined;
  const rights = [...(version1[letters] ?? letters)] as Right[];
  return { level: level as ResourceScope['level'], type, rights, criteria };
}

/** A scope as it is written in version 2. */
export function writeScope(scope: Scope): string {
  if (typeof scope === 'string') return scope;
  const { level, type, rights, criteria } = scope;
  return `${level}/${type}.${rights.join('')}${criteria.length > 0 ? `?${criteria.join('&')}` : ''}`;
}

export function isResourceScope(scope: Scope): scope is ResourceScope {
  return typeof scope !== 'string';
}

/** Scopes of a space-separated list that are known, each once. */
export function readScopes(list: readonly string[]): Scope[] {
  return [...new Set(list)].flatMap((text) => readScope(text) ?? []);
}

/**
 * What is both asked for and granted: of each type the rights of both, under the conditions of both.
 * @param levels those that have a meaning here: a machine has no patient and no user.
 */
export function commonScopes(
  asked: readonly Scope[],
  granted: readonly Scope[],
  levels: readonly ResourceScope['level'][],
): Scope[] {
  const common = asked.flatMap((scope): Scope[] => {
    if (!isResourceScope(scope)) return granted.includes(scope) && !levels.includes('system') ? [scope] : [];
    if (!levels.includes(scope.level)) return [];
    return granted.filter(isResourceScope).flatMap((other) => both(scope, other) ?? []);
  });
  return withoutRepeats(common);
}

function both(asked: ResourceScope, granted: ResourceScope): ResourceScope | undefined {
  if (asked.level !== granted.level) return undefined;
  if (asked.type !== granted.type && asked.type !== '*' && granted.type !== '*') return undefined;
  const rights = asked.rights.filter((right) => granted.rights.includes(right));
  if (rights.length === 0) return undefined;
  return {
    level: asked.level,
    type: asked.type === '*' ? granted.type : asked.type,
    rights,
    criteria: [...new Set([...granted.criteria, ...asked.criteria])],
  };
}

function withoutRepeats(scopes: readonly Scope[]): Scope[] {
  return [...new Map(scopes.map((scope) => [writeScope(scope), scope])).values()];
}
