/** The XHTML of a narrative on its way in (https://hl7.org/fhir/R4/narrative.html): the text as it stands, or one that means the same. */
import type { SaxesTagNS } from 'saxes';
import { escapeAttribute, escapeText } from './escape.ts';

export const xhtmlNamespace = 'http://www.w3.org/1999/xhtml';
const declarations = 'http://www.w3.org/2000/xmlns/';

export interface NarrativeReader {
  open(tag: SaxesTagNS): void;
  text(text: string): void;
  /** Text of a CDATA section. */
  data(text: string): void;
  /** @returns true when the `<div>` is over. */
  close(tag: SaxesTagNS): boolean;
  /** @param source the `<div>` as it stands in the body. */
  result(source: string): string;
}

/**
 * JSON carries the `<div>` alone: what it takes from around it (a namespace declared above, a prefix) must be written into it. When it
 * takes nothing, it stays as it is, to the last quote.
 */
export function narrativeReader(): NarrativeReader {
  let rewritten = '';
  let depth = 0;
  let isSelfContained = true;
  return {
    open(tag) {
      const attributes = Object.values(tag.attributes).filter(({ uri }) => uri !== declarations);
      if (depth === 0 && tag.attributes.xmlns === undefined) isSelfContained = false;
      if (tag.prefix !== '' || attributes.some(({ prefix }) => prefix !== '' && prefix !== 'xml'))
        isSelfContained = false;
      const namespace = depth === 0 ? ` xmlns="${xhtmlNamespace}"` : '';
      const list = attributes.map(({ name, value }) => ` ${name}="${escapeAttribute(value)}"`).join('');
      rewritten += `<${tag.local}${namespace}${list}${tag.isSelfClosing ? '/' : ''}>`;
      depth++;
    },
    text(text) {
      rewritten += escapeText(text);
    },
    data(text) {
      isSelfContained = false;
      rewritten += escapeText(text);
    },
    close(tag) {
      if (!tag.isSelfClosing) rewritten += `</${tag.local}>`;
      return --depth === 0;
    },
    result: (source) => (isSelfContained ? source : rewritten),
  };
}
