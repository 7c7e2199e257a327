/** JSON for the eye: indented, coloured, references and addresses as links. */
import { literalOf } from '../json/index.ts';
import { type Html, html, trusted } from './html.ts';
import { isWebAddress, link } from './links.ts';

/** Longer strings (files in base64) say how long they are instead. */
const longestString = 2_000;

/** @param base service base URL, without a slash at the end. */
export function jsonView(value: unknown, base: string): Html {
  return html`<pre class="json">${valueView(value, '', base, 0)}</pre>`;
}

function valueView(value: unknown, name: string, base: string, depth: number, literal?: string): Html {
  if (Array.isArray(value)) {
    const items = value.map((item, index) =>
      valueView(item, name, base, depth + 1, literalText(value, String(index), item)),
    );
    return block('[', items, ']', depth);
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([key, item]) =>
        html`<span class="key">${JSON.stringify(key)}</span>: ${valueView(item, key, base, depth + 1, literalText(value, key, item))}`,
    );
    return block('{', members, '}', depth);
  }
  if (typeof value === 'string') return html`<span class="string">${stringView(value, name, base)}</span>`;
  return html`<span class="${typeof value}">${literal ?? JSON.stringify(value) ?? ''}</span>`;
}

function literalText(holder: object, key: string, value: unknown): string | undefined {
  return typeof value === 'number' ? literalOf(holder, key, value) : undefined;
}

function block(open: string, items: readonly Html[], close: string, depth: number): Html {
  if (items.length === 0) return html`${open}${close}`;
  const indent = `\n${'  '.repeat(depth + 1)}`;
  const lines = items.map((item) => indent + item.html).join(',');
  return html`${open}${trusted(lines)}${`\n${'  '.repeat(depth)}`}${close}`;
}

function stringView(text: string, name: string, base: string): Html {
  if (text.length > longestString)
    return html`"${text.slice(0, 60)}… <span class="note">(${text.length.toLocaleString('fr-FR')} caractères)</span>"`;
  const quoted = JSON.stringify(text);
  const isReference = name === 'reference' || name === 'fullUrl' || isWebAddress(text);
  return isReference ? link(text, base, quoted) : html`${quoted}`;
}
