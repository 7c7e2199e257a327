/**
 * Rewrites what can refer to another entry of a Bundle, and nothing that merely looks like it (an Identifier's value): references,
 * elements of the types uri, url, canonical, oid and uuid, links in narrative (https://hl7.org/fhir/R4/http.html#trules).
 */
import { choiceProperty, parseElement, type StructureFile } from '../definitions/structure-file.ts';
import { r4Structure } from '../definitions/structure-r4.ts';
import { keepLiterals } from '../json/index.ts';
import { maxDepth } from '../validation/index.ts';

/** @returns the uri to put in its place, the same one to leave it. */
export type UriVisitor = (uri: string, isReference: boolean) => string;

/** A copy of a resource (or of anything, when it is none) with its uris replaced. */
export type RewriteUris = (resource: unknown, visit: UriVisitor) => unknown;

const uriTypes = new Set(['uri', 'url', 'canonical', 'oid', 'uuid']);
const maxWalkDepth = 4 * maxDepth;
const linkPattern = /\b(href|src)=(["'])([^"']*)\2/g;

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
    // Deeper than anything that will pass validation.
    if (depth > maxWalkDepth) return value;
    if (Array.isArray(value)) return value.map((item) => walk(item, type, visit, depth + 1));
    if (typeof value === 'string') {
      if (uriTypes.has(type)) return visit(value, false);
      return type === 'xhtml' ? rewriteLinks(value, visit) : value;
    }
    if (typeof value !== 'object' || value === null) return value;
    const content = value as Record<string, unknown>;
    const actual = type === 'Resource' && typeof content.resourceType === 'string' ? content.resourceType : type;
    const elements = elementsOf(actual);
    const rewritten = Object.entries(content).map(([property, item]) => {
      if (actual === 'Reference' && property === 'reference' && typeof item === 'string')
        return [property, visit(item, true)];
      const elementType = elements.get(property);
      return [property, elementType === undefined ? item : walk(item, elementType, visit, depth + 1)];
    });
    return keepLiterals(content, Object.fromEntries(rewritten));
  }

  return (resource, visit) => walk(resource, 'Resource', visit, 0);
}

function rewriteLinks(xhtml: string, visit: UriVisitor): string {
  return xhtml.replace(
    linkPattern,
    (_, name: string, quote: string, uri: string) => `${name}=${quote}${visit(uri, false)}${quote}`,
  );
}

/** Types of a type's elements by JSON property, inherited ones included; none for a type unknown. */
function elementTypes(name: string, structure: StructureFile): ReadonlyMap<string, string> {
  const elements = new Map<string, string>();
  const typeNamed = (wanted: string) => (Object.hasOwn(structure.types, wanted) ? structure.types[wanted] : undefined);
  for (let type = typeNamed(name); type; type = type.base ? typeNamed(type.base) : undefined) {
    for (const [element, notation] of Object.entries(type.elements)) {
      for (const { code } of parseElement(notation).types) {
        const property = element.endsWith('[x]') ? choiceProperty(element.slice(0, -3), code) : element;
        elements.set(property, code);
        if (structure.types[code]?.kind === 'primitive') elements.set(`_${property}`, 'Element');
      }
    }
  }
  return elements;
}
