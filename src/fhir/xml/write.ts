/** Resources as XML (https://hl7.org/fhir/R4/xml.html): elements in the order of their definition, primitives as attributes. */
import { literalOf } from '../json/index.ts';
import { scanXhtml } from '../validation/xhtml-scanner.ts';
import type { XmlElement, XmlType, XmlTypes } from './elements.ts';
import { escapeAttribute } from './escape.ts';

type Content = Record<string, unknown>;

const declaration = '<?xml version="1.0" encoding="UTF-8"?>';

/**
 * Writes what is valid, or nearly: an element that the definitions do not have cannot be written and throws, so that nothing is left
 * out in silence.
 * @param isPretty one element per line.
 */
export function writeXml(resource: unknown, types: XmlTypes, isPretty: boolean): string {
  const lineBreak = (depth: number) => (isPretty ? `\n${'  '.repeat(depth)}` : '');

  function resourceText(content: Content, depth: number): string {
    const name = content.resourceType;
    if (typeof name !== 'string' || !types.isResource(name)) throw new Error('not a resource type of R4');
    return element(
      name,
      depth === 0 ? ' xmlns="http://hl7.org/fhir"' : '',
      children(content, types.of(name), depth + 1),
      depth,
    );
  }

  function element(name: string, attributes: string, inside: string, depth: number): string {
    if (inside === '') return `${lineBreak(depth)}<${name}${attributes}/>`;
    return `${lineBreak(depth)}<${name}${attributes}>${inside}${lineBreak(depth)}</${name}>`;
  }

  function children(content: Content, type: XmlType, depth: number): string {
    let text = '';
    for (const [name, definition] of present(content, type)) {
      const value = content[name];
      const shadow = content[`_${name}`];
      if (!definition.repeats) text += child(definition, value, shadow, content, name, depth);
      else {
        const values = Array.isArray(value) ? value : [];
        const shadows = Array.isArray(shadow) ? shadow : [];
        for (let index = 0; index < Math.max(values.length, shadows.length); index++)
          text += child(definition, values[index], shadows[index], values, String(index), depth);
      }
    }
    return text;
  }

  /** @param holder what the value is in, under `key`: numbers remember their text there. */
  function child(
    definition: XmlElement,
    value: unknown,
    shadow: unknown,
    holder: object,
    key: string,
    depth: number,
  ): string {
    const { name, kind } = definition;
    if (kind === 'resource') return isContent(value) ? element(name, '', resourceText(value, depth + 1), depth) : '';
    if (kind === 'complex') return isContent(value) ? complex(name, value, types.of(definition.type), '', depth) : '';
    if (kind === 'xhtml') return typeof value === 'string' ? lineBreak(depth) + narrative(value) : '';
    const attribute = isPrimitive(value) ? ` value="${primitiveText(value, holder, key)}"` : '';
    if (isContent(shadow)) return complex(name, shadow, types.of('Element'), attribute, depth);
    return attribute === '' ? '' : element(name, attribute, '', depth);
  }

  function complex(name: string, content: Content, type: XmlType, value: string, depth: number): string {
    let attributes = '';
    for (const attribute of type.attributes) {
      const text = content[attribute];
      if (isPrimitive(text)) attributes += ` ${attribute}="${escapeAttribute(String(text))}"`;
    }
    return element(name, attributes + value, children(content, type, depth + 1), depth);
  }

  return `${declaration}${resourceText(resource as Content, 0)}${isPretty ? '\n' : ''}`;
}

/** Elements the content has, in the order of the definition. */
function present(content: Content, { elements, attributes }: XmlType): [string, XmlElement][] {
  const found = new Map<string, XmlElement>();
  for (const property of Object.keys(content)) {
    if (content[property] === undefined || attributes.has(property)) continue;
    const name = property.startsWith('_') ? property.slice(1) : property;
    const definition = elements.get(name);
    if (definition) found.set(name, definition);
    // The extensions of Element.id and Extension.url have no place in XML, and no use.
    else if (!attributes.has(name) && property !== 'resourceType')
      throw new Error('an element of the resource is not in the definitions of R4');
  }
  return [...found].sort(([, a], [, b]) => a.order - b.order);
}

function primitiveText(value: string | number | boolean, holder: object, key: string): string {
  if (typeof value === 'string') return escapeAttribute(value);
  return typeof value === 'number' ? (literalOf(holder, key, value) ?? String(value)) : String(value);
}

/** The narrative is XHTML already; what is not well-formed would spoil everything around it. */
function narrative(div: string): string {
  if (scanXhtml(div, () => undefined) !== undefined) throw new Error('the narrative is not well-formed');
  return div.trim();
}

function isContent(value: unknown): value is Content {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPrimitive(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
