/**
 * Rewrites what can refer to another entry of a Bundle, and nothing that merely looks like it (an Identifier's value): references,
 * elements of the types uri, url, oid and uuid, links in narrative; canonicals are left alone (https://hl7.org/fhir/R4/http.html#trules).
 */
import { choiceProperty, parseElement, type StructureFile } from '../definitions/structure-file.ts';
import { r4Structure } from '../definitions/structure-r4.ts';
import { keepLiterals } from '../json/index.ts';
import { typeAtPointer } from '../patch/index.ts';
import { maxDepth } from '../validation/index.ts';

/** @returns the uri to put in its place, the same one to leave it. */
export type UriVisitor = (uri: string, isReference: boolean) => string;

/**
 * The resource (or anything else, when it is none) with its uris replaced: a copy of what changes, the same object where nothing does.
 * A list is a JSON Patch of a resource of `patched` type: the values of its operations are looked at.
 */
export type RewriteUris = (body: unknown, visit: UriVisitor, patched?: string) => unknown;

const uriTypes = new Set(['uri', 'url', 'oid', 'uuid']);
/** Reference.reference, a string in the definitions: not a type of FHIR. */
const referenceText = 'Reference.reference';
const maxWalkDepth = 4 * maxDepth;
const linkPattern = /\b((?:href|src)\s*=\s*)(["'])([^"']*)\2/g;

export const rewriteUris: RewriteUris = uriRewriter(r4Structure);

function uriRewriter(structure: StructureFile): RewriteUris {
  const known = new Map<string, ReadonlyMap<string, string>>();

  function elementsOf(type: string): ReadonlyMap<string, string> {
    let elements = known.get(type);
    if (!elements) {
      elements = elementTypes(type, structure);
      known.set(type, elements);
    }
    return elements;
  }

  function walk(value: unknown, type: string, visit: UriVisitor, depth: number): unknown {
    if (typeof value === 'string') {
      if (uriTypes.has(type)) return visit(value, false);
      return type === 'xhtml' ? rewriteLinks(value, visit) : value;
    }
    // Deeper than anything that will pass validation.
    if (typeof value !== 'object' || value === null || depth > maxWalkDepth) return value;
    return Array.isArray(value)
      ? walkItems(value, type, visit, depth + 1)
      : walkElements(value as Record<string, unknown>, type, visit, depth + 1);
  }

  function walkItems(items: readonly unknown[], type: string, visit: UriVisitor, depth: number): unknown {
    let copy: unknown[] | undefined;
    for (let index = 0; index < items.length; index++) {
      const item = walk(items[index], type, visit, depth);
      if (item === items[index]) continue;
      copy ??= keepLiterals(items as unknown[], [...items]);
      copy[index] = item;
    }
    return copy ?? items;
  }

  function walkElements(content: Record<string, unknown>, type: string, visit: UriVisitor, depth: number): unknown {
    const actual = type === 'Resource' && typeof content.resourceType === 'string' ? content.resourceType : type;
    const elements = elementsOf(actual);
    let copy: Record<string, unknown> | undefined;
    // Own properties alone: what is walked comes from a JSON parser.
    for (const property in content) {
      const elementType = elements.get(property);
      if (elementType === undefined) continue;
      const before = content[property];
      const isReference = elementType === referenceText && typeof before === 'string';
      const after = isReference ? visit(before, true) : walk(before, elementType, visit, depth);
      if (after === before) continue;
      // Spread keeps how its numbers were written, which an object remembers under a symbol.
      copy ??= { ...content };
      copy[property] = after;
    }
    return copy ?? content;
  }

  function walkOperation(operation: unknown, patched: string, visit: UriVisitor): unknown {
    if (typeof operation !== 'object' || operation === null || !('path' in operation) || !('value' in operation))
      return operation;
    const { path, value } = operation;
    const place = typeAtPointer(patched, path);
    if (!place) return operation;
    const isReference = place.of === 'Reference' && place.name === 'reference' && typeof value === 'string';
    const after = isReference ? visit(value, true) : walk(value, place.type, visit, 0);
    return after === value ? operation : { ...operation, value: after };
  }

  return (body, visit, patched) => {
    if (!Array.isArray(body) || patched === undefined) return walk(body, 'Resource', visit, 0);
    const operations = body.map((operation) => walkOperation(operation, patched, visit));
    return operations.some((operation, at) => operation !== body[at]) ? keepLiterals(body, operations) : body;
  };
}

function rewriteLinks(xhtml: string, visit: UriVisitor): string {
  return xhtml.replace(
    linkPattern,
    (_, name: string, quote: string, uri: string) => `${name}${quote}${visit(uri, false)}${quote}`,
  );
}

/**
 * Types of a type's elements by JSON property, inherited ones included, without those no uri can be in; none for a type unknown.
 */
function elementTypes(name: string, structure: StructureFile): ReadonlyMap<string, string> {
  const elements = new Map<string, string>();
  const typeNamed = (wanted: string) => (Object.hasOwn(structure.types, wanted) ? structure.types[wanted] : undefined);
  for (let type = typeNamed(name); type; type = type.base ? typeNamed(type.base) : undefined) {
    for (const [element, notation] of Object.entries(type.elements)) {
      for (const { code } of parseElement(notation).types) {
        const property = element.endsWith('[x]') ? choiceProperty(element.slice(0, -3), code) : element;
        const isPrimitive = structure.types[code]?.kind === 'primitive';
        if (!isPrimitive || uriTypes.has(code) || code === 'xhtml') elements.set(property, code);
        if (isPrimitive) elements.set(`_${property}`, 'Element');
      }
    }
  }
  if (name === 'Reference') elements.set('reference', referenceText);
  return elements;
}
