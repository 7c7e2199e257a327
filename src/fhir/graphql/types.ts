/**
 * The schema of https://hl7.org/fhir/R4/graphql.html, answered field by field out of the compact structure definitions: a type costs
 * memory when a query first names it, and then a few hundred bytes.
 */
import { r4Elements } from '../operations/elements.ts';
import { isResourceType } from '../validation/index.ts';

/** Names that no FHIR type has. */
export const queryType = 'Query';
export const anyResource = 'Resource';

export interface Field {
  kind: 'element' | 'read' | 'list' | 'connection' | 'target' | 'typename';
  /** Of the value: a FHIR type, `Connection <type>`, `Edge <type>`; of a leaf the primitive's name. */
  type: string;
  repeats: boolean;
  isLeaf: boolean;
}

/** A field of a type; undefined when it has none of that name. */
export function fieldOf(type: string, name: string): Field | undefined {
  if (name === '__typename') return leaf('typename', 'string', false);
  const [kind, resource] = type.split(' ') as [string, string?];
  if (kind === 'Connection') return connectionField(resource!, name);
  if (kind === 'Edge') return edgeField(resource!, name);
  if (type === queryType && isResourceType(name)) return object('read', name, false);
  if (type === queryType || isResourceType(type)) {
    const match = /^([A-Z][A-Za-z]*)(List|Connection)$/.exec(name);
    if (match && isResourceType(match[1]!)) {
      return match[2] === 'List'
        ? object('list', match[1]!, true)
        : object('connection', `Connection ${match[1]}`, false);
    }
  }
  if (type === 'Reference' && name === 'resource') return object('target', anyResource, false);
  return elementField(type, name);
}

function elementField(type: string, name: string): Field | undefined {
  if (name === 'resourceType') return isResource(type) ? leaf('element', 'code', false) : undefined;
  const elements = r4Elements.of(type === anyResource ? 'Resource' : type);
  const element = elements?.get(name);
  if (element) {
    const { type: itemType, repeats, isPrimitive } = element;
    return isPrimitive ? leaf('element', itemType, repeats) : object('element', itemType, repeats);
  }
  // `_birthDate`: what a primitive carries beside its value.
  const twin = name.startsWith('_') ? elements?.get(name.slice(1)) : undefined;
  return twin?.isPrimitive ? object('element', 'Element', twin.repeats) : undefined;
}

function connectionField(resource: string, name: string): Field | undefined {
  if (name === 'edges') return object('element', `Edge ${resource}`, true);
  if (['count', 'offset', 'pagesize'].includes(name)) return leaf('element', 'integer', false);
  return ['first', 'previous', 'next', 'last'].includes(name) ? leaf('element', 'id', false) : undefined;
}

function edgeField(resource: string, name: string): Field | undefined {
  if (name === 'mode') return leaf('element', 'code', false);
  if (name === 'score') return leaf('element', 'decimal', false);
  return name === 'resource' ? object('element', resource, false) : undefined;
}

function leaf(kind: Field['kind'], type: string, repeats: boolean): Field {
  return { kind, type, repeats, isLeaf: true };
}

function object(kind: Field['kind'], type: string, repeats: boolean): Field {
  return { kind, type, repeats, isLeaf: false };
}

export function isResource(type: string): boolean {
  return type === anyResource || type === 'DomainResource' || isResourceType(type);
}

/** Whether a fragment on `condition` says something about a value of `type` (`Patient` is also a `Resource`). */
export function applies(condition: string, type: string): boolean {
  if (condition === type) return true;
  return (condition === anyResource || condition === 'DomainResource') && isResource(type);
}

/** Name of a type as `__typename` tells it. */
export function typeName(type: string): string {
  const [kind, resource] = type.split(' ');
  if (resource === undefined) return type.replaceAll('.', '_');
  return kind === 'Connection' ? `${resource}Connection` : `${resource}Edge`;
}
