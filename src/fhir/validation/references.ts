/** Literal references: their syntax and the types they may point to (https://hl7.org/fhir/R4/references.html#literal). */
import { isId } from './primitives.ts';
import { isObject, type Run, report } from './run.ts';

/** A literal reference taken apart; `type` only when it says one. */
export type Literal =
  | { kind: 'relative' | 'absolute'; type: string; id: string; version?: string }
  | { kind: 'contained'; id: string }
  | { kind: 'conditional'; type: string; query: string }
  | { kind: 'urn' | 'url' };

const restfulPattern =
  /^(?:(https?:\/\/[^\s?#]+)\/)?([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?(?:#\S*)?$/;
const conditionalPattern = /^([A-Z][A-Za-z]+)\?(\S+)$/;
const urnPattern = /^urn:(?:uuid:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|oid:[0-2](?:\.(?:0|[1-9]\d*))+)$/;
/** Any absolute address but what a browser would run. */
const urlPattern = /^(?!urn:(?:uuid|oid):|javascript:|vbscript:|data:)[a-z][a-z0-9+.-]*:\S+$/i;

/** @returns undefined when the text is no literal reference. */
export function parseReference(text: string, isResourceType: (name: string) => boolean): Literal | undefined {
  if (text.startsWith('#'))
    return text === '#' || isId(text.slice(1)) ? { kind: 'contained', id: text.slice(1) } : undefined;
  const restful = restfulPattern.exec(text);
  if (restful && isResourceType(restful[2]!)) {
    const [, base, type, id, version] = restful;
    return { kind: base ? 'absolute' : 'relative', type: type!, id: id!, ...(version ? { version } : {}) };
  }
  if (urnPattern.test(text)) return { kind: 'urn' };
  if (urlPattern.test(text)) return { kind: 'url' };
  const conditional = conditionalPattern.exec(text);
  if (conditional && isResourceType(conditional[1]!))
    return { kind: 'conditional', type: conditional[1]!, query: conditional[2]! };
  return undefined;
}

/** Checks a Reference, found well-formed as a structure, against the target types its element allows (undefined: any). */
export function checkReference(
  value: unknown,
  run: Run,
  targets: ReadonlySet<string> | undefined,
  isResourceType: (name: string) => boolean,
): void {
  if (!isObject(value)) return;
  const stated = typeof value.type === 'string' ? value.type : undefined;
  if (stated && targets && isResourceType(stated) && !targets.has(stated)) {
    report(run, 'value', `must refer to ${[...targets].join(' or ')}`, 'type');
  }
  if (typeof value.reference !== 'string' || value.reference.length === 0) return;
  const literal = parseReference(value.reference, isResourceType);
  if (!literal || (literal.kind === 'conditional' && !run.isTransaction)) {
    report(run, 'value', 'must be a reference: Type/id, #id, urn:uuid:…, urn:oid:… or a URL', 'reference');
    return;
  }
  const type =
    literal.kind === 'contained' ? containedType(literal.id, run) : 'type' in literal ? literal.type : undefined;
  if (type === undefined) return;
  if (targets && !targets.has(type)) report(run, 'value', `must refer to ${[...targets].join(' or ')}`, 'reference');
  else if (stated && isResourceType(stated) && stated !== type)
    report(run, 'value', 'contradicts the reference', 'type');
}

function containedType(id: string, run: Run): string | undefined {
  // `#` alone is the containing resource, from inside a contained one.
  const container = run.isContained && isObject(run.rootResource) ? String(run.rootResource.resourceType) : undefined;
  const type = id === '' ? container : run.contained?.get(id);
  if (type === undefined && !run.isPart) report(run, 'invariant', 'refers to no contained resource', 'reference');
  return type;
}
