/** XML as values: elements are data, and every text or attribute is escaped in the one place that writes them (XML 1.0 §2.2, §2.4). */

export interface XmlElement {
  name: string;
  attributes: Record<string, string | undefined>;
  children: (XmlElement | string)[];
}

/** What an element may be given: absent children vanish, lists are spread. */
export type XmlChild = XmlElement | string | undefined | false | XmlChild[];

export function el(
  name: string,
  attributes: Record<string, string | undefined> = {},
  ...children: XmlChild[]
): XmlElement {
  return { name, attributes, children: flatten(children) };
}

/** The document, UTF-8, with its declaration. */
export function xmlDocument(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${write(root, '')}\n`;
}

function write({ name, attributes, children }: XmlElement, indent: string): string {
  const open = `${indent}<${name}${Object.entries(attributes)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([key, value]) => ` ${key}="${escapeXml(value)}"`)
    .join('')}`;
  if (children.length === 0) return `${open}/>`;
  // Text stands alone in its element: white space added beside it would change it.
  if (children.some((child) => typeof child === 'string')) {
    const content = children.map((child) => (typeof child === 'string' ? escapeXml(child) : write(child, '')));
    return `${open}>${content.join('')}</${name}>`;
  }
  const content = children.map((child) => write(child as XmlElement, `${indent}  `));
  return `${open}>\n${content.join('\n')}\n${indent}</${name}>`;
}

/** Escaped text; characters XML 1.0 cannot hold become the replacement character, so that no input breaks the document. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;');
}

function flatten(children: XmlChild[]): (XmlElement | string)[] {
  return children.flatMap((child) => {
    if (child === undefined || child === false) return [];
    return Array.isArray(child) ? flatten(child) : [child];
  });
}
