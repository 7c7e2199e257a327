/**
 * XML as the JSON form of the resource (https://hl7.org/fhir/R4/xml.html, https://hl7.org/fhir/R4/json.html). Only the shape is
 * checked here; what the values must be is the validator's, which sees the same as if JSON had come. The order of elements is not
 * insisted on. No DTD, hence no entities: what they could read or multiply is refused before it is looked at.
 */
import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes';
import { FhirError } from '../contract.ts';
import type { XmlElement, XmlType, XmlTypes } from './elements.ts';
import { xmlError } from './errors.ts';
import { type NarrativeReader, narrativeReader, xhtmlNamespace } from './narrative.ts';
import { attach, type Content, primitiveValue } from './values.ts';

/** Elements inside one another: the validator takes 64 levels, a contained resource has two. */
const maxNesting = 192;
/** Attributes of one element: FHIR has three at most, the others are names of namespaces. */
const maxAttributes = 64;

const namespace = 'http://hl7.org/fhir';
const declarations = 'http://www.w3.org/2000/xmlns/';
const schemaInstance = 'http://www.w3.org/2001/XMLSchema-instance';

/** An element whose end was not seen yet. */
interface Frame {
  /** FHIRPath step, with its index. */
  step: string;
  /** What it is in its parent; undefined for a resource, whose parent is the element around it, or nothing. */
  element?: XmlElement;
  /** Undefined for the element around a resource. */
  type?: XmlType;
  content: Content;
  /** The attribute `value` of a primitive. */
  value?: string;
}

/** @throws FhirError 400 with line, column and (where known) the element. */
export function readXml(source: string, types: XmlTypes): unknown {
  const parser = new SaxesParser({ xmlns: true, position: true });
  const stack: Frame[] = [];
  let root: unknown;
  let narrative: { reader: NarrativeReader; start: number } | undefined;

  const refuse = (problem: string, step?: string): FhirError => {
    const steps = [...stack.map((frame) => frame.step), step ?? ''].filter((text) => text !== '');
    return xmlError({ line: parser.line, column: Math.max(parser.column, 1) }, problem, steps.join('.') || undefined);
  };

  // Few handlers on purpose: with four more the parser's object is no longer a fast one (1.4 kB: 18 µs, then 128).
  parser.on('text', (text) => {
    if (narrative) narrative.reader.text(text);
    else if (/[^\s]/.test(text)) throw refuse('must not have text: values are attributes');
  });
  if (source.includes('<![CDATA['))
    parser.on('cdata', (text) => {
      if (!narrative) throw refuse('must not have text: values are attributes');
      narrative.reader.data(text);
    });
  parser.on('opentag', (tag) => {
    if (narrative) {
      if (tag.uri !== xhtmlNamespace) throw refuse('the narrative has an element of another namespace');
      narrative.reader.open(tag);
      return;
    }
    if (stack.length >= maxNesting) throw refuse(`must not nest deeper than ${maxNesting}`);
    const parent = stack.at(-1);
    if (!parent?.type) openResource(tag, parent);
    else openElement(tag, parent, parent.type);
  });
  parser.on('closetag', (tag) => {
    if (!narrative) return close();
    if (!narrative.reader.close(tag)) return;
    stack.at(-1)!.content.div = narrative.reader.result(source.slice(narrative.start, parser.position));
    narrative = undefined;
  });

  function openResource(tag: SaxesTagNS, parent: Frame | undefined): void {
    const { encoding } = parser.xmlDecl;
    if (encoding && !/^utf-?8$/i.test(encoding)) throw refuse('only UTF-8 is understood');
    if (tag.uri !== namespace) throw refuse(`must be in the namespace ${namespace}`);
    if (!types.isResource(tag.local)) throw refuse('must be a resource type of R4');
    if (parent?.content.resource !== undefined) throw refuse('must have one resource only');
    stack.push({ step: parent ? '' : tag.local, type: types.of(tag.local), content: { resourceType: tag.local } });
    readAttributes(tag, stack.at(-1)!);
  }

  function openElement(tag: SaxesTagNS, parent: Frame, type: XmlType): void {
    const element = type.elements.get(tag.local);
    if (!element) throw refuse('is not an element of this type', safeName(tag.local));
    if (element.kind === 'xhtml') {
      if (tag.uri !== xhtmlNamespace) throw refuse(`must be in the namespace ${xhtmlNamespace}`, element.step);
      if (parent.content.div !== undefined) throw refuse('must occur once only', element.step);
      narrative = { reader: narrativeReader(), start: source.lastIndexOf('<', parser.position - 1) };
      narrative.reader.open(tag);
      return;
    }
    if (tag.uri !== namespace) throw refuse(`must be in the namespace ${namespace}`, element.step);
    stack.push(frameOf(element, parent));
    readAttributes(tag, stack.at(-1)!);
  }

  function frameOf(element: XmlElement, parent: Frame): Frame {
    const { name, repeats, kind, step } = element;
    const present = parent.content[name] ?? parent.content[`_${name}`];
    if (!repeats && present !== undefined) throw refuse('must occur once only', step);
    const index = Array.isArray(present) ? present.length : 0;
    const frame: Frame = { step: repeats ? `${step}[${index}]` : step, element, content: {} };
    if (kind !== 'resource') frame.type = types.of(kind === 'primitive' ? 'Element' : element.type);
    return frame;
  }

  function readAttributes(tag: SaxesTagNS, frame: Frame): void {
    const attributes = Object.values(tag.attributes);
    if (attributes.length > maxAttributes) throw refuse(`must not have more than ${maxAttributes} attributes`);
    for (const attribute of attributes) {
      if (isForReadersOfXml(attribute)) continue;
      const { name, value } = attribute;
      if (name === 'value' && frame.element?.kind === 'primitive') frame.value = value;
      else if (frame.type?.attributes.has(name)) frame.content[name] = value;
      else throw refuse('has an attribute that its type does not have');
    }
  }

  function close(): void {
    const frame = stack.at(-1)!;
    const { element, content } = frame;
    const isEmpty = Object.keys(content).length === 0;
    if (element?.kind === 'primitive' && frame.value === undefined && isEmpty) throw refuse('must not be empty');
    if (element?.kind === 'resource' && isEmpty) throw refuse('must have a resource');
    stack.pop();
    const parent = stack.at(-1);
    if (!parent) root = content;
    else if (!element) parent.content.resource = content;
    else if (element.kind === 'primitive')
      attach(parent.content, element, primitiveValue(element, frame.value), isEmpty ? undefined : content, frame.value);
    else attach(parent.content, element, element.kind === 'resource' ? content.resource : content);
  }

  refuseDoctype(source);
  try {
    parser.write(source).close();
  } catch (error) {
    if (error instanceof FhirError) throw error;
    // The parser's own message quotes the text.
    throw refuse('is not well-formed XML');
  }
  return root;
}

/** Before anything is parsed. In a comment it is refused too, which harms nobody: elsewhere `<` cannot be meant. */
function refuseDoctype(source: string): void {
  const position = source.indexOf('<!DOCTYPE');
  if (position === -1) return;
  const lines = source.slice(0, position + 1).split('\n');
  throw xmlError({ line: lines.length, column: lines.at(-1)!.length }, 'a document type declaration is not taken');
}

/** Namespaces, and where a schema lies. */
function isForReadersOfXml({ uri, local }: SaxesAttributeNS): boolean {
  return uri === declarations || (uri === schemaInstance && local.endsWith('chemaLocation'));
}

/** Names from outside are repeated only when they are plain names. */
function safeName(name: string): string | undefined {
  return /^[A-Za-z][A-Za-z0-9]{0,63}$/.test(name) ? name : undefined;
}
