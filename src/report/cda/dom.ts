/** Reading a CDA: namespace-aware, no DTD, no entity but the five of XML. */
import type { Element as XmlNode } from '@xmldom/xmldom';
import { xmlParser } from '../libraries.ts';

export type { Element as XmlNode } from '@xmldom/xmldom';

export const hl7 = 'urn:hl7-org:v3';

/** @throws Error when the text is not well-formed or declares a DTD */
export function parseXml(text: string): XmlNode {
  // A CDA declares no document type; refusing it closes entity expansion and external entities at once.
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) throw new Error('document type declarations are refused');
  // The parser's own messages quote the document: they stay inside.
  const malformed = new Error('not well-formed XML');
  const stop = (level: string) => {
    if (level !== 'warning') throw malformed;
  };
  const DOMParser = xmlParser();
  try {
    const root = new DOMParser({ onError: stop }).parseFromString(text, 'text/xml').documentElement;
    if (root) return root;
  } catch {
    throw malformed;
  }
  throw malformed;
}

/** Child elements of this name in the HL7 v3 namespace, in order. */
export function all(parent: XmlNode | undefined, name: string, namespace = hl7): XmlNode[] {
  const found: XmlNode[] = [];
  for (let child = parent?.firstChild; child; child = child.nextSibling) {
    const element = child as XmlNode;
    if (child.nodeType === 1 && element.localName === name && element.namespaceURI === namespace) found.push(element);
  }
  return found;
}

/** First element down a path of names. */
export function at(parent: XmlNode | undefined, ...path: string[]): XmlNode | undefined {
  return path.reduce<XmlNode | undefined>((node, name) => all(node, name)[0], parent);
}

export function attribute(node: XmlNode | undefined, name: string): string {
  return node?.getAttribute(name) ?? '';
}

export function textOf(node: XmlNode | undefined): string {
  return node?.textContent?.trim() ?? '';
}

/** Every descendant element. */
export function descendants(node: XmlNode): XmlNode[] {
  return Array.from(node.getElementsByTagName('*')) as XmlNode[];
}
